//! The model on the wire: what it offers in TLS, what it asks in LDAP, and replies no DC gives.

use fake_dc_directory::Flavour;
use ground::Secret;
use ldap_wire::{
    Attribute, BindResponse, Decoded, LdapMessage, LdapResult, Limits, ProtocolOp,
    SearchResultEntry, decode,
};
use proptest::{prelude::*, test_runner::TestRunner};
use sim_host::{Output, SambaCommand};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    support::{self, Host, administrator, probe, scripted_dc},
    world::World,
};

fn fact<'a>(facts: &'a [String], kind: &str) -> &'a str {
    facts.iter().rfind(|fact| fact.starts_with(kind)).unwrap_or_else(|| panic!("no {kind}"))
}

#[tokio::test]
async fn the_priority_string_and_the_mode_shape_the_hello() {
    let world = World::sound().await;
    let host = world.host();
    assert!(host.run(probe()).await.succeeded());
    let facts = host.facts();
    let finished = fact(&facts, "tls.finished");
    assert!(finished.contains(r#""version":"TLSv1_2""#), "{finished}");
    assert!(finished.contains(r#""suite":"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384""#), "{finished}");
    assert!(finished.contains(r#""sni":null"#), "{finished}");

    host.set("tls priority", "NORMAL");
    host.set("tls verify peer", "ca_and_name");
    assert!(host.run(probe()).await.succeeded());
    let facts = host.facts();
    let finished = fact(&facts, "tls.finished");
    assert!(finished.contains(r#""version":"TLSv1_3""#), "{finished}");
    assert!(finished.contains(r#""sni":"dc1.lab.example""#), "{finished}");

    host.set("tls priority", "NORMAL:+NONSENSE");
    let output = host.run(probe()).await;
    let error = "tstream_tls_prepare_gnutls: GNUTLS ERROR: GNUTLS_E_INVALID_REQUEST, NTSTATUS: \
                 NT_STATUS_INVALID_VARIANT at source4/lib/tls/tls_tstream.c:1234";
    assert!(output.stderr.contains(error), "{}", output.stderr);
}

#[tokio::test]
async fn xapis_priority_meets_servers_that_cannot() {
    let world = World::sound().await;
    let host = world.host();
    for (fault, error) in [
        ("algorithm.ecdsa-p256", "GNUTLS_E_FATAL_ALERT_RECEIVED"),
        ("handshake.tls13-only", "GNUTLS_E_FATAL_ALERT_RECEIVED"),
        ("handshake.no-common-cipher", "GNUTLS_E_FATAL_ALERT_RECEIVED"),
        ("handshake.no-common-group", "GNUTLS_E_FATAL_ALERT_RECEIVED"),
        ("handshake.close-after-certificate", "GNUTLS_E_PREMATURE_TERMINATION"),
        ("handshake.reset-on-hello", "GNUTLS_E_PULL_ERROR"),
        ("handshake.http-on-636", "GNUTLS_E_UNEXPECTED_PACKET"),
        ("profile.key-usage-without-signature", "GNUTLS_E_KEY_USAGE_VIOLATION"),
    ] {
        world.domain.set_faults("dc1", [fault]).unwrap();
        let output = host.run(probe()).await;
        let line = format!("tstream_tls_sync_setup: GNUTLS ERROR: {error}, NTSTATUS: ");
        assert!(output.stderr.contains(&line), "{fault}: {}", output.stderr);
        assert!(output.stderr.contains("ads_connect_creds: An internal error occurred."));
    }
}

#[tokio::test]
async fn start_tls_is_judged_like_ldaps() {
    let world = World::sound().await;
    let host = world.host();
    host.set("client ldap sasl wrapping", "starttls");
    assert!(host.run(probe()).await.succeeded());
    let facts = host.facts();
    let to_ldap =
        |fact: &String| fact.starts_with("tcp.connecting") && fact.contains(r#""port":389"#);
    assert!(facts.iter().any(to_ldap));
    world.domain.set_faults("dc1", ["time.leaf-expired"]).unwrap();
    assert!(host.run(probe()).await.stderr.contains("status 0x402 (invalid expired )"));
    // What is said in clear behind the answer to StartTLS is the first that GnuTLS reads.
    world.domain.set_faults("dc1", ["handshake.starttls-injected-data"]).unwrap();
    let output = host.run(probe()).await;
    assert!(output.stderr.contains("GNUTLS_E_UNEXPECTED_PACKET"), "{}", output.stderr);
}

#[tokio::test]
async fn a_damaged_record_has_a_status_of_its_own() {
    let world = World::with(&[&["handshake.damaged-record"]]).await;
    let output = world.host().run(probe()).await;
    let line =
        "GNUTLS ERROR: GNUTLS_E_DECRYPTION_FAILED, NTSTATUS: NT_STATUS_DECRYPTION_FAILED at ";
    assert!(output.stderr.contains(line), "{}", output.stderr);
    assert!(output.stderr.contains("ads_connect_creds: The file decryption attempt failed.\n"));
}

#[tokio::test]
async fn a_rejected_dc_hears_an_unbind_in_clear_text() {
    let world = World::with(&[&["time.leaf-expired"]]).await;
    let host = world.host();
    assert!(!host.run(probe()).await.succeeded());
    let garbage = world.ledger.wait_for(|event| event.kind() == "dc.garbage").await;
    assert_eq!(garbage.fields()["layer"], "tls", "seven bytes that are no TLS record");
}

#[tokio::test]
async fn all_pages_are_asked_for() {
    let mut users = String::new();
    for number in 0..2_500 {
        users.push_str(&format!(
            "dn: CN=user{number},CN=Users,DC=lab,DC=example\nobjectClass: user\n\
             sAMAccountName: user{number}\ndepartment: paged\n\n"
        ));
    }
    let world = World::of_entries(Flavour::WindowsServer2022, &users).await;
    let host = world.host();
    let output = host
        .run(SambaCommand::AdsSearch {
            server: support::DC.into(),
            credentials: administrator(),
            filter: "(department=paged)".into(),
            attributes: vec!["sAMAccountName".into()],
        })
        .await;
    assert!(output.stdout.starts_with("Got 2500 replies\n\n"), "{:.200}", output.stdout);
    let pages = world.ledger.events().into_iter().filter(|event| event.kind() == "ldap.request");
    let searches = pages.filter(|event| format!("{:?}", event.fields()).contains("paged"));
    assert_eq!(searches.count(), 3);
}

#[tokio::test]
async fn searches_that_fail() {
    let world = World::sound().await;
    let host = world.host();
    let search = |filter: &str| SambaCommand::AdsSearch {
        server: support::DC.into(),
        credentials: administrator(),
        filter: filter.into(),
        attributes: vec!["objectSid".into()],
    };
    let output = host.run(search("(name=nobody)")).await;
    assert_eq!((&*output.stdout, output.exit), ("Got 0 replies\n\n", 0));
    let output = host.run(search("(name=")).await;
    assert!(output.stderr.contains("search failed: Bad search filter\n"), "{}", output.stderr);
    host.set("realm", "other.example");
    let output = host.run(search("(name=krbtgt)")).await;
    assert_eq!(output.exit, 255, "the domain is not there: {output:?}");
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn a_dc_that_closes_after_tls() {
    let world = World::sound().await;
    let host = world.host();
    world.domain.set_faults("dc1", ["ldap.close-after-bind"]).unwrap();
    let output = host.run(probe()).await;
    assert!(output.stderr.contains("search failed: Time limit exceeded\n"));
    world.domain.set_faults("dc1", ["ldap.busy"]).unwrap();
    let output = host.run(probe()).await;
    assert!(output.stderr.contains("ads_startup_int: ads_connect_creds: Server is busy\n"));
}

#[tokio::test]
async fn a_join_goes_where_it_is_told() {
    let unit = "dn: OU=Hosts,DC=lab,DC=example\nobjectClass: organizationalUnit\nou: Hosts\n";
    let world = World::of_entries(Flavour::Samba4_22, unit).await;
    let host = world.host();
    let join = |ou: &str| SambaCommand::AdsJoin {
        domain: "lab.example".into(),
        user: "Administrator".into(),
        password: Secret::new("Passw0rd!Lab1"),
        netbios_name: "XS7".into(),
        server: None,
        ou: Some(ou.into()),
        dns_hostname: Some("xs7.hosts.example".into()),
    };
    let output = host.run(join("Nowhere")).await;
    assert_eq!(
        output.stdout,
        "Failed to join domain: failed to precreate account in ou Nowhere: No such object\n"
    );
    let output = host.run(join("Hosts")).await;
    assert!(output.succeeded(), "{output:?}");
    let facts = host.facts();
    let added = facts.iter().find(|fact| fact.contains(r#""change":"add""#)).unwrap();
    assert!(added.contains(r#""dn":"CN=XS7,ou=Hosts,dc=LAB,dc=EXAMPLE""#), "{added}");
    assert!(!facts.iter().any(|fact| fact.contains("Passw0rd")), "no fact holds a password");
    let secrets = host.root.real_path("/var/lib/samba/private/secrets.json").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&secrets.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

/// Answers each request with the next of `replies`, whatever was asked, then closes.
async fn reply_with(mut stream: TcpStream, replies: Vec<Vec<u8>>) {
    let mut received = Vec::new();
    for reply in replies {
        loop {
            match decode(&received, &Limits::default()) {
                Ok(Decoded::Message { consumed, .. }) => {
                    received.drain(..consumed);
                    break;
                }
                _ if stream.read_buf(&mut received).await.unwrap_or(0) == 0 => return,
                _ => {}
            }
        }
        if stream.write_all(&reply).await.is_err() {
            return;
        }
    }
}

/// A host that speaks plain LDAP with a DC that pings well and then says `replies`.
async fn probe_scripted_dc(replies: Vec<Vec<u8>>) -> Output {
    let host = Host::new();
    host.set("client ldap sasl wrapping", "seal");
    let (cldap, task) = scripted_dc(|stream| reply_with(stream, replies)).await;
    host.route(389, cldap.address);
    let output = host.run(probe()).await;
    task.abort();
    output
}

fn message(id: u32, op: ProtocolOp) -> Vec<u8> {
    LdapMessage::new(id, op).encode()
}

fn done(id: u32) -> Vec<u8> {
    message(id, ProtocolOp::SearchResultDone(LdapResult::success()))
}

fn bound(id: u32) -> Vec<u8> {
    message(id, ProtocolOp::BindResponse(BindResponse::default()))
}

#[tokio::test]
async fn replies_that_are_none() {
    for (replies, text) in [
        // Closed at the first question.
        (vec![], "ads_startup_int: ads_connect_creds: Time limit exceeded"),
        // An answer without the time.
        (vec![done(1)], "ads_startup_int: ads_connect_creds: No results returned"),
        // The wrong kind of answer.
        (vec![bound(1)], "ads_startup_int: ads_connect_creds: Time limit exceeded"),
        // No LDAP.
        (vec![b"HTTP/1.1 400\r\n\r\n".to_vec()], "Time limit exceeded"),
        (vec![vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]], "Time limit exceeded"),
    ] {
        let output = probe_scripted_dc(replies).await;
        assert!(output.stderr.contains(text), "{text}: {}", output.stderr);
        assert_eq!((output.exit, &*output.stdout), (255, ""));
    }
    // An answer to another question is passed over: the next thing missed is a KDC.
    let time = Attribute::new("currentTime", ["20261122000000.0Z"]);
    let entry = SearchResultEntry { dn: String::new(), attributes: vec![time] };
    let entry = message(1, ProtocolOp::SearchResultEntry(entry));
    let output = probe_scripted_dc(vec![[done(77), entry, done(1)].concat()]).await;
    assert!(output.stderr.contains("Cannot contact any KDC"), "{}", output.stderr);
}

/// Whatever comes, the program ends and says something.
#[test]
fn any_reply_is_read_or_refused() {
    let entry = SearchResultEntry {
        dn: String::new(),
        attributes: vec![Attribute::new("objectSid", [[1, 5, 0]]), Attribute::new("x", [""; 0])],
    };
    let good = vec![
        done(1),
        bound(2),
        [message(3, ProtocolOp::SearchResultEntry(entry)), done(3)].concat(),
    ];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let junk = prop::collection::vec(any::<u8>(), 0..60);
    let strategy = (0..3_usize, any::<prop::sample::Index>(), any::<u8>(), junk);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) };
    TestRunner::new(config)
        .run(&strategy, |(reply, at, byte, junk)| {
            let mut changed = good.clone();
            let at = at.index(changed[reply].len());
            changed[reply][at] = byte;
            // The server closes after it, so that nobody waits for the rest of a message.
            changed.truncate(reply + 1);
            changed[reply].extend(junk);
            let output = runtime.block_on(probe_scripted_dc(changed));
            prop_assert!(output.exit == 0 || output.stderr.lines().count() > 1);
            Ok(())
        })
        .unwrap();
}
