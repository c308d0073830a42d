//! Every PDU of the captures of Samba 4.22.11 is read, and written back to the same bytes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use ldap_wire::{DecodeErrorKind, Decoded, LdapMessage, LimitName, Limits, ProtocolOp, decode};
use serde_json::Value;

const LDAP: &str = include_str!("../../../../fixtures/samba-ad/wire/ldap-pdus.json");
const CLDAP: &str = include_str!("../../../../fixtures/samba-ad/wire/cldap.json");

/// What no LDAP client sends on purpose: these requests made Samba close the connection.
const GARBAGE: [&str; 3] = ["garbage", "bad-length", "unknown-op"];

#[test]
fn captured_pdus_round_trip() {
    let mut count = 0;
    for (name, exchange) in exchanges() {
        let request = bytes(&exchange["request"]);
        if !GARBAGE.contains(&name.as_str()) {
            count += round_trip(&name, &request);
        }
        for response in exchange["responses"].as_array().unwrap() {
            count += round_trip(&name, &bytes(response));
        }
    }
    let pings: Value = serde_json::from_str(CLDAP).unwrap();
    for ping in pings["cases"].as_array().unwrap() {
        let name = ping["name"].as_str().unwrap();
        count += round_trip(name, &bytes(&ping["request"]));
        count += round_trip(name, &bytes(&ping["response"]));
    }
    assert!(count > 150, "{count} messages");
}

#[test]
fn garbage_is_refused_where_samba_closes() {
    let refusal = |wanted: &str| {
        let (_, exchange) = exchanges().into_iter().find(|(name, _)| name == wanted).unwrap();
        decode(&bytes(&exchange["request"]), &Limits::default()).unwrap_err()
    };
    assert_eq!(refusal("garbage").to_string(), "tag 0x47 instead of LDAP message at byte 0");
    assert_eq!(
        refusal("bad-length").kind,
        DecodeErrorKind::LimitCrossed { name: LimitName::MessageBytes, limit: 10_485_760 }
    );
    assert_eq!(refusal("unknown-op").to_string(), "unknown protocol operation 0x7e at byte 5");
    let notice = refusal("unknown-op").notice_of_disconnection();
    assert_eq!(notice.id, 0);
    assert!(matches!(notice.op, ProtocolOp::ExtendedResponse(_)));
}

fn round_trip(name: &str, whole: &[u8]) -> usize {
    let mut rest = whole;
    let mut count = 0;
    while !rest.is_empty() {
        let (message, consumed) = message(name, rest);
        assert_eq!(message.encode(), &rest[..consumed], "{name}: {message:?}");
        rest = &rest[consumed..];
        count += 1;
    }
    count
}

fn message(name: &str, bytes: &[u8]) -> (LdapMessage, usize) {
    match decode(bytes, &Limits::default()) {
        Ok(Decoded::Message { message, consumed }) => (message, consumed),
        other => panic!("{name}: {other:?}"),
    }
}

fn exchanges() -> Vec<(String, Value)> {
    let file: Value = serde_json::from_str(LDAP).unwrap();
    let cases = file["cases"].as_array().unwrap();
    cases
        .iter()
        .flat_map(|case| {
            let name = case["name"].as_str().unwrap().to_owned();
            case["exchanges"].as_array().unwrap().iter().map(move |e| (name.clone(), e.clone()))
        })
        .collect()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}
