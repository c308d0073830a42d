//! The control port of `fake-dc serve`, driven by `curl` and by `fake-dc ctl`, its effects seen by
//! clients that know nothing of it.
//!
//! Where curl is missing these tests say so and pass; with `TRUSTRIG_REQUIRE_TOOLS=1` they fail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Command, Output, Stdio},
    time::Duration,
};

use crate::served::Served;
use serde_json::{Value, json};

fn serve(arguments: &[&str]) -> Served {
    Served::start(&[&["--control-port", "0"], arguments].concat())
}

fn url(served: &Served) -> String {
    served.ready()["control"].as_str().unwrap().to_owned()
}

/// How a connection to a port of 127.0.0.10 fails, if it does.
fn knock(port: &Value) -> Result<TcpStream, io::ErrorKind> {
    let port = u16::try_from(port.as_u64().unwrap()).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 10], port));
    TcpStream::connect_timeout(&address, Duration::from_millis(300)).map_err(|error| error.kind())
}

/// Runs curl: the status and what came. `None`, with a word, where it is missing.
fn curl(arguments: &[&str]) -> Option<(u16, Value)> {
    let run = Command::new("curl")
        .args(["--silent", "--noproxy", "*", "--max-time", "20", "--write-out", "\n%{http_code}"])
        .args(arguments)
        .output();
    let Ok(Output { stdout, .. }) = run else {
        let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
        assert!(!required, "curl is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
        eprintln!("SKIPPED: curl is not installed (Debian: apt-get install curl)");
        return None;
    };
    let text = String::from_utf8(stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    Some((status.parse().unwrap(), body))
}

/// Runs `fake-dc ctl`: the exit code, standard output and standard error.
fn ctl(served: &Served, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_fake-dc"))
        .args(["ctl", "--url", &url(served)])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn curl_sets_replaces_adds_removes_and_clears_faults() {
    let served = serve(&[]);
    let (url, dc) = (url(&served), served.dc(0));
    let faults = format!("{url}v1/dcs/dc1/faults");
    let send = |method: &str, path: &str, body: &str| {
        let json = "Content-Type: application/json";
        curl(&["-X", method, "-H", json, "-d", body, path])
    };
    let Some((status, answer)) = send("PUT", &faults, r#"{"faults":["net.refuse@ldaps"]}"#) else {
        return;
    };
    assert_eq!((status, &answer["faults"]), (200, &json!(["net.refuse@ldaps"])));
    assert_eq!(knock(&dc["ldaps"]).unwrap_err(), io::ErrorKind::ConnectionRefused);
    knock(&dc["ldap"]).unwrap();

    let body = r#"{"faults":["net.black-hole@ldap","time.leaf-expired"]}"#;
    let (_, answer) = send("POST", &faults, body).unwrap();
    let all = json!(["net.refuse@ldaps", "net.black-hole@ldap", "time.leaf-expired"]);
    assert_eq!(answer["faults"], all);
    assert_eq!(knock(&dc["ldap"]).unwrap_err(), io::ErrorKind::TimedOut);

    // One listener by itself: its faults are replaced, the others stay.
    let of_ldap = format!("{faults}?listener=ldap");
    let (_, answer) = send("PUT", &of_ldap, r#"{"faults":["net.refuse"]}"#).unwrap();
    let all = json!(["net.refuse@ldaps", "time.leaf-expired", "net.refuse@ldap"]);
    assert_eq!(answer["faults"], all);
    assert_eq!(knock(&dc["ldap"]).unwrap_err(), io::ErrorKind::ConnectionRefused);
    let (_, answer) = curl(&["-X", "DELETE", &of_ldap]).unwrap();
    assert_eq!(answer["faults"], json!(["net.refuse@ldaps", "time.leaf-expired"]));
    knock(&dc["ldap"]).unwrap();

    let (status, _) = curl(&["-X", "DELETE", &format!("{faults}/net.refuse%40ldaps")]).unwrap();
    assert_eq!(status, 200);
    knock(&dc["ldaps"]).unwrap();
    let (_, answer) = curl(&["-X", "DELETE", &faults]).unwrap();
    assert_eq!(answer["faults"], json!([]));
    let (_, answer) = curl(&[&format!("{url}v1/events?after=1")]).unwrap();
    let kinds = answer["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str());
    assert!(kinds.flatten().any(|kind| kind == "fault.cleared"), "{answer}");
}

#[test]
fn curl_opens_a_route_with_a_fault_of_its_own_and_closes_it() {
    let served = serve(&[]);
    let (url, dc) = (url(&served), served.dc(0));
    let route = format!("{url}v1/routes/host1/dc1");
    let Some((status, opened)) = curl(&["-X", "PUT", &route]) else { return };
    assert_eq!((status, &opened["address"]), (200, &json!("127.0.0.10")));
    knock(&opened["ldaps"]).unwrap();
    let json = "Content-Type: application/json";
    let body = r#"{"faults":["net.reset-at-byte:0"]}"#;
    let faults = format!("{route}/faults");
    let (_, answer) = curl(&["-X", "PUT", "-H", json, "-d", body, &faults]).unwrap();
    assert_eq!(answer["ldaps"], opened["ldaps"], "the same ports");
    // A bind without a name; the first byte of the answer is a reset.
    let mut stream = knock(&opened["ldap"]).unwrap();
    stream.write_all(&[0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0]).unwrap();
    let reset = stream.read(&mut [0]).unwrap_err();
    assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    let mut stream = knock(&dc["ldap"]).unwrap();
    stream.write_all(&[0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0]).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 1);

    let (_, domain) = curl(&[&format!("{url}v1/domain")]).unwrap();
    assert_eq!(domain["routes"][0]["faults"], json!(["net.reset-at-byte:0"]));
    assert_eq!(curl(&["-X", "DELETE", &route]).unwrap().0, 200);
    assert_eq!(knock(&opened["ldaps"]).unwrap_err(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn mistakes_are_answered_with_what_would_be_right() {
    let served = serve(&[]);
    let url = url(&served);
    let json = "Content-Type: application/json";
    let path = |path: &str| format!("{url}{path}");
    let faults = path("v1/dcs/dc1/faults");
    let put = |body: &str| curl(&["-X", "PUT", "-H", json, "-d", body, &faults]);
    let Some((status, unknown)) = put(r#"{"faults":["net.refuze"]}"#) else { return };
    assert_eq!((status, &unknown["known"]), (422, &json!(["net.refuse"])));
    assert_eq!(unknown["error"], "`net.refuze` is no fault; did you mean `net.refuse`");
    let (status, no_dc) = curl(&[&path("v1/dcs/dc9")]).unwrap();
    assert_eq!((status, &no_dc["known"]), (404, &json!(["dc1"])));
    assert_eq!(put(r#"{"faults":["net.latency:fast"]}"#).unwrap().0, 422);
    assert_eq!(put(r#"{"faults":["time.leaf-expired@dns"]}"#).unwrap().0, 422);
    assert_eq!(put(r#"{"faults":"net.refuse"}"#).unwrap().0, 400);
    assert_eq!(put(r#"{"fault":["net.refuse"]}"#).unwrap().0, 400);
    assert_eq!(put("net.refuse").unwrap().0, 400);
    let large = format!(r#"{{"faults":["{}"]}}"#, "x".repeat(70_000));
    assert_eq!(put(&large).unwrap().0, 413);
    assert_eq!(curl(&["-X", "PUT", "-d", "{}", &faults]).unwrap().0, 415);
    assert_eq!(curl(&["-X", "PATCH", &faults]).unwrap().0, 405);
    assert_eq!(curl(&[&path("v2/domain")]).unwrap().0, 404);
    assert_eq!(curl(&[&path("v1/dcs/dc1/faults?of=ldap")]).unwrap().0, 400);
    assert_eq!(curl(&["-X", "DELETE", &format!("{faults}/net.refuse")]).unwrap().0, 404);
    assert_eq!(curl(&["-X", "DELETE", &path("v1/routes/host1/dc1")]).unwrap().0, 404);
    let route = path("v1/routes/host1/dc1/faults");
    let body = r#"{"faults":["time.leaf-expired"]}"#;
    assert_eq!(curl(&["-X", "PUT", "-H", json, "-d", body, &route]).unwrap().0, 422);
    // None of this has changed anything.
    let (_, domain) = curl(&[&path("v1/domain")]).unwrap();
    assert_eq!((&domain["dcs"][0]["faults"], &domain["routes"]), (&json!([]), &json!([])));
}

#[test]
fn a_page_in_a_browser_cannot_use_the_port() {
    let served = serve(&[]);
    let domain = format!("{}v1/domain", url(&served));
    let Some((status, _)) = curl(&["-H", "Origin: https://evil.example", &domain]) else { return };
    assert_eq!(status, 403);
    // A name of the attacker's that resolves to 127.0.0.1.
    assert_eq!(curl(&["-H", "Host: evil.example", &domain]).unwrap().0, 403);
    assert_eq!(curl(&["-H", "Host: 127.0.0.1.evil.example:80", &domain]).unwrap().0, 403);
    assert_eq!(curl(&["-H", "Host: localhost:80", &domain]).unwrap().0, 200);
    assert_eq!(curl(&["-H", "Host: [::1]:80", &domain]).unwrap().0, 200);
    assert_eq!(curl(&["-H", "Host;", &domain]).unwrap().0, 403);
}

#[test]
fn ctl_does_the_same_in_words() {
    let served = serve(&["--dcs", "2", "--fault", "dc2=net.latency:1ms"]);
    let said = |arguments: &[&str]| {
        let (code, said, complaint) = ctl(&served, arguments);
        assert_eq!((code, complaint.as_str()), (Some(0), ""), "{arguments:?}");
        said
    };
    let dc = served.dc(0);
    let listed = said(&["list"]);
    assert!(listed.starts_with("corp.example\n  dc1  127.0.0.10  dns "), "{listed}");
    assert!(listed.contains("  dc2  127.0.0.11") && listed.contains("  net.latency:1ms\n"));
    assert!(said(&["faults"]).contains("\nnet.refuse  "));

    assert!(said(&["set", "dc1", "net.refuse", "ldap.busy"]).ends_with("  net.refuse ldap.busy\n"));
    assert_eq!(knock(&dc["ldaps"]).unwrap_err(), io::ErrorKind::ConnectionRefused);
    assert!(said(&["remove", "dc1", "net.refuse"]).ends_with("  ldap.busy\n"));
    knock(&dc["ldaps"]).unwrap();
    said(&["add", "dc1", "net.refuse", "--listener", "ldaps"]);
    assert_eq!(knock(&dc["ldaps"]).unwrap_err(), io::ErrorKind::ConnectionRefused);
    assert!(said(&["clear", "dc1"]).ends_with("  no faults\n"));
    knock(&dc["ldaps"]).unwrap();

    let opened = said(&["--json", "route", "open", "host1", "dc1"]);
    let opened: Value = serde_json::from_str(&opened).unwrap();
    said(&["set", "dc1", "net.refuse", "--route", "host1"]);
    assert_eq!(knock(&opened["ldaps"]).unwrap_err(), io::ErrorKind::ConnectionRefused);
    knock(&dc["ldaps"]).unwrap();
    assert!(said(&["list"]).contains("  host1 → dc1  127.0.0.10  kdc "));
    assert!(said(&["route", "show", "host1", "dc1"]).ends_with("  net.refuse\n"));
    assert_eq!(said(&["route", "close", "host1", "dc1"]), "host1 → dc1  closed\n");
    assert!(said(&["events"]).contains("  dc:dc1  fault.set  {"));

    let (code, _, complaint) = ctl(&served, &["set", "dc9", "net.refuse"]);
    assert_eq!(code, Some(2));
    assert_eq!(complaint, "error: no DC is called `dc9`; the domain has dc1, dc2\n");
    let (code, _, complaint) = ctl(&served, &["set", "dc1", "net.refuze"]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("did you mean `net.refuse`\n  help: "), "{complaint}");
}

#[test]
fn the_port_is_closed_with_the_domain_and_not_open_by_default() {
    assert_eq!(Served::start(&[]).ready().get("control"), None);
    let served = serve(&[]);
    let url = url(&served);
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    // An idle connection does not keep the program from ending.
    let idle = TcpStream::connect(&address).unwrap();
    assert_eq!(served.stop(), Some(0));
    drop(idle);
    assert!(TcpStream::connect(&address).is_err());
    let output = Command::new(env!("CARGO_BIN_EXE_fake-dc"))
        .args(["ctl", "--url", &url, "list"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("--control-port PORT"), "{complaint}");
}

#[tokio::test]
async fn ctl_lets_a_dc_choose_its_certificate_anew() {
    let served = serve(&["--fault", "dc1=store.renewed-not-reloaded"]);
    let leaf = async || {
        let (config, shown) = crate::common::noting();
        let address = SocketAddr::from(([127, 0, 0, 10], served.port(0, "ldaps")));
        crate::common::tls(address, "dc1.corp.example", config).await.unwrap();
        shown.certificates()[0].clone()
    };
    let before = leaf().await;
    assert_eq!(before, leaf().await);
    let (code, _, complaint) = ctl(&served, &["renew", "dc1"]);
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    assert_ne!(before, leaf().await);
}
