//! LDAP: the codec alone, and requests to a directory with 1,000 users beside what every one has.

use std::{cell::RefCell, fmt::Write as _, hint::black_box, rc::Rc};

use fake_dc_directory::{
    DcView, Directory, DirectoryConfig, LdifSource, Protection, Reply, Session,
};
use ground::{Seed, VirtualClock};
use ldap_wire::{
    Authentication, BindRequest, Decoded, Filter, LdapMessage, Limits, ProtocolOp, Scope,
    SearchRequest, decode,
};

use super::{NOW, expect};
use crate::{Failure, HotPath};

const DOMAIN: &str = "DC=corp,DC=example";
const USERS: usize = 1_000;

pub(super) fn paths() -> Result<Vec<HotPath>, Failure> {
    let search = account_search()?;
    let bytes = search.encode();
    let desk = Rc::new(Desk::new()?);
    desk.ask(&bind())?;
    let entries = desk.ask(&users_search()?)?.messages;
    let answers: Vec<u8> = entries.iter().flat_map(LdapMessage::encode).collect();
    let at_desk = |name, request: LdapMessage, messages: usize| {
        let (desk, bytes) = (Rc::clone(&desk), request.encode());
        HotPath::new(name, move || {
            let answers = desk.serve(&bytes)?;
            expect(answers == messages, || format!("{answers} answers"))
        })
    };
    Ok(vec![
        at_desk("directory/bind", bind(), 1),
        at_desk("directory/rootdse", request(SearchRequest::default()), 2),
        // An entry, three references, the end.
        at_desk("directory/account", account_search()?, 5),
        at_desk("directory/1000-users", users_search()?, USERS + 4),
        HotPath::new("ldap/decode-100-requests", move || {
            let read = (0..100).map(|_| messages(black_box(&bytes)));
            expect(read.sum::<Result<usize, _>>()? == 100, || "requests are missing".to_owned())
        }),
        HotPath::new("ldap/encode-100-requests", move || {
            let written: usize = (0..100).map(|_| black_box(&search).encode().len()).sum();
            expect(written > 0, || "nothing was written".to_owned())
        }),
        HotPath::new("ldap/decode-1000-entries", move || {
            let read = messages(black_box(&answers))?;
            expect(read > USERS, || format!("{read} messages"))
        }),
        HotPath::new("ldap/encode-1000-entries", move || {
            let mut bytes = Vec::new();
            black_box(&entries).iter().for_each(|message| message.encode_into(&mut bytes));
            expect(!black_box(bytes).is_empty(), || "nothing was written".to_owned())
        }),
    ])
}

/// Reads LDAP messages, and counts them.
fn messages(mut bytes: &[u8]) -> Result<usize, Failure> {
    let mut count = 0;
    while !bytes.is_empty() {
        let Decoded::Message { message, consumed } = decode(bytes, &Limits::DEFAULT)? else {
            return Err("half a message".into());
        };
        black_box(message);
        bytes = &bytes[consumed..];
        count += 1;
    }
    Ok(count)
}

/// A bind as the administrator.
pub(super) fn bind() -> LdapMessage {
    let authentication = Authentication::Simple(b"Passw0rd!Lab1".to_vec());
    let name = "Administrator@corp.example".to_owned();
    LdapMessage::new(1, ProtocolOp::BindRequest(BindRequest { version: 3, name, authentication }))
}

/// What a host asks about an account.
pub(super) fn account_search() -> Result<LdapMessage, Failure> {
    search("(&(objectClass=user)(sAMAccountName=alice))", &["objectSid", "userAccountControl"])
}

fn users_search() -> Result<LdapMessage, Failure> {
    search("(&(objectClass=user)(sAMAccountName=hand*))", &["sAMAccountName", "objectSid"])
}

fn search(filter: &str, attributes: &[&str]) -> Result<LdapMessage, Failure> {
    Ok(request(SearchRequest {
        base: DOMAIN.to_owned(),
        scope: Scope::WholeSubtree,
        filter: Filter::parse(filter)?,
        attributes: attributes.iter().map(ToString::to_string).collect(),
        ..SearchRequest::default()
    }))
}

fn request(search: SearchRequest) -> LdapMessage {
    LdapMessage::new(2, ProtocolOp::SearchRequest(search))
}

/// A directory, and one client's session.
struct Desk {
    directory: Directory,
    session: RefCell<Session>,
}

impl Desk {
    fn new() -> Result<Self, Failure> {
        let dc = DcView::new("dc1", "corp.example");
        let clock = VirtualClock::starting_at(NOW).clock();
        let directory = Directory::build(DirectoryConfig {
            dcs: vec![dc.clone()],
            sources: vec![users()?],
            ..DirectoryConfig::new("corp.example", Seed::new(1), clock)
        })?;
        let session = directory.open_session(&dc, Protection::Tls).into();
        Ok(Self { directory, session })
    }

    fn ask(&self, request: &LdapMessage) -> Result<Reply, Failure> {
        let mut session = self.session.try_borrow_mut()?;
        Ok(self.directory.handle(&mut session, request.clone()))
    }

    /// Bytes in, bytes out, as a server does it; how many messages there were.
    fn serve(&self, request: &[u8]) -> Result<usize, Failure> {
        let Decoded::Message { message, .. } = decode(black_box(request), &Limits::DEFAULT)? else {
            return Err("half a request".into());
        };
        let reply = self.directory.handle(&mut *self.session.try_borrow_mut()?, message);
        let mut bytes = Vec::new();
        reply.messages.iter().for_each(|message| message.encode_into(&mut bytes));
        black_box(bytes);
        Ok(reply.messages.len())
    }
}

fn users() -> Result<LdifSource, Failure> {
    let mut text = String::new();
    for number in 1..=USERS {
        writeln!(text, "dn: CN=Hand {number},CN=Users,{DOMAIN}")?;
        writeln!(text, "objectClass: user\nsAMAccountName: hand{number}\n")?;
    }
    Ok(LdifSource { name: "hands.ldif".to_owned(), text })
}
