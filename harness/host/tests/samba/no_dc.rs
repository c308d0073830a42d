//! The words of the client when there is no DC, a DC that only answers the ping, or a host that
//! is not joined: as captured, and as samba-tls-verify.md §10 lists them.

use sim_host::{Credentials, SambaCommand, Wbinfo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{
    self, DC, Host, Step, assert_same, cldap, cldap_named, dead_address, probe, server, transcript,
};

/// A host whose name server and DC refuse everything.
async fn host_without_dc() -> Host {
    let host = Host::new();
    host.name_server(dead_address().await);
    for port in [389, 636] {
        host.route(port, dead_address().await);
    }
    host
}

/// A host whose DC answers the ping and has `behave` behind 636. Trusts something, so that the
/// configuration is sound.
async fn host_with_ping() -> (Host, support::Datagrams) {
    let host = Host::new();
    let cldap = cldap().await;
    host.route(389, cldap.address);
    host.route(636, dead_address().await);
    host.set("tls verify peer", "no_check");
    (host, cldap)
}

/// Reads the client's greeting, whatever it is.
async fn hello(stream: &mut TcpStream) {
    assert!(stream.read(&mut [0; 4_096]).await.unwrap() > 0);
}

fn lines(stderr: &str) -> Vec<&str> {
    stderr.lines().collect()
}

#[tokio::test]
async fn everything_refuses() {
    let host = host_without_dc().await;
    for (step, command) in transcript!("dc-down").commands() {
        let machine = Credentials::Machine;
        if matches!(&command, SambaCommand::AdsSearch { credentials, .. } if *credentials == machine)
            || matches!(command, SambaCommand::Wbinfo(Wbinfo::NameToSid { .. }))
        {
            continue; // The host of the capture is joined; see samba_dc.rs.
        }
        assert_same(&host.run(command).await, &step);
    }
}

#[tokio::test]
async fn an_unknown_domain() {
    let host = host_without_dc().await;
    for (step, command) in transcript!("unknown-domain").commands() {
        assert_same(&host.run(command).await, &step);
    }
}

#[tokio::test]
async fn a_host_that_has_left() {
    let host = host_without_dc().await;
    let searches = |step: &Step| step.argv.contains(&"--machine-pass".to_owned());
    let steps = transcript!("leave").commands();
    let (step, command) = steps.into_iter().find(|(step, _)| searches(step)).unwrap();
    assert_same(&host.run(command).await, &step);
}

#[tokio::test]
async fn nothing_listens_on_636() {
    let (host, _cldap) = host_with_ping().await;
    let steps = transcript!("ldaps-refused").commands();
    for (step, command) in steps.into_iter().take(2) {
        assert_same(&host.run(command).await, &step);
    }
    assert!(
        host.facts()
            .contains(&r#"tcp.failed {"cause":"refused","dc":"192.0.2.10","port":636}"#.to_owned())
    );
}

#[tokio::test]
async fn the_server_closes_at_once() {
    let (host, _cldap) = host_with_ping().await;
    let (address, _task) = server(|mut stream| async move {
        // The greeting is read, or closing would be a reset.
        hello(&mut stream).await;
        drop(stream);
    })
    .await;
    host.route(636, address);
    let (step, command) = transcript!("closing-server").commands().remove(0);
    assert_same(&host.run(command).await, &step);
}

#[tokio::test]
async fn the_server_sends_an_alert() {
    let (host, _cldap) = host_with_ping().await;
    let (address, heard) = server(|mut stream| async move {
        hello(&mut stream).await;
        stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        rest
    })
    .await;
    host.route(636, address);
    let (step, command) = transcript!("alerting-server-tls13-only").commands().remove(0);
    assert_same(&host.run(command).await, &step);
    assert_eq!(heard.await.unwrap(), [0x30, 5, 2, 1, 1, 0x42, 0], "an unbind in clear text");
}

#[tokio::test]
async fn what_answers_is_no_tls() {
    let (host, _cldap) = host_with_ping().await;
    let (address, _task) = server(|mut stream| async move {
        hello(&mut stream).await;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream.read_to_end(&mut Vec::new()).await
    })
    .await;
    host.route(636, address);
    let output = host.run(probe()).await;
    assert_eq!(
        lines(&output.stderr),
        [
            "Registered MSG_REQ_DMALLOC_MARK and LOG_CHANGED",
            "tstream_tls_sync_setup: GNUTLS ERROR: GNUTLS_E_UNEXPECTED_PACKET, NTSTATUS: \
             NT_STATUS_INTERNAL_ERROR at source4/lib/tls/tls_tstream.c:1877",
            "ads_startup_int: ads_connect_creds: An internal error occurred.",
            "return code = -1",
        ]
    );
}

#[tokio::test]
async fn a_reset_and_silence_are_the_same_to_the_client() {
    let (host, _cldap) = host_with_ping().await;
    let pull_error = "tstream_tls_sync_setup: GNUTLS ERROR: GNUTLS_E_PULL_ERROR, NTSTATUS: \
                      NT_STATUS_INTERNAL_ERROR at source4/lib/tls/tls_tstream.c:1877";
    let (address, _task) = server(|stream| async move {
        // Data that nobody has read turns closing into a reset.
        stream.readable().await.unwrap();
        drop(stream);
    })
    .await;
    host.route(636, address);
    assert_eq!(lines(&host.run(probe()).await.stderr)[1], pull_error);

    let (address, _task) = server(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    host.route(636, address);
    assert_eq!(lines(&host.run(probe()).await.stderr)[1], pull_error);
    let silent = host.facts().into_iter().rfind(|fact| fact.starts_with("tls.failed")).unwrap();
    assert!(silent.contains(r#""real_seconds":2"#), "{silent}");
}

#[tokio::test]
async fn a_configuration_that_trusts_nothing() {
    let (host, _cldap) = host_with_ping().await;
    let (address, heard) = server(|mut stream| async move {
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.unwrap();
        heard
    })
    .await;
    host.route(636, address);
    host.set("tls verify peer", "ca_only");
    let output = host.run(probe()).await;
    assert_eq!(
        lines(&output.stderr)[1..],
        [
            "TLS: 'tls verify peer = ca_only' requires 'tls trust system cas', 'tls ca \
             directories' or 'tls cafile'",
            "ads_startup_int: ads_connect_creds: An invalid combination of parameters was \
             specified.",
            "return code = -1",
        ]
    );
    assert_eq!(heard.await.unwrap(), [0x30, 5, 2, 1, 1, 0x42, 0], "an unbind, and no TLS at all");
}

#[tokio::test]
async fn a_name_that_makes_no_uri() {
    let host = Host::new();
    let cldap = cldap_named(b"\x0bdc1 example\x00").await;
    host.route(389, cldap.address);
    let (address, _task) = server(|stream| async move { drop(stream) }).await;
    host.route(636, address);
    let output = host.run(probe()).await;
    assert_eq!(
        lines(&output.stderr)[1..3],
        [
            "Could not initialize connection for LDAP server 'ldap://dc1 example:636': Bad \
             parameter to an ldap routine",
            "ads_startup_int: ads_connect_creds: Operations error",
        ]
    );
}

#[tokio::test]
async fn the_ping_is_printed_as_captured() {
    let (host, _cldap) = host_with_ping().await;
    let steps = transcript!("kdc-refused").commands();
    let (step, command) =
        steps.into_iter().find(|(step, _)| step.argv[..3] == ["net", "ads", "lookup"]).unwrap();
    assert_same(&host.run(command).await, &step);
}

#[tokio::test]
async fn a_dc_that_falls_silent_costs_what_the_real_program_spends() {
    let host = Host::new();
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    host.route(389, silent.local_addr().unwrap());
    let output = host.run(SambaCommand::AdsLookup { server: DC }).await;
    assert!(output.stderr.contains("Didn't find the cldap server!"));
    assert_eq!(
        host.facts(),
        [
            r#"cldap.asked {"dc":"192.0.2.10"}"#,
            r#"cldap.answered {"dc":"192.0.2.10","outcome":"no answer","real_seconds":15}"#,
        ]
    );
}

#[tokio::test]
async fn lower_debug_levels_say_less() {
    let host = host_without_dc().await;
    let output = host.run_at(0, probe()).await;
    assert_eq!(
        output.stderr,
        "ads_startup_int: ads_connect_creds: No logon servers are currently available to service \
         the logon request.\n"
    );
    assert_eq!(host.run_at(1, probe()).await.stderr.lines().count(), 2);
}
