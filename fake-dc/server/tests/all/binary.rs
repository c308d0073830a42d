//! The program `fake-dc` from outside: its lines, its end, its complaints.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::served::Served;
use rustix::process::Signal;
use serde_json::Value;

fn fake_dc(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-dc"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn failed(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = fake_dc(arguments).output().unwrap();
    assert_eq!(String::from_utf8(stdout).unwrap(), "");
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn serve_says_where_the_dcs_are_and_leaves_nothing_behind() {
    for signal in [Signal::TERM, Signal::INT] {
        let served = Served::start(&["--dcs", "2", "--fault", "dc2=time.leaf-expired"]);
        let [dc1, dc2, ready] = &served.lines[..] else { panic!("{:?}", served.lines) };
        assert_eq!(dc1["name"], "dc1");
        assert_eq!(dc1["dns_name"], "dc1.corp.example");
        assert_eq!(dc1["address"], "127.0.0.10");
        assert_eq!(dc1["url"], format!("ldaps://127.0.0.10:{}", dc1["ldaps"]));
        assert_eq!(dc2["address"], "127.0.0.11");
        assert_eq!(dc2["faults"], serde_json::json!(["time.leaf-expired"]));
        assert_eq!(ready["version"], 1);
        let ca_file = dc1["ca_file"].as_str().unwrap().to_owned();
        let pem = std::fs::read_to_string(&ca_file).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
        let address = ("127.0.0.10", served.port(0, "ldap"));
        TcpStream::connect(address).unwrap();

        assert_eq!(served.stop_with(signal), Some(0));
        assert!(TcpStream::connect(address).is_err());
        assert!(!Path::new(&ca_file).parent().unwrap().exists());
    }
}

#[test]
fn serve_uses_the_ports_folder_and_files_that_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let (ca_dir, events) = (folder.path().join("ca"), folder.path().join("events.jsonl"));
    let arguments = |port: String| {
        [
            "--ldaps-port".to_owned(),
            port,
            "--ca-dir".to_owned(),
            ca_dir.display().to_string(),
            "--events".to_owned(),
            events.display().to_string(),
            "--health-port".to_owned(),
            "0".to_owned(),
        ]
    };
    let first = Served::start(&arguments("0".to_owned()).each_ref().map(String::as_str));
    let port = first.port(0, "ldaps");
    assert_eq!(first.stop(), Some(0));

    // The port is free again, and can be asked for.
    let again = Served::start(&arguments(port.to_string()).each_ref().map(String::as_str));
    assert_eq!(again.port(0, "ldaps"), port);
    assert!(ca_dir.join("corp.example-ca.pem").exists());
    let health = again.lines.last().unwrap()["health"].as_str().unwrap().to_owned();
    let asked = |request: &str| {
        let address = health.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        format!("{} {}", head.lines().next().unwrap(), body.trim_end())
    };
    insta::assert_snapshot!(
        ["GET /livez", "GET /readyz", "GET /", "HEAD /readyz", "GET /x", "POST /"].map(asked).join("\n"),
        @r#"
    HTTP/1.1 200 OK {"live":true}
    HTTP/1.1 200 OK {"live":true,"ready":true}
    HTTP/1.1 200 OK {"live":true,"ready":true}
    HTTP/1.1 200 OK 
    HTTP/1.1 404 Not Found {"error":"no such path: /x; there are /livez and /readyz"}
    HTTP/1.1 405 Method Not Allowed {"error":"POST is not understood; use GET"}
    "#
    );
    TcpStream::connect(("127.0.0.10", again.port(0, "ldap"))).unwrap();

    let (code, complaint) =
        failed(&["serve", "--domain", "corp.example", "--ldaps-port", &port.to_string()]);
    assert_eq!(code, Some(2));
    assert_eq!(
        complaint.replace(&port.to_string(), "PORT"),
        "error: LDAPS of dc1 cannot listen on 127.0.0.10:PORT: Address already in use (os error \
         98)\n  help: stop what listens there (`ss -lntup | grep PORT`), or leave the port out to \
         let the system choose\n"
    );

    assert_eq!(again.stop(), Some(0));
    assert!(!ca_dir.exists());
    let events = std::fs::read_to_string(&events).unwrap();
    let head: Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    assert_eq!((&head["format"], &head["version"]), (&"fake-dc-events".into(), &1.into()));
    assert!(events.contains(r#""kind":"dc.connection""#), "{events}");
}

/// The program without the right to open ports below 1024, which root has otherwise.
fn unprivileged(arguments: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"]);
    command.arg(env!("CARGO_BIN_EXE_fake-dc")).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn the_standard_ports_are_taken_where_they_may_be_had() {
    if !rustix::process::getuid().is_root() || !crate::common::tools::are_here(&["setpriv"]) {
        return;
    }
    let serve = ["--domain", "corp.example", "--address", "127.0.77.10"];
    let first = Served::start_just(&serve);
    assert_eq!(first.ready()["standard_ports"], true);
    let ports = ["dns", "kdc", "ldap", "ldaps", "gc", "gcs"].map(|service| first.port(0, service));
    assert_eq!(ports, [53, 88, 389, 636, 3268, 3269]);

    // Somebody has them already.
    let second = Served::start_just(&serve);
    assert_eq!(second.ready()["standard_ports"], false);
    assert_ne!(second.port(0, "ldaps"), 636);
    insta::assert_snapshot!("standard_ports_in_use", second.stop_and_hear());
    assert_eq!(first.stop(), Some(0));

    let denied = [&["serve", "--dcs", "2"], &serve[..]].concat();
    let third = Served::start_command(unprivileged(&denied));
    assert_eq!(third.ready()["standard_ports"], false);
    insta::assert_snapshot!("standard_ports_denied", third.stop_and_hear());
    let content = [&denied[..], &["--ports", "system"]].concat();
    assert_eq!(Served::start_command(unprivileged(&content)).stop_and_hear(), "");

    let strict = [&denied[..], &["--ports", "standard"]].concat();
    let output = unprivileged(&strict).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!("standard_ports_or_none", String::from_utf8(output.stderr).unwrap());
}

#[test]
fn mistakes_are_named_with_their_remedy_and_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let no_pem = file("chain.pem", "hello\n");
    let bad_ldif = file("bad.ldif", "dn: DC=corp,DC=example\nobjectClass top\n");
    let missing = folder.path().join("missing.ldif").display().to_string();
    let serve = ["serve", "--domain", "corp.example"];
    let cases: [(&str, &[&str]); 8] = [
        ("misspelt_fault", &["--fault", "dc1=time.leaf-expird"]),
        ("fault_of_an_unknown_dc", &["--fault", "dc2=time.leaf-expired"]),
        ("missing_ldif", &["--ldif", &missing]),
        ("bad_ldif", &["--ldif", &bad_ldif]),
        ("chain_without_key", &["--chain", &no_pem]),
        ("chain_that_is_none", &["--chain", &no_pem, "--key", &no_pem]),
        ("address_of_another_machine", &["--address", "192.0.2.1"]),
        ("too_many_dcs", &["--dcs", "201"]),
    ];
    for (name, arguments) in cases {
        let (code, complaint) = failed(&[&serve[..], arguments].concat());
        assert_eq!(code, Some(2), "{name}: {complaint}");
        let complaint = complaint.replace(&folder.path().display().to_string(), "[folder]");
        insta::assert_snapshot!(name, complaint);
    }
    let (code, complaint) = failed(&["serve", "--domain", "corp..example"]);
    assert_eq!(code, Some(2));
    insta::assert_snapshot!("bad_domain_name", complaint);
}

#[tokio::test]
async fn a_given_chain_is_shown_with_its_key() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/oracle/ad-dc-template");
    let (chain, key) = (format!("{sample}/chain.pem"), format!("dc2={sample}/server.key"));
    let served = Served::start(&["--dcs", "2", "--chain", &format!("dc2={chain}"), "--key", &key]);
    let (config, shown) = crate::common::noting();
    let address = format!("127.0.0.11:{}", served.port(1, "ldaps")).parse().unwrap();
    crate::common::tls(address, "dc2.corp.example", config).await.unwrap();
    let file = std::fs::read_to_string(chain).unwrap();
    assert_eq!(shown.certificates().len(), file.matches("BEGIN CERTIFICATE").count());
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn faults_lists_the_catalogue() {
    let output = fake_dc(&["faults"]).output().unwrap();
    assert!(output.status.success());
    let listed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(listed.lines().count(), fake_dc::faults::catalogue().len());
    assert!(listed.contains("\ntime.leaf-expired "), "{listed}");
}
