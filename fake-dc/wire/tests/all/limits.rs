//! Each limit, one below and one above; and what clients really send that others lose.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use ldap_wire::{
    Attribute, Authentication, BindRequest, Control, DecodeErrorKind, Decoded, Filter, LdapMessage,
    LimitName, Limits, ProtocolOp, SearchRequest, SearchResultEntry, controls::PagedResults,
    decode,
};

#[test]
fn every_limit_is_an_error_that_states_it() {
    let small = Limits {
        message_bytes: 200,
        filter_depth: 3,
        filter_items: 5,
        attributes: 2,
        values: 2,
        controls: 2,
        referrals: 2,
    };
    let not = |filter| Filter::Not(Box::new(filter));
    let leaf = || Filter::Present("a".into());
    let search = |filter| ProtocolOp::SearchRequest(SearchRequest { filter, ..Default::default() });
    let entry = |attributes| {
        let dn = String::new();
        ProtocolOp::SearchResultEntry(SearchResultEntry { dn, attributes })
    };
    let attribute = |values: usize| Attribute::new("a", vec![b"v".to_vec(); values]);
    let references = |count| ProtocolOp::SearchResultReference(vec!["u".into(); count]);
    let cases = [
        (search(not(not(leaf()))), None),
        (search(not(not(not(leaf())))), Some((LimitName::FilterDepth, 3))),
        (search(Filter::And(vec![leaf(); 4])), None),
        (search(Filter::And(vec![leaf(); 5])), Some((LimitName::FilterItems, 5))),
        (entry(vec![attribute(2); 2]), None),
        (entry(vec![attribute(0); 3]), Some((LimitName::Attributes, 2))),
        (entry(vec![attribute(3)]), Some((LimitName::Values, 2))),
        (references(2), None),
        (references(3), Some((LimitName::Referrals, 2))),
        (ProtocolOp::DelRequest("x".repeat(200)), Some((LimitName::MessageBytes, 200))),
    ];
    for (op, crossed) in cases {
        let bytes = LdapMessage::new(1, op.clone()).encode();
        let kind = decode(&bytes, &small).err().map(|error| error.kind);
        let expected = crossed.map(|(name, limit)| DecodeErrorKind::LimitCrossed { name, limit });
        assert_eq!(kind, expected, "{op:?}");
        assert!(decode(&bytes, &Limits::default()).is_ok(), "{op:?}");
    }
    let controls = vec![Control::new("1.2"); 3];
    let message = LdapMessage { controls, ..LdapMessage::new(1, ProtocolOp::UnbindRequest) };
    let error = decode(&message.encode(), &small).unwrap_err();
    assert_eq!(error.to_string(), "more than 2 controls at byte 23");
}

#[test]
fn a_deep_filter_does_not_exhaust_the_stack() {
    // A million levels of `not`, with lengths of four bytes.
    let mut bytes = Vec::new();
    let levels = 1_000_000_u32;
    for level in 0..levels {
        bytes.push(0xa2);
        bytes.push(0x84);
        bytes.extend(((levels - level - 1) * 6).to_be_bytes());
    }
    let head = [0x04, 0, 0x0a, 1, 0, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0];
    let frame = |tag: u8, content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x84], length.as_slice(), content].concat()
    };
    let search = frame(0x63, &[&head, bytes.as_slice()].concat());
    let message = frame(0x30, &[&[2, 1, 1], search.as_slice()].concat());
    let error = decode(&message, &Limits::default()).unwrap_err();
    assert!(error.to_string().starts_with("more than 100 levels of nested filters"), "{error}");
    assert!(Filter::parse(&"(!".repeat(1_000_000)).is_err());
}

#[test]
fn binary_values_and_passwords_survive_and_passwords_stay_hidden() {
    let filter = Filter::parse(r"(objectSid=\01\05\00\00\ff)").unwrap();
    let search = SearchRequest { filter, ..SearchRequest::default() };
    let password = vec![0xff, 0x00, 0xfe];
    let bind = BindRequest {
        version: 3,
        name: "CN=a".into(),
        authentication: Authentication::Simple(password),
    };
    for op in [ProtocolOp::SearchRequest(search), ProtocolOp::BindRequest(bind)] {
        let message = LdapMessage::new(1, op);
        let bytes = message.encode();
        let consumed = bytes.len();
        let decoded = decode(&bytes, &Limits::default());
        assert_eq!(decoded, Ok(Decoded::Message { message, consumed }));
    }
    let bind = Authentication::Simple(b"geheim".to_vec());
    assert_eq!(format!("{bind:?}"), "Simple(***)");
    let secret = Attribute::new("unicodePwd", ["geheim"]);
    assert_eq!(format!("{secret:?}"), "unicodePwd: ***");
}

#[test]
fn longer_lengths_are_read_as_windows_writes_them() {
    // A bind response of Windows, with lengths of four bytes throughout.
    let bytes = [
        0x30, 0x84, 0, 0, 0, 0x10, 0x02, 0x01, 0x01, 0x61, 0x84, 0, 0, 0, 0x07, 0x0a, 0x01, 0x00,
        0x04, 0x00, 0x04, 0x00,
    ];
    let Ok(Decoded::Message { message, consumed }) = decode(&bytes, &Limits::default()) else {
        panic!("four-byte lengths are definite lengths")
    };
    assert_eq!(consumed, bytes.len());
    assert!(
        matches!(message.op, ProtocolOp::BindResponse(response) if response.result.is_success())
    );
}

#[test]
fn paged_results_round_trip() {
    let page = PagedResults { size: 1_000, cookie: vec![1, 0, 2] };
    let control = page.to_control(true);
    assert_eq!(PagedResults::decode(control.value.as_deref().unwrap()), Ok(page));
    assert!(PagedResults::decode(b"garbage").is_err());
}
