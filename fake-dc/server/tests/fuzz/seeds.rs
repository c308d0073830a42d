//! Where the seeds of the corpus come from: captures of a Samba AD DC, and our own clients.

use std::fs;

use fake_dc_kerberos::{
    AsExchange, ClientSecret, Principal, PrincipalName, TgsExchange, frame,
    gss::{Acceptor, GssFlags, Initiator, InitiatorConfig, Mechanism, SecurityLayer},
};
use ground::{Secret, Seed};
use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::aws_lc_rs};
use serde_json::Value;

use crate::{
    folder,
    input::TARGETS,
    lab::{Lab, PASSWORD, REALM, ldap},
};

/// Writes them all (`TRUSTRIG_WRITE_CORPUS=1`).
pub(crate) fn write() {
    let pdus = captured("ldap-pdus.json");
    let of_session = |case: &Value| -> Vec<u8> {
        let exchanges = case["exchanges"].as_array().unwrap();
        exchanges.iter().flat_map(|exchange| bytes(&exchange["request"])).collect()
    };
    for case in pdus.iter().step_by(3) {
        let (name, requests) = (case["name"].as_str().unwrap(), of_session(case));
        seed("ldap_message", name, &requests);
        // With and without a logon, of both flavours, within and without TLS.
        let kind = u8::try_from(name.len() % 16).unwrap();
        seed("session", name, &[&[kind], &requests[..]].concat());
    }
    for case in pdus.iter().skip(1).step_by(9) {
        let name = case["name"].as_str().unwrap();
        seed("connection", &format!("ldap-{name}"), &[&[0], &of_session(case)[..]].concat());
    }
    for (name, text) in [
        ("equal", "(sAMAccountName=krbtgt)"),
        (
            "nested",
            r"(&(|(cn=a*b*c)(!(objectClass=*)))(whenCreated>=20260101000000.0Z)(a<=b)(c~=d))",
        ),
        ("rule", "(userAccountControl:1.2.840.113556.1.4.803:=2)"),
        ("dn-rule", "(cn:dn:2.5.13.2:=x)"),
        ("escaped", r"(objectGUID=\00\ff\2a\28\29\5c)"),
    ] {
        seed("filter_text", name, text.as_bytes());
    }
    for (name, text) in [
        ("user", "CN=Alice Example,CN=Users,DC=corp,DC=example"),
        ("escaped", r"CN=a\,b\+c\22\20,OU=\C3\A9 ,DC=x"),
        ("deleted", "CN=x\\0ADEL:1b2c3d4e-0000-4000-8000-000000000000,CN=Deleted Objects,DC=x"),
        ("quoted", "OID.2.5.4.3=\"a, b\",DC=x"),
    ] {
        seed("dn", name, text.as_bytes());
    }
    seed("ldif", "entries", LDIF.as_bytes());

    for (kind, file) in [(0_u8, "cldap.json"), (2, "dns.json")] {
        for case in captured(file).iter().step_by(5) {
            let name =
                format!("{kind}-{}", case["name"].as_str().unwrap().replace(['.', ' '], "-"));
            seed("datagram", &name, &[&[kind], &bytes(&case["request"])[..]].concat());
        }
    }
    kerberos();
    hellos();
}

fn kerberos() {
    let mut lab = Lab::new();
    lab.random = Seed::new(7).stream("fuzz");
    let clock = lab.clock();
    let client = Principal { name: PrincipalName::account("alice"), realm: REALM.to_owned() };
    let secret = ClientSecret::Password(Secret::new(PASSWORD));
    let exchange = AsExchange::new(client, secret, clock.clone(), &mut lab.random);
    seed("datagram", "1-as-req", &[&[1], exchange.request()].concat());
    seed("connection", "kdc-as-req", &[&[3], &frame(exchange.request())[..]].concat());
    seed("kerberos_answer", "preauthentication-required", &lab.ask(exchange.request()));

    let granting = lab.alice();
    let exchange = TgsExchange::new(&granting, ldap(), &clock, &mut lab.random);
    seed("datagram", "1-tgs-req", &[&[1], exchange.request()].concat());
    let ticket = lab.ldap_ticket();
    for (name, mechanism) in [("spnego", Mechanism::GssSpnego), ("krb5", Mechanism::Gssapi)] {
        let config = InitiatorConfig { mechanism, flags: GssFlags::MUTUAL, bindings: None };
        let initiator = Initiator::new(ticket.clone(), config, &clock, &mut lab.random);
        seed("gss_token", name, initiator.initial());
    }
    let config =
        InitiatorConfig { mechanism: Mechanism::Gssapi, flags: GssFlags::MUTUAL, bindings: None };
    // The context of the target: made with the same numbers.
    let mut lab = Lab::new();
    let granting = lab.alice();
    let ticket = lab.ticket(&granting, ldap()).unwrap();
    lab.random = Seed::new(7).stream("fuzz");
    let initiator = Initiator::new(ticket, config, &clock, &mut lab.random);
    let accepted = Acceptor::new(lab.acceptor()).accept(initiator.initial(), &mut lab.random);
    let context = initiator.finish(accepted.unwrap().token.as_deref()).unwrap();
    let frame = SecurityLayer::new(context, true).protect(b"a search", &mut lab.random);
    seed("sasl_frame", "sealed", &frame);
}

/// The hello of rustls, to every DC of the target that can be asked so.
fn hellos() {
    for (name, version) in [("tls12", &rustls::version::TLS12), ("tls13", &rustls::version::TLS13)]
    {
        let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let server = "dc1.corp.example".try_into().unwrap();
        let mut client = ClientConnection::new(config.into(), server).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        seed("client_hello", name, &hello);
        // LDAPS of the first and the last DC: rustls, and our own server.
        for kind in [1, 21] {
            seed("connection", &format!("{name}-{kind}"), &[&[kind], &hello[..]].concat());
        }
    }
}

const LDIF: &str = "\
version: 1

# An entry with a folded line, base64 and an option.
dn: CN=Alice Example,CN=Users,DC=corp,DC=example
objectClass: user
sAMAccountName: alice
description: one line
  and its end
displayName:: QWxpY2U=

dn:: Q049Qm9iLENOPVVzZXJzLERDPWNvcnAsREM9ZXhhbXBsZQ==
objectClass: user
sAMAccountName: bob
";

fn seed(target: &str, name: &str, bytes: &[u8]) {
    let (_, take) = TARGETS.iter().find(|(known, _)| *known == target).unwrap();
    // Some captures are of what a DC refuses.
    if !take(bytes) {
        return;
    }
    fs::create_dir_all(folder(target)).unwrap();
    fs::write(folder(target).join(format!("seed-{name}")), bytes).unwrap();
}

fn captured(file: &str) -> Vec<Value> {
    let path = format!("{}/../../fixtures/samba-ad/wire/{file}", env!("CARGO_MANIFEST_DIR"));
    let captured: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    captured["cases"].as_array().unwrap().clone()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap_or_default();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
