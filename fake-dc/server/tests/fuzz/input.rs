//! What a fuzzer's bytes mean, and what must hold then: for the fuzz targets, and for the test that
//! replays the corpus. Each function returns whether the bytes were understood.

use std::{
    cell::RefCell,
    sync::{LazyLock, Mutex, PoisonError},
};

use fake_dc::{facts::Listener, fuzzing};
use fake_dc_directory::{DcView, Directory, DirectoryConfig, Dn, Flavour, Protection, Then, ldif};
use fake_dc_kerberos::{
    AsExchange, ClientSecret, Credential, Principal, PrincipalName, TgsExchange,
    gss::{
        Acceptor, ChannelBindings, GssContext, GssFlags, Initiator, InitiatorConfig, Mechanism,
        SaslAcceptor, SecurityLayer,
    },
};
use ground::{Secret, Seed, Timestamp, VirtualClock};
use ldap_wire::{Decoded, Filter, LdapMessage, Limits, ProtocolOp, decode};

use crate::lab::{Lab, PASSWORD, REALM, ldap};

/// A target: its name, and its function.
pub(crate) type Target = (&'static str, fn(&[u8]) -> bool);

/// All of them.
#[allow(dead_code, reason = "the fuzz targets have one each")]
pub(crate) const TARGETS: [Target; 11] = [
    ("ldap_message", ldap_message),
    ("filter_text", filter_text),
    ("dn", dn),
    ("ldif", ldif_text),
    ("session", session),
    ("datagram", datagram),
    ("connection", connection),
    ("client_hello", client_hello),
    ("kerberos_answer", kerberos_answer),
    ("gss_token", gss_token),
    ("sasl_frame", sasl_frame),
];

/// The first LDAP message in some bytes: what was read can be written and is read alike.
pub(crate) fn ldap_message(bytes: &[u8]) -> bool {
    let Ok(Decoded::Message { message, consumed }) = decode(bytes, &Limits::DEFAULT) else {
        return false;
    };
    assert!(consumed <= bytes.len());
    let again = message.encode();
    match decode(&again, &Limits::DEFAULT) {
        Ok(Decoded::Message { message: read, consumed }) => {
            assert_eq!((&read, consumed), (&message, again.len()));
        }
        other => panic!("{message:?} is written and then {other:?}"),
    }
    if let ProtocolOp::SearchRequest(search) = &message.op {
        let _ = search.filter.to_string();
    }
    true
}

/// The text of a filter: what was read can be written and is read alike.
pub(crate) fn filter_text(bytes: &[u8]) -> bool {
    let Some(filter) = text(bytes).and_then(|text| Filter::parse(text).ok()) else { return false };
    let again = filter.to_string();
    assert_eq!(Filter::parse(&again).as_ref(), Ok(&filter), "{again}");
    true
}

/// A distinguished name: what was read can be written and is read alike.
pub(crate) fn dn(bytes: &[u8]) -> bool {
    let Some(dn) = text(bytes).and_then(|text| Dn::parse(text).ok()) else { return false };
    let again = dn.to_string();
    assert_eq!(Dn::parse(&again).as_ref(), Ok(&dn), "{again}");
    assert!(dn.is_at_or_below(&dn));
    let _ = (dn.parent(), dn.dns_name());
    true
}

/// LDIF: records, or mistakes that say where they are.
pub(crate) fn ldif_text(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    match ldif::parse("fuzz.ldif", text) {
        Ok(records) => !records.is_empty(),
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                assert!((1..=text.lines().count().max(1)).contains(&mistake.line), "{mistake}");
                let _ = mistake.remedy();
            }
            false
        }
    }
}

/// A connection as the directory sees it: the first octet says which, then come LDAP messages.
///
/// The directory is made anew after a change that succeeded, so that every input meets the same.
pub(crate) fn session(bytes: &[u8]) -> bool {
    static DIRECTORY: LazyLock<Mutex<Vec<Directory>>> = LazyLock::new(|| {
        Mutex::new([Flavour::Samba4_22, Flavour::default()].map(directory).into())
    });
    let Some((&kind, mut bytes)) = bytes.split_first() else { return false };
    let mut directories = DIRECTORY.lock().unwrap_or_else(PoisonError::into_inner);
    let at = usize::from(kind & 1);
    let protection = if kind & 2 == 0 { Protection::Tls } else { Protection::None };
    let mut session = directories[at].open_session(&view(), protection);
    if kind & 4 != 0 {
        session = session.on_global_catalog();
    }
    if kind & 8 == 0 {
        bind(&directories[at], &mut session);
    }
    let (mut understood, mut changed) = (false, false);
    while let Ok(Decoded::Message { message, consumed }) = decode(bytes, &Limits::DEFAULT) {
        bytes = &bytes[consumed..];
        understood = true;
        let id = message.id;
        changed |= matches!(
            message.op,
            ProtocolOp::AddRequest(_)
                | ProtocolOp::DelRequest(_)
                | ProtocolOp::ModifyRequest(_)
                | ProtocolOp::ModifyDnRequest(_)
        );
        let reply = directories[at].handle(&mut session, message);
        for message in &reply.messages {
            assert!(message.id == id || message.id == 0, "{message:?} answers {id}");
            assert!(ldap_message(&message.encode()), "{message:?}");
        }
        match reply.then {
            Then::Continue | Then::RenewCertificate => {}
            Then::StartTls => session.tls_started(),
            Then::Close => break,
        }
    }
    if changed {
        let flavour = directories[at].flavour();
        directories[at] = directory(flavour);
    }
    understood
}

fn directory(flavour: Flavour) -> Directory {
    let clock = VirtualClock::starting_at(Timestamp::from_unix(1_780_000_000)).clock();
    let config = DirectoryConfig {
        flavour,
        dcs: vec![view()],
        ..DirectoryConfig::new("lab.example", Seed::new(1), clock)
    };
    Directory::build(config).expect("the default directory can be built")
}

fn view() -> DcView {
    DcView::new("dc1", "lab.example")
}

fn bind(directory: &Directory, session: &mut fake_dc_directory::Session) {
    let bind = ldap_wire::BindRequest {
        version: 3,
        name: "Administrator@lab.example".to_owned(),
        authentication: ldap_wire::Authentication::Simple(PASSWORD.as_bytes().to_vec()),
    };
    directory.handle(session, LdapMessage::new(1, ProtocolOp::BindRequest(bind)));
}

thread_local! {
    static WORLD: fuzzing::World = fuzzing::World::new().expect("a domain can be started");
}

/// A datagram: the first octet says to which service.
pub(crate) fn datagram(bytes: &[u8]) -> bool {
    let Some((&kind, bytes)) = bytes.split_first() else { return false };
    let listener = [Listener::Cldap, Listener::Kdc, Listener::Dns][usize::from(kind) % 3];
    WORLD.with(|world| world.datagram(listener, bytes)).is_some()
}

/// A connection from its beginning to its end: the first octet says to which port of which DC.
pub(crate) fn connection(bytes: &[u8]) -> bool {
    const LISTENERS: [Listener; 5] =
        [Listener::Ldap, Listener::Ldaps, Listener::Gc, Listener::Kdc, Listener::Dns];
    let Some((&kind, bytes)) = bytes.split_first() else { return false };
    let (listener, dc) = (usize::from(kind) % LISTENERS.len(), usize::from(kind) / LISTENERS.len());
    let answer = WORLD.with(|world| world.connection(dc, LISTENERS[listener], bytes));
    // An alert is an answer, but none of understanding.
    !answer.is_empty() && answer[0] != 21
}

/// A ClientHello in records.
pub(crate) fn client_hello(bytes: &[u8]) -> bool {
    fuzzing::is_client_hello(bytes)
}

/// What a KDC seems to answer: to a client that logs on, to one that wants a ticket, and to one that
/// has asked for mutual authentication.
pub(crate) fn kerberos_answer(bytes: &[u8]) -> bool {
    with_lab(|lab, granting, ticket| {
        let clock = lab.clock();
        let client = Principal { name: PrincipalName::account("alice"), realm: REALM.to_owned() };
        let secret = ClientSecret::Password(Secret::new(PASSWORD));
        let mut exchange = AsExchange::new(client, secret, clock.clone(), &mut lab.random);
        let mut understood = exchange.answer(bytes, &mut lab.random).is_ok();
        let exchange = TgsExchange::new(granting, ldap(), &clock, &mut lab.random);
        understood |= exchange.answer(bytes).is_ok();
        for mechanism in [Mechanism::GssSpnego, Mechanism::Gssapi] {
            let config = InitiatorConfig { mechanism, flags: GssFlags::MUTUAL, bindings: None };
            let initiator = Initiator::new(ticket.clone(), config, &clock, &mut lab.random);
            understood |= initiator.finish(Some(bytes)).is_ok();
        }
        understood
    })
}

/// The first token of a SASL bind, and as an answer to what the first octet says.
pub(crate) fn gss_token(bytes: &[u8]) -> bool {
    let _ = ChannelBindings::tls_server_end_point(bytes);
    with_lab(|lab, _, _| {
        let mut understood = false;
        for mechanism in [Mechanism::GssSpnego, Mechanism::Gssapi] {
            let acceptor = Acceptor::new(lab.acceptor());
            let mut acceptor = SaslAcceptor::new(mechanism, acceptor, false);
            understood |= acceptor.step(Some(bytes), &mut lab.random).is_ok();
        }
        understood
    })
}

/// What comes on a connection that is signed and sealed.
pub(crate) fn sasl_frame(bytes: &[u8]) -> bool {
    with_lab(|lab, _, ticket| {
        let context = server_side(lab, ticket);
        SecurityLayer::new(context, true).open(bytes).is_ok()
    })
}

fn server_side(lab: &mut Lab, ticket: &Credential) -> GssContext {
    let config =
        InitiatorConfig { mechanism: Mechanism::Gssapi, flags: GssFlags::MUTUAL, bindings: None };
    let clock = lab.clock();
    let initiator = Initiator::new(ticket.clone(), config, &clock, &mut lab.random);
    let accepted = Acceptor::new(lab.acceptor()).accept(initiator.initial(), &mut lab.random);
    accepted.expect("a sound token is accepted").context
}

/// A realm, Alice's ticket to get tickets, and her ticket for the DC. Random numbers are the same
/// for every input.
fn with_lab<T>(act: impl FnOnce(&mut Lab, &Credential, &Credential) -> T) -> T {
    thread_local! {
        static LAB: RefCell<(Lab, Credential, Credential)> = RefCell::new({
            let mut lab = Lab::new();
            let granting = lab.alice();
            let ticket = lab.ticket(&granting, ldap()).expect("a ticket");
            (lab, granting, ticket)
        });
    }
    LAB.with_borrow_mut(|(lab, granting, ticket)| {
        lab.random = Seed::new(7).stream("fuzz");
        act(lab, granting, ticket)
    })
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
