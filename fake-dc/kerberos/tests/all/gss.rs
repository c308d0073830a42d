//! Initiator and acceptor agree on a context, bare, in SPNEGO and in SASL, or on why not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fake_dc_kerberos::{
    Error, ErrorCode,
    gss::{
        Acceptor, AcceptorConfig, BindingPolicy, ChannelBindings, GssContext, GssFlags, Initiator,
        InitiatorConfig, Mechanism, Opened, SaslAcceptor, SaslStep, SecurityLayer,
    },
};

use crate::common::{Lab, ldap};

fn wants(flags: GssFlags) -> InitiatorConfig {
    InitiatorConfig { mechanism: Mechanism::Gssapi, flags, bindings: None }
}

/// A context, seen by both sides.
fn contexts(lab: &mut Lab, flags: GssFlags) -> (GssContext, GssContext) {
    let ticket = lab.ldap_ticket();
    let initiator = Initiator::new(ticket, wants(flags), &lab.clock(), &mut lab.random);
    let acceptor = Acceptor::new(lab.acceptor());
    let accepted = acceptor.accept(initiator.initial(), &mut lab.random).unwrap();
    (initiator.finish(accepted.token.as_deref()).unwrap(), accepted.context)
}

#[test]
fn both_sides_know_each_other() {
    let mut lab = Lab::new();
    let (client, dc) = contexts(&mut lab, GssFlags::MUTUAL);
    assert_eq!(client.peer().to_string(), "ldap/dc1.corp.example@CORP.EXAMPLE");
    assert_eq!(dc.peer().to_string(), "Alice@CORP.EXAMPLE");
    assert_eq!(dc.flags(), GssFlags::MUTUAL);
}

#[test]
fn messages_are_signed_and_sealed_both_ways() {
    for flags in [GssFlags::MUTUAL, GssFlags::default()] {
        let mut lab = Lab::new();
        let (mut client, mut dc) = contexts(&mut lab, flags);
        for seal in [true, false] {
            for message in [&b""[..], b"x", b"a message of some length, longer than two blocks"] {
                let token = client.wrap(message, seal, &mut lab.random);
                let unwrapped = dc.unwrap(&token).unwrap();
                assert_eq!((unwrapped.message.as_slice(), unwrapped.sealed), (message, seal));
                let token = dc.wrap(message, seal, &mut lab.random);
                assert_eq!(client.unwrap(&token).unwrap().message, message);
                let signature = client.sign(message);
                dc.verify(message, &signature).unwrap();
            }
        }
    }
}

#[test]
fn changed_repeated_and_reflected_messages_are_refused() {
    let mut lab = Lab::new();
    let (mut client, mut dc) = contexts(&mut lab, GssFlags::MUTUAL);
    for seal in [true, false] {
        let token = client.wrap(b"add 1 euro", seal, &mut lab.random);
        for index in 0..token.len() {
            let mut changed = token.clone();
            changed[index] ^= 1;
            assert!(dc.unwrap(&changed).is_err(), "octet {index} is not protected");
        }
        assert!(client.unwrap(&token).is_err(), "reflected");
        dc.unwrap(&token).unwrap();
        assert_eq!(dc.unwrap(&token).unwrap_err(), Error::OutOfOrder { what: "protected message" });
    }
}

#[test]
fn rotated_tokens_are_turned_back() {
    let mut lab = Lab::new();
    let (mut client, mut dc) = contexts(&mut lab, GssFlags::MUTUAL);
    for seal in [true, false] {
        // Windows rotates by 28 octets in DCE/RPC.
        let mut token = client.wrap(b"a message of some length", seal, &mut lab.random);
        token[6..8].copy_from_slice(&28_u16.to_be_bytes());
        token[16..].rotate_right(28);
        assert_eq!(dc.unwrap(&token).unwrap().message, b"a message of some length");
    }
}

#[test]
fn the_acceptor_rejects_with_codes() {
    let accept = |lab: &mut Lab, config: AcceptorConfig| {
        let ticket = lab.ldap_ticket();
        let wants = wants(GssFlags::MUTUAL);
        let initiator = Initiator::new(ticket, wants, &lab.clock(), &mut lab.random);
        let acceptor = Acceptor::new(config);
        let error = acceptor.accept(initiator.initial(), &mut lab.random).unwrap_err();
        let told = initiator.finish(acceptor.error_token(&error).as_deref()).unwrap_err();
        (error, told)
    };
    let rejected = |(error, told): (Error, Error), expected: ErrorCode| {
        assert!(matches!(error, Error::Rejected { code, .. } if code == expected), "{error}");
        assert_eq!(told, Error::Refused { code: expected });
    };

    let mut lab = Lab::new();
    // The machine password was changed, and this DC has not heard of it.
    let mut other_keys = lab.acceptor();
    other_keys.keys.clear();
    rejected(accept(&mut lab, other_keys), ErrorCode::KRB_AP_ERR_MODIFIED);
    let mut fast = lab.acceptor();
    fast.clock = lab.clock().offset_by(301);
    rejected(accept(&mut lab, fast), ErrorCode::KRB_AP_ERR_SKEW);
    let mut late = lab.acceptor();
    late.clock = lab.clock().offset_by(36_301);
    rejected(accept(&mut lab, late), ErrorCode::KRB_AP_ERR_TKT_EXPIRED);
    let mut early = lab.acceptor();
    early.clock = lab.clock().offset_by(-301);
    rejected(accept(&mut lab, early), ErrorCode::KRB_AP_ERR_TKT_NYV);
}

#[test]
fn channel_bindings_are_enforced_as_the_policy_says() {
    let own = ChannelBindings::new(b"tls-server-end-point:this");
    let other = ChannelBindings::new(b"tls-server-end-point:other");
    let missing = Some("missing");
    let wrong = Some("those of another connection");
    let cases = [
        (BindingPolicy::Off, None, None),
        (BindingPolicy::Off, Some(other), None),
        (BindingPolicy::IfSent, None, None),
        (BindingPolicy::IfSent, Some(own), None),
        (BindingPolicy::IfSent, Some(other), wrong),
        (BindingPolicy::Always, None, missing),
        (BindingPolicy::Always, Some(own), None),
        (BindingPolicy::Always, Some(other), wrong),
    ];
    let mut lab = Lab::new();
    let ticket = lab.ldap_ticket();
    for (binding_policy, bindings, refused) in cases {
        let wants = InitiatorConfig { bindings, ..wants(GssFlags::MUTUAL) };
        let initiator = Initiator::new(ticket.clone(), wants, &lab.clock(), &mut lab.random);
        for (inside_tls, refused) in [(true, refused), (false, None)] {
            let bindings = inside_tls.then_some(own);
            let acceptor =
                Acceptor::new(AcceptorConfig { bindings, binding_policy, ..lab.acceptor() });
            let found = match acceptor.accept(initiator.initial(), &mut lab.random) {
                Ok(_) => None,
                Err(Error::ChannelBindings { found }) => Some(found),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(found, refused, "{binding_policy:?} {inside_tls}");
        }
    }
}

fn bind(lab: &mut Lab, mechanism: Mechanism, flags: GssFlags) -> (Initiator, SaslAcceptor) {
    let ticket = lab.ldap_ticket();
    let wants = InitiatorConfig { mechanism, ..wants(flags) };
    let initiator = Initiator::new(ticket, wants, &lab.clock(), &mut lab.random);
    let acceptor = SaslAcceptor::new(mechanism, Acceptor::new(lab.acceptor()), false);
    (initiator, acceptor)
}

#[test]
fn gss_spnego_takes_one_round_trip_after_a_hint() {
    let mut lab = Lab::new();
    let flags = GssFlags::MUTUAL.with(GssFlags::INTEGRITY).with(GssFlags::CONFIDENTIAL);
    let (initiator, mut acceptor) = bind(&mut lab, Mechanism::GssSpnego, flags);
    let SaslStep::Continue(hint) = acceptor.step(None, &mut lab.random).unwrap() else {
        panic!("an empty bind goes on");
    };
    assert!(hint.ends_with(b"not_defined_in_RFC4178@please_ignore"));
    let step = acceptor.step(Some(initiator.initial()), &mut lab.random).unwrap();
    let SaslStep::Done { token, client, layer, .. } = step else { panic!("one round trip") };
    assert_eq!(client.to_string(), "Alice@CORP.EXAMPLE");
    let context = initiator.finish(token.as_deref()).unwrap();
    exchange(&mut lab, SecurityLayer::new(context, true), *layer.unwrap());
}

#[test]
fn gssapi_agrees_on_a_layer() {
    for (choice, seal) in [(2, false), (4, true)] {
        let mut lab = Lab::new();
        let (initiator, mut acceptor) = bind(&mut lab, Mechanism::Gssapi, GssFlags::MUTUAL);
        let step = acceptor.step(Some(initiator.initial()), &mut lab.random).unwrap();
        let SaslStep::Continue(token) = step else { panic!("an AP-REP comes") };
        let mut context = initiator.finish(Some(&token)).unwrap();
        let step = acceptor.step(Some(b""), &mut lab.random).unwrap();
        let SaslStep::Continue(offer) = step else { panic!("an offer comes") };
        assert_eq!(context.unwrap(&offer).unwrap().message, [7, 0xa0, 0, 0]);
        let choice = context.wrap(&[choice, 0xa0, 0, 0], false, &mut lab.random);
        let step = acceptor.step(Some(&choice), &mut lab.random).unwrap();
        let SaslStep::Done { token: None, layer: Some(layer), .. } = step else {
            panic!("the layer is agreed upon");
        };
        assert_eq!(layer.seals(), seal);
        exchange(&mut lab, SecurityLayer::new(context, seal), *layer);
    }
}

fn exchange(lab: &mut Lab, mut client: SecurityLayer, mut dc: SecurityLayer) {
    let bytes = client.protect(b"a search", &mut lab.random);
    assert_eq!(dc.open(&bytes[..3]), Ok(Opened::Incomplete { missing: 1 }));
    let message = b"a search".to_vec();
    assert_eq!(dc.open(&bytes), Ok(Opened::Message { message, consumed: bytes.len() }));
    let bytes = dc.protect(b"an entry", &mut lab.random);
    let message = b"an entry".to_vec();
    assert_eq!(client.open(&bytes), Ok(Opened::Message { message, consumed: bytes.len() }));
}

#[test]
fn a_sealed_stream_takes_nothing_that_is_only_signed() {
    let mut lab = Lab::new();
    let (client, dc) = contexts(&mut lab, GssFlags::MUTUAL);
    let signed = SecurityLayer::new(client, false).protect(b"a search", &mut lab.random);
    let error = SecurityLayer::new(dc, true).open(&signed).unwrap_err();
    assert_eq!(error, Error::Unexpected { what: "protection" });
}

#[test]
fn no_layer_inside_tls() {
    let mut lab = Lab::new();
    let flags = GssFlags::MUTUAL.with(GssFlags::INTEGRITY);
    let (initiator, _) = bind(&mut lab, Mechanism::GssSpnego, flags);
    let acceptor = Acceptor::new(lab.acceptor());
    let mut acceptor = SaslAcceptor::new(Mechanism::GssSpnego, acceptor, true);
    let refused = acceptor.step(Some(initiator.initial()), &mut lab.random).unwrap_err();
    assert_eq!(refused, Error::LayerInsideTls);
    let again = acceptor.step(Some(initiator.initial()), &mut lab.random).unwrap_err();
    assert_eq!(again, Error::OutOfOrder { what: "bind" });
}

#[test]
fn a_client_that_prefers_another_mechanism_signs_the_list() {
    // NegTokenInit with NTLMSSP before Kerberos, and a token of NTLMSSP.
    let list = hex("301706 0a2b06010401823702020a 06092a864886f712010202");
    let inner = [&hex("a019")[..], &list, &hex("a20604044e544c4d")].concat();
    let init = [&hex("602f 06062b0601050502 a025 3023")[..], &inner].concat();

    let mut lab = Lab::new();
    let (initiator, _) = bind(&mut lab, Mechanism::Gssapi, GssFlags::MUTUAL);
    let mut acceptor =
        SaslAcceptor::new(Mechanism::GssSpnego, Acceptor::new(lab.acceptor()), false);
    let step = acceptor.step(Some(&init), &mut lab.random).unwrap();
    let SaslStep::Continue(answer) = step else { panic!("Kerberos is asked for") };
    assert_eq!(answer, hex("a114 3012 a0030a0103 a10b 06092a864886f712010202"));

    let step = acceptor.step(Some(&response(2, initiator.initial())), &mut lab.random).unwrap();
    let SaslStep::Continue(answer) = step else { panic!("a signature is asked for") };
    let mut context = initiator.finish(Some(&find_token(&answer))).unwrap();
    context.verify(&list, &answer[answer.len() - 28..]).unwrap();
    let signature = context.sign(&list);
    let step = acceptor.step(Some(&response(3, &signature)), &mut lab.random).unwrap();
    assert!(matches!(step, SaslStep::Done { .. }));
}

#[test]
fn a_client_without_kerberos_is_refused() {
    let mut lab = Lab::new();
    let (_, mut acceptor) = bind(&mut lab, Mechanism::GssSpnego, GssFlags::MUTUAL);
    let init = hex("601c 06062b0601050502 a012 3010 a00e 300c 060a2b06010401823702020a");
    let error = acceptor.step(Some(&init), &mut lab.random).unwrap_err();
    assert_eq!(error, Error::NoMechanism { proposed: 1 });
    assert_eq!(ldap().to_string(), "ldap/dc1.corp.example");
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    let octets = (0..digits.len()).step_by(2);
    octets.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], length.as_slice(), content].concat()
}

/// NegTokenResp with one octet string.
fn response(field: u8, octets: &[u8]) -> Vec<u8> {
    element(0xa1, &element(0x30, &element(0xa0 | field, &element(4, octets))))
}

/// The token of Kerberos within a NegTokenResp.
fn find_token(response: &[u8]) -> Vec<u8> {
    let at = response.iter().position(|&octet| octet == 0x60).unwrap();
    let length = usize::from(response[at + 2]);
    assert_eq!(response[at + 1], 0x81);
    response[at..at + 3 + length].to_vec()
}
