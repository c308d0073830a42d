//! Security descriptors: what is made of the schema's defaults, against a Samba AD DC; the SD
//! flags control; changes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use crate::support::{Client, captured_config, fixture};
use base64::{Engine, prelude::BASE64_STANDARD};
use fake_dc_directory::{Directory, Flavour, LdifSource, Protection};
use ldap_wire::{
    Attribute, Change, Control, Filter, LdapMessage, ModifyOperation, ModifyRequest, ProtocolOp,
    ResultCode, Scope, SearchRequest, controls,
};

const ALICE: &str = "CN=Alice User,CN=Users,DC=lab,DC=example";
const DESCRIPTOR: &str = "nTSecurityDescriptor";

/// What the class gives is what Samba has; what is handed down differs with the head of the
/// domain, whose own descriptor Samba's provisioning sets.
#[test]
fn the_defaults_of_the_classes_are_those_of_a_samba_dc() {
    let directory = directory(Flavour::Samba4_22);
    let mut client = bound(&directory, "Administrator");
    let captured = std::fs::read_to_string(fixture("../descriptors/samba.tsv")).unwrap();
    let mut compared = 0;
    for line in captured.lines() {
        let (dn, value) = line.split_once('\t').unwrap();
        let theirs = BASE64_STANDARD.decode(value).unwrap();
        let Some(ours) = read(&mut client, dn, &[DESCRIPTOR], None) else { continue };
        let owner = at(&theirs, 4);
        let domain = theirs[owner..owner + 24].to_vec();
        let own_domain = &directory.domain_sid().as_bytes()[2..];
        let aces: Vec<Vec<u8>> = aces(&theirs, 16)
            .into_iter()
            .map(|ace| replaced(&ace, &domain[2..], own_domain))
            .collect();
        let own = |aces: &[Vec<u8>]| -> Vec<Vec<u8>> {
            aces.iter().filter(|ace| ace[1] & 0x10 == 0).cloned().collect()
        };
        assert_eq!(own(&self::aces(&ours, 16)), own(&aces), "{dn}");
        assert_eq!(ours[..4], theirs[..4], "{dn}");
        // The provisioning sets the audit list of this OU, too.
        if !dn.contains("OU=Domain Controllers") {
            assert_eq!(self::aces(&ours, 12), self::aces(&theirs, 12), "audit list of {dn}");
        }
        assert!(self::aces(&ours, 16).iter().any(|ace| ace[1] & 0x10 != 0), "{dn}");
        compared += 1;
    }
    assert!(compared >= 3, "{compared} of the captured entries are there");
}

#[test]
fn the_flags_say_which_parts_are_sent() {
    for flavour in [Flavour::Samba4_22, Flavour::WindowsServer2022] {
        let directory = directory(flavour);
        let mut client = bound(&directory, "Administrator");
        // Control field, and which of owner, group, SACL and DACL have a place.
        for (flags, control, present) in [
            (None, 0x8c17, [true, true, true, true]),
            (Some(0), 0x8c17, [true, true, true, true]),
            (Some(1), 0x8001, [true, false, false, false]),
            (Some(2), 0x8002, [false, true, false, false]),
            (Some(4), 0x8404, [false, false, false, true]),
            (Some(7), 0x8407, [true, true, false, true]),
            (Some(8), 0x8810, [false, false, true, false]),
            (Some(16), 0x8c17, [true, true, true, true]),
        ] {
            let sent = read(&mut client, ALICE, &[DESCRIPTOR], flags).unwrap();
            assert_eq!(u16::from_le_bytes([sent[2], sent[3]]), control, "{flags:?}");
            assert_eq!([4, 8, 12, 16].map(|place| at(&sent, place) != 0), present, "{flags:?}");
        }
        assert_eq!(read(&mut client, ALICE, &[], None), None);
        assert_eq!(read(&mut client, ALICE, &["cn"], Some(7)), None);
        assert!(read(&mut client, ALICE, &[], Some(7)).is_some());
        assert!(read(&mut client, ALICE, &["*", DESCRIPTOR], None).is_some());
        // Who audits what is not for everybody.
        let mut client = bound(&directory, "alice");
        assert_eq!(read(&mut client, ALICE, &[DESCRIPTOR], None), None);
        assert_eq!(read(&mut client, ALICE, &[DESCRIPTOR], Some(15)), None);
        assert!(read(&mut client, ALICE, &[DESCRIPTOR], Some(7)).is_some());
    }
}

#[test]
fn parts_are_replaced_and_nonsense_is_refused() {
    let directory = directory(Flavour::Samba4_22);
    let mut client = bound(&directory, "Administrator");
    let before = read(&mut client, ALICE, &[DESCRIPTOR], None).unwrap();
    // Owned by BUILTIN\Administrators, and nothing else.
    let owner = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
    let mut given = vec![1, 0, 0, 0x80, 20, 0, 0, 0];
    given.resize(20, 0);
    given.extend(owner);
    let replace = ModifyOperation::Replace;
    let done = change(&mut client, replace, vec![given.clone()], Some(4));
    assert_eq!(done.code, ResultCode::SUCCESS);
    assert_eq!(read(&mut client, ALICE, &[DESCRIPTOR], None), Some(before.clone()));
    assert_eq!(change(&mut client, replace, vec![given], Some(1)).code, ResultCode::SUCCESS);
    let after = read(&mut client, ALICE, &[DESCRIPTOR], None).unwrap();
    let place = at(&after, 4);
    assert_eq!(after[place..place + owner.len()], owner);
    assert_eq!(aces(&after, 16), aces(&before, 16));
    assert_eq!(aces(&after, 12), aces(&before, 12));
    let refused = change(&mut client, replace, vec![b"x".to_vec()], None);
    assert_eq!(refused.code, ResultCode::OPERATIONS_ERROR);
    let removed = change(&mut client, ModifyOperation::Delete, Vec::new(), None);
    assert_eq!(removed.code, ResultCode::UNWILLING_TO_PERFORM);
    assert_eq!(read(&mut client, ALICE, &[DESCRIPTOR], None), Some(after));
}

fn directory(flavour: Flavour) -> Directory {
    let text = format!("dn: {ALICE}\nobjectClass: user\nsAMAccountName: alice\n");
    let mut config = captured_config(vec![LdifSource { name: "alice.ldif".to_owned(), text }]);
    config.flavour = flavour;
    Directory::build(config).unwrap()
}

fn bound<'a>(directory: &'a Directory, name: &str) -> Client<'a> {
    let mut client = Client::connect(directory, Protection::Tls);
    let result = client.bind(&format!("{name}@lab.example"), "Passw0rd!Lab1");
    assert_eq!(result.code, ResultCode::SUCCESS);
    client
}

fn with_flags(op: ProtocolOp, flags: Option<u8>) -> LdapMessage {
    let control = flags.map(|flags| Control {
        oid: controls::SD_FLAGS.to_owned(),
        critical: true,
        value: Some(vec![0x30, 3, 2, 1, flags]),
    });
    LdapMessage { controls: control.into_iter().collect(), ..LdapMessage::new(9, op) }
}

fn read(
    client: &mut Client<'_>,
    dn: &str,
    attributes: &[&str],
    flags: Option<u8>,
) -> Option<Vec<u8>> {
    let request = SearchRequest {
        base: dn.to_owned(),
        scope: Scope::BaseObject,
        filter: Filter::parse("(objectClass=*)").unwrap(),
        attributes: attributes.iter().map(ToString::to_string).collect(),
        ..SearchRequest::default()
    };
    let messages = client.send(with_flags(ProtocolOp::SearchRequest(request), flags));
    messages.into_iter().find_map(|message| match message.op {
        ProtocolOp::SearchResultEntry(entry) => entry.values(DESCRIPTOR).first().cloned(),
        _ => None,
    })
}

fn change(
    client: &mut Client<'_>,
    operation: ModifyOperation,
    values: Vec<Vec<u8>>,
    flags: Option<u8>,
) -> ldap_wire::LdapResult {
    let modification = Attribute { name: DESCRIPTOR.to_owned(), values };
    let changes = vec![Change { operation, modification }];
    let request = ModifyRequest { object: ALICE.to_owned(), changes };
    client.result_of(with_flags(ProtocolOp::ModifyRequest(request), flags))
}

/// The place that a field of the header gives.
fn at(bytes: &[u8], field: usize) -> usize {
    u32::from_le_bytes(bytes[field..field + 4].try_into().unwrap()).try_into().unwrap()
}

/// The ACEs of the list whose place that field gives.
fn aces(bytes: &[u8], field: usize) -> Vec<Vec<u8>> {
    let list = &bytes[at(bytes, field)..];
    let mut rest = &list[8..];
    let count = u16::from_le_bytes([list[4], list[5]]);
    let mut next = || {
        let (ace, after) = rest.split_at(usize::from(u16::from_le_bytes([rest[2], rest[3]])));
        rest = after;
        ace.to_vec()
    };
    (0..count).map(|_| next()).collect()
}

/// SIDs of one domain as those of another; the number of parts stays.
fn replaced(ace: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match ace.windows(from.len()).position(|part| part == from) {
        Some(at) => [&ace[..at], to, &ace[at + from.len()..]].concat(),
        None => ace.to_vec(),
    }
}
