//! Netlogon pings over UDP, as captured from real clients.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::common::{ask, bytes, fixture};
use fake_dc::Domain;
use fake_dc_directory::Flavour;
use ldap_wire::{Decoded, LdapMessage, Limits, ProtocolOp};
use serde_json::Value;

fn messages(mut datagram: &[u8]) -> Vec<LdapMessage> {
    let mut messages = Vec::new();
    while !datagram.is_empty() {
        match ldap_wire::decode(datagram, &Limits::DEFAULT).unwrap() {
            Decoded::Message { message, consumed } => {
                messages.push(message);
                datagram = &datagram[consumed..];
            }
            Decoded::Incomplete { .. } => panic!("half a message"),
        }
    }
    messages
}

/// The shape of an answer: its operations, the names of the attributes, and the first byte
/// (opcode) and the last eight (NtVer and tokens) of the netlogon value.
fn shape(datagram: &[u8]) -> Vec<String> {
    let shape = |message: LdapMessage| match message.op {
        ProtocolOp::SearchResultEntry(entry) => {
            let tail = |value: &Vec<u8>| value[value.len() - 8..].to_vec();
            let netlogon = entry.values("netlogon").iter().map(|value| (value[0], tail(value)));
            let netlogon: Vec<_> = netlogon.collect();
            let names: Vec<_> = entry.attributes.iter().map(|attribute| &attribute.name).collect();
            format!("{} entry `{}` {names:?} {netlogon:x?}", message.id, entry.dn)
        }
        ProtocolOp::SearchResultDone(result) => format!("{} done {}", message.id, result.code),
        other => format!("{other:?}"),
    };
    messages(datagram).into_iter().map(shape).collect()
}

#[tokio::test]
async fn captured_pings_are_answered_in_the_captured_shape() {
    let domain = Domain::builder("lab.example").flavour(Flavour::Samba4_22).start().await.unwrap();
    let cases: Value = serde_json::from_str(&fixture("wire/cldap.json")).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let request = bytes(case["request"].as_str().unwrap());
        let Some(captured) = case["response"].as_str().filter(|hex| !hex.is_empty()) else {
            continue;
        };
        let answer = ask(domain.dc("dc1").unwrap().cldap(), &request).await;
        assert_eq!(shape(&answer), shape(&bytes(captured)), "{}", case["name"]);
    }
}

#[tokio::test]
async fn the_ledger_tells_who_answered() {
    let domain = Domain::builder("lab.example").dcs(2).start().await.unwrap();
    let cases: Value = serde_json::from_str(&fixture("wire/cldap.json")).unwrap();
    let request = bytes(cases["cases"][0]["request"].as_str().unwrap());
    ask(domain.dc("dc2").unwrap().cldap(), &request).await;
    let event = crate::common::event(&domain, "dc2", "cldap.ping").await;
    assert_eq!(event.fields()["answered"], "dc2.lab.example");
}
