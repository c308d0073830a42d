//! What the tests share: the captured directory, and a client of few words.
#![allow(dead_code, reason = "each test binary uses a part of this module")]

use std::{fs, path::PathBuf};

use fake_dc_directory::{
    DcView, Directory, DirectoryConfig, Flavour, LdifSource, Policy, Protection, Session,
};
use ground::{Seed, Timestamp, VirtualClock};
use ldap_wire::{
    Authentication, BindRequest, Decoded, Filter, LdapMessage, LdapResult, Limits, ProtocolOp,
    Scope, SearchRequest, SearchResultEntry, decode,
};
use serde_json::Value;

/// When most PDUs were captured.
pub(crate) const CAPTURED_AT: &str = "2026-11-21T23:13:36Z";
pub(crate) const PASSWORD: &str = "Passw0rd!Lab1";

pub(crate) fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/samba-ad").join(path)
}

pub(crate) fn json(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(fixture(path)).unwrap()).unwrap()
}

/// The captured LDIF files, in order of their names.
pub(crate) fn captured_ldif() -> Vec<LdifSource> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(fixture("ldif")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let source = |path: &PathBuf| LdifSource {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        text: fs::read_to_string(path).unwrap(),
    };
    files.iter().map(source).collect()
}

pub(crate) fn clock_at(time: &str) -> VirtualClock {
    VirtualClock::starting_at(time.parse::<Timestamp>().unwrap())
}

/// The captured domain as its own DC would serve it.
pub(crate) fn captured_config(sources: Vec<LdifSource>) -> DirectoryConfig {
    DirectoryConfig {
        flavour: Flavour::Samba4_22,
        policy: Policy { require_strong_auth: true, ..Policy::default() },
        dcs: vec![captured_dc()],
        sources,
        ..DirectoryConfig::new("lab.example", Seed::new(1), clock_at(CAPTURED_AT).clock())
    }
}

pub(crate) fn captured_dc() -> DcView {
    DcView { address: [192, 0, 2, 10].into(), ..DcView::new("dc1", "lab.example") }
}

pub(crate) fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

pub(crate) fn messages(mut bytes: &[u8]) -> Vec<LdapMessage> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let Ok(Decoded::Message { message, consumed }) = decode(bytes, &Limits::default()) else {
            panic!("bytes are no LDAP messages")
        };
        messages.push(message);
        bytes = &bytes[consumed..];
    }
    messages
}

/// A client on one connection.
pub(crate) struct Client<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) session: Session,
}

impl<'a> Client<'a> {
    pub(crate) fn connect(directory: &'a Directory, protection: Protection) -> Self {
        let dc = DcView::new("dc1", directory.dns_name());
        Self { directory, session: directory.open_session(&dc, protection) }
    }

    /// A client on TLS, bound as that account.
    pub(crate) fn bound(directory: &'a Directory, name: &str) -> Self {
        let mut client = Self::connect(directory, Protection::Tls);
        let result = client.bind(name, PASSWORD);
        assert!(result.is_success(), "{name}: {result:?}");
        client
    }

    pub(crate) fn bind(&mut self, name: &str, password: &str) -> LdapResult {
        let authentication = Authentication::Simple(password.as_bytes().to_vec());
        let bind = BindRequest { version: 3, name: name.to_owned(), authentication };
        self.result(ProtocolOp::BindRequest(bind))
    }

    /// The entries below the domain that a filter finds.
    pub(crate) fn find(&mut self, filter: &str, attributes: &[&str]) -> Vec<SearchResultEntry> {
        let base = self.directory.domain_dn().to_string();
        self.search(&base, Scope::WholeSubtree, filter, attributes).0
    }

    pub(crate) fn search(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
    ) -> (Vec<SearchResultEntry>, LdapResult) {
        let search = SearchRequest {
            base: base.to_owned(),
            scope,
            filter: Filter::parse(filter).unwrap(),
            attributes: attributes.iter().map(ToString::to_string).collect(),
            ..SearchRequest::default()
        };
        let messages = self.send(LdapMessage::new(7, ProtocolOp::SearchRequest(search)));
        let mut entries = Vec::new();
        for message in messages {
            match message.op {
                ProtocolOp::SearchResultEntry(entry) => entries.push(entry),
                ProtocolOp::SearchResultReference(_) => {}
                ProtocolOp::SearchResultDone(result) => return (entries, result),
                other => panic!("{other:?} in a search"),
            }
        }
        panic!("search without an end")
    }

    /// The result of a request that gets one message.
    pub(crate) fn result(&mut self, op: ProtocolOp) -> LdapResult {
        self.result_of(LdapMessage::new(7, op))
    }

    pub(crate) fn result_of(&mut self, message: LdapMessage) -> LdapResult {
        let mut messages = self.send(message);
        assert_eq!(messages.len(), 1, "{messages:?}");
        match messages.remove(0).op {
            ProtocolOp::BindResponse(response) => response.result,
            ProtocolOp::ExtendedResponse(response) => response.result,
            ProtocolOp::SearchResultDone(result)
            | ProtocolOp::ModifyResponse(result)
            | ProtocolOp::AddResponse(result)
            | ProtocolOp::DelResponse(result)
            | ProtocolOp::ModifyDnResponse(result)
            | ProtocolOp::CompareResponse(result) => result,
            other => panic!("{other:?} is no result"),
        }
    }

    pub(crate) fn send(&mut self, message: LdapMessage) -> Vec<LdapMessage> {
        self.directory.handle(&mut self.session, message).messages
    }
}

/// The first value of an attribute as text.
pub(crate) fn text(entry: &SearchResultEntry, name: &str) -> Option<String> {
    entry.values(name).first().map(|value| String::from_utf8_lossy(value).into_owned())
}
