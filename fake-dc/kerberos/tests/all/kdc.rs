//! A client gets tickets from the KDC, or the refusal that Active Directory would give.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fake_dc_kerberos::{
    AccountState, AsExchange, ClientSecret, Error, ErrorCode, Etype, Kdc, KdcPolicy, Principal,
    PrincipalName, TgsExchange, TicketFlags,
};
use ground::{Secret, Transport};

use crate::common::{Lab, PASSWORD, REALM, START, accounts, ldap};

fn refused<T: std::fmt::Debug>(code: ErrorCode) -> impl Fn(Result<T, Error>) {
    move |result| assert_eq!(result.map(|_| ()).unwrap_err(), Error::Refused { code })
}

fn alice() -> PrincipalName {
    PrincipalName::account("alice")
}

#[test]
fn a_password_gets_a_ticket() {
    let mut lab = Lab::new();
    let granting = lab.alice();
    assert_eq!(granting.client.to_string(), "Alice@CORP.EXAMPLE");
    assert_eq!(granting.service.to_string(), "krbtgt/CORP.EXAMPLE@CORP.EXAMPLE");
    assert_eq!(granting.session_key.etype(), Etype::Aes256);
    assert_eq!(granting.ends.unix(), START + 36_000);
    assert_eq!(granting.renew_till.map(|till| till.unix()), Some(START + 604_800));
    // Forwardable, renewable, initial, pre-authenticated; not enc-pa-rep, not ok-as-delegate.
    assert_eq!(granting.flags, TicketFlags(0x40e0_0000));
    let ticket = lab.ticket(&granting, ldap()).unwrap();
    assert_eq!(ticket.service.to_string(), "ldap/dc1.corp.example@CORP.EXAMPLE");
    assert_eq!(ticket.flags, TicketFlags(0x4020_0000));
}

#[test]
fn enterprise_names_become_account_names() {
    let mut lab = Lab::new();
    let name = PrincipalName::enterprise("ALICE@corp.example");
    let granting = lab.log_on(name, PASSWORD).unwrap();
    assert_eq!(granting.client.name, PrincipalName::account("Alice"));
}

#[test]
fn refusals_of_the_authentication_service() {
    let states = [
        (AccountState::Disabled, ErrorCode::KDC_ERR_CLIENT_REVOKED),
        (AccountState::Expired, ErrorCode::KDC_ERR_CLIENT_REVOKED),
        (AccountState::LockedOut, ErrorCode::KDC_ERR_CLIENT_REVOKED),
        (AccountState::MustChangePassword, ErrorCode::KDC_ERR_KEY_EXPIRED),
        (AccountState::PasswordExpired, ErrorCode::KDC_ERR_KEY_EXPIRED),
    ];
    for (state, code) in states {
        let mut accounts = accounts();
        accounts.change("alice", |alice| alice.state = state);
        refused(code)(Lab::with(accounts).log_on(alice(), PASSWORD));
    }
    let mut lab = Lab::new();
    refused(ErrorCode::KDC_ERR_PREAUTH_FAILED)(lab.log_on(alice(), "wrong"));
    refused(ErrorCode::KDC_ERR_C_PRINCIPAL_UNKNOWN)(
        lab.log_on(PrincipalName::account("nobody"), PASSWORD),
    );
}

#[test]
fn an_expired_password_can_still_be_changed() {
    let mut accounts = accounts();
    accounts.change("alice", |alice| alice.state = AccountState::PasswordExpired);
    let mut lab = Lab::with(accounts);
    let client = Principal { name: alice(), realm: REALM.to_owned() };
    let secret = ClientSecret::Password(Secret::new(PASSWORD));
    let (clock, service) = (lab.clock(), PrincipalName::change_password());
    let exchange = AsExchange::for_service(client, service, secret, clock, &mut lab.random);
    lab.run(exchange).unwrap();
}

#[test]
fn clocks_may_differ_by_five_minutes() {
    for (skew, allowed) in [(-301, false), (-300, true), (300, true), (301, false)] {
        let mut lab = Lab::new();
        let client = Principal { name: alice(), realm: REALM.to_owned() };
        let secret = ClientSecret::Password(Secret::new(PASSWORD));
        let clock = lab.clock().offset_by(skew);
        let exchange = AsExchange::new(client, secret, clock.clone(), &mut lab.random);
        let result = lab.run(exchange);
        if allowed {
            result.unwrap();
        } else {
            refused(ErrorCode::KRB_AP_ERR_SKEW)(result);
        }
        let granting = lab.alice();
        let exchange = TgsExchange::new(&granting, ldap(), &clock, &mut lab.random);
        let answer = lab.ask(exchange.request());
        match exchange.answer(&answer) {
            Ok(_) => assert!(allowed),
            error => refused(ErrorCode::KRB_AP_ERR_SKEW)(error),
        }
    }
}

#[test]
fn a_realm_without_a_common_encryption_type_refuses() {
    let mut lab = Lab::new();
    lab.kdc = lab.kdc.policy(KdcPolicy { etypes: Vec::new(), ..KdcPolicy::default() });
    refused(ErrorCode::KDC_ERR_ETYPE_NOSUPP)(lab.log_on(alice(), PASSWORD));
    let mut lab = Lab::new();
    lab.kdc = lab.kdc.policy(KdcPolicy { etypes: vec![Etype::Aes128], ..KdcPolicy::default() });
    assert_eq!(lab.alice().session_key.etype(), Etype::Aes128);
}

#[test]
fn refusals_of_the_ticket_granting_service() {
    let mut lab = Lab::new();
    let granting = lab.alice();
    let unknown = PrincipalName::service("ldap", "dc9.corp.example");
    refused(ErrorCode::KDC_ERR_S_PRINCIPAL_UNKNOWN)(lab.ticket(&granting, unknown));
    refused(ErrorCode::KDC_ERR_MUST_USE_USER2USER)(lab.ticket(&granting, alice()));
    let service = lab.ticket(&granting, ldap()).unwrap();
    refused(ErrorCode::KRB_AP_ERR_NOT_US)(lab.ticket(&service, ldap()));
    lab.pass(36_301);
    refused(ErrorCode::KRB_AP_ERR_TKT_EXPIRED)(lab.ticket(&granting, ldap()));
}

#[test]
fn accounts_are_looked_at_again_after_twenty_minutes() {
    let mut lab = Lab::new();
    let granting = lab.alice();
    let mut accounts = accounts();
    accounts.change("alice", |alice| alice.state = AccountState::Disabled);
    lab.kdc = Kdc::new("corp.example", "CORP", accounts, lab.clock());
    lab.pass(1_200);
    lab.ticket(&granting, ldap()).unwrap();
    lab.pass(1);
    refused(ErrorCode::KDC_ERR_CLIENT_REVOKED)(lab.ticket(&granting, ldap()));
}

#[test]
fn tickets_are_forwarded_and_renewed() {
    let mut lab = Lab::new();
    let granting = lab.alice();
    let clock = lab.clock();
    let exchange = TgsExchange::forwarded(&granting, &clock, &mut lab.random);
    let answer = lab.ask(exchange.request());
    let forwarded = exchange.answer(&answer).unwrap();
    assert!(forwarded.flags.has(TicketFlags::FORWARDED));
    lab.ticket(&forwarded, ldap()).unwrap();

    lab.pass(35_000);
    let exchange = TgsExchange::renewed(&granting, &clock, &mut lab.random);
    let answer = lab.ask(exchange.request());
    let renewed = exchange.answer(&answer).unwrap();
    assert_eq!(renewed.ends.unix(), START + 35_000 + 36_000);
    assert_eq!(renewed.renew_till, granting.renew_till);
}

#[test]
fn answers_that_fit_no_datagram_are_asked_for_over_tcp() {
    let mut lab = Lab::new();
    let policy = KdcPolicy { datagram_answer_bytes_max: 500, ..KdcPolicy::default() };
    lab.kdc = lab.kdc.policy(policy);
    let granting = lab.alice();
    let clock = lab.clock();
    let exchange = TgsExchange::new(&granting, ldap(), &clock, &mut lab.random);
    let answer = lab.kdc.answer(exchange.request(), Transport::Udp, &mut lab.random).unwrap();
    assert_eq!(answer.summary.error, Some(ErrorCode::KRB_ERR_RESPONSE_TOO_BIG));
    refused(ErrorCode::KRB_ERR_RESPONSE_TOO_BIG)(exchange.answer(&answer.bytes));
}

#[test]
fn what_is_decided_is_told_without_secrets() {
    let mut lab = Lab::new();
    let granting = lab.alice();
    let clock = lab.clock();
    let exchange = TgsExchange::new(&granting, ldap(), &clock, &mut lab.random);
    let answer = lab.kdc.answer(exchange.request(), Transport::Tcp, &mut lab.random).unwrap();
    let summary = answer.summary;
    assert_eq!(summary.request, "TGS-REQ");
    assert_eq!(summary.client.as_deref(), Some("Alice"));
    assert_eq!(summary.service.as_deref(), Some("ldap/dc1.corp.example"));
    assert_eq!(summary.error, None);
}
