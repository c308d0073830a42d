//! No bytes make anything here panic, whole or as a change of good ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fake_dc_kerberos::{
    AsExchange, ClientSecret, Principal, PrincipalName, TgsExchange,
    gss::{
        Acceptor, ChannelBindings, GssFlags, Initiator, InitiatorConfig, Mechanism, SaslAcceptor,
        SecurityLayer,
    },
    unframe,
};
use ground::{Secret, Transport};
use proptest::{collection::vec, prelude::*};

use crate::common::{Lab, PASSWORD, REALM, ldap};

/// Changes of good bytes: octets set, and the end cut off.
fn damage() -> impl Strategy<Value = (Vec<(prop::sample::Index, u8)>, prop::sample::Index)> {
    (vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), any::<prop::sample::Index>())
}

fn damaged(
    bytes: &[u8],
    damage: &(Vec<(prop::sample::Index, u8)>, prop::sample::Index),
) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (index, value) in &damage.0 {
        let at = index.index(bytes.len());
        bytes[at] = *value;
    }
    if damage.0.is_empty() {
        bytes.truncate(damage.1.index(bytes.len()));
    }
    bytes
}

proptest! {
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        let mut lab = Lab::new();
        let _ = unframe(&bytes);
        let _ = ChannelBindings::tls_server_end_point(&bytes);
        let _ = lab.kdc.answer(&bytes, Transport::Udp, &mut lab.random);
        for mechanism in [Mechanism::GssSpnego, Mechanism::Gssapi] {
            let acceptor = Acceptor::new(lab.acceptor());
            let mut acceptor = SaslAcceptor::new(mechanism, acceptor, false);
            let _ = acceptor.step(Some(&bytes), &mut lab.random);
        }
    }

    #[test]
    fn damaged_messages(damage in damage()) {
        let mut lab = Lab::new();
        let clock = lab.clock();
        let client = Principal { name: PrincipalName::account("alice"), realm: REALM.to_owned() };
        let secret = ClientSecret::Password(Secret::new(PASSWORD));
        let mut exchange = AsExchange::new(client, secret, clock.clone(), &mut lab.random);
        let request = damaged(exchange.request(), &damage);
        let _ = lab.kdc.answer(&request, Transport::Tcp, &mut lab.random);
        let answer = lab.ask(exchange.request());
        let _ = exchange.answer(&damaged(&answer, &damage), &mut lab.random);
        let request = damaged(exchange.request(), &damage);
        let _ = lab.kdc.answer(&request, Transport::Tcp, &mut lab.random);

        let granting = lab.alice();
        let exchange = TgsExchange::new(&granting, ldap(), &clock, &mut lab.random);
        let request = damaged(exchange.request(), &damage);
        let _ = lab.kdc.answer(&request, Transport::Tcp, &mut lab.random);
        let answer = lab.ask(exchange.request());
        let _ = exchange.answer(&damaged(&answer, &damage));

        let ticket = exchange.answer(&answer).unwrap();
        for mechanism in [Mechanism::GssSpnego, Mechanism::Gssapi] {
            let config = InitiatorConfig { mechanism, flags: GssFlags::MUTUAL, bindings: None };
            let initiator = Initiator::new(ticket.clone(), config, &clock, &mut lab.random);
            let acceptor = Acceptor::new(lab.acceptor());
            let mut acceptor = SaslAcceptor::new(mechanism, acceptor, false);
            let token = damaged(initiator.initial(), &damage);
            let _ = acceptor.step(Some(&token), &mut lab.random);
            let _ = initiator.finish(Some(&damaged(&answer, &damage)));
        }
        let config =
            InitiatorConfig { mechanism: Mechanism::Gssapi, flags: GssFlags::MUTUAL, bindings: None };
        let initiator = Initiator::new(ticket, config, &clock, &mut lab.random);
        let accepted = Acceptor::new(lab.acceptor()).accept(initiator.initial(), &mut lab.random);
        let accepted = accepted.unwrap();
        let context = initiator.finish(accepted.token.as_deref()).unwrap();
        let bytes = SecurityLayer::new(context, true).protect(b"a search", &mut lab.random);
        let _ = SecurityLayer::new(accepted.context, true).open(&damaged(&bytes, &damage));
    }
}
