//! `trustrig faults` as its users meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::process::{Command, Output};

use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trustrig")).arg("faults").args(arguments).output().unwrap()
}

#[track_caller]
fn stdout(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_list_has_a_line_for_each_fault_of_the_json() {
    let listed = stdout(&[]);
    let json: Value = serde_json::from_str(&stdout(&["--json"])).unwrap();
    assert_eq!(json["version"], 1);
    let faults = json["faults"].as_array().unwrap();
    assert_eq!(faults.len(), listed.lines().count());
    for (fault, line) in faults.iter().zip(listed.lines()) {
        assert!(line.starts_with(fault["id"].as_str().unwrap()), "{line}");
        for key in ["summary", "cause", "drawing"] {
            assert!(!fault[key].as_str().unwrap().is_empty(), "{fault}");
        }
    }
    let places = |id: &str| {
        let fault = faults.iter().find(|fault| fault["id"] == id).unwrap();
        fault["places"].to_string()
    };
    assert_eq!(places("net.refuse"), r#"["dc","route"]"#);
    assert_eq!(places("time.leaf-expired"), r#"["dc"]"#);
    assert_eq!(places("anchor.empty-bundle"), r#"["host"]"#);
}

#[test]
fn one_fault_is_explained_for_people_and_programs() {
    let text = stdout(&["show", "anchor.unknown-root@ldaps"]);
    assert!(text.starts_with("anchor.unknown-root@ldaps: the chain leads to a root"), "{text}");
    assert!(text.contains("LDAP, sealed: success"), "{text}");
    assert!(text.contains("LDAPS once its own root is installed: accept"), "{text}");

    let json: Value =
        serde_json::from_str(&stdout(&["show", "anchor.unknown-root@ldaps", "--json"])).unwrap();
    assert_eq!((&json["version"], &json["id"]), (&1.into(), &"anchor.unknown-root".into()));
    let attempts = json["attempts"].as_array().unwrap();
    let of = |wrapping: &str, mode: &str, trusts: &str| {
        attempts
            .iter()
            .find(|a| a["wrapping"] == wrapping && a["mode"] == mode && a["trusts"] == trusts)
            .unwrap()
    };
    let strict = of("ldaps", "ca_and_name", "domain-root");
    assert_eq!((&strict["class"], &strict["status"]), (&"reject".into(), &"0x42".into()));
    assert_eq!(strict["xapi"]["code"], "AUTH_INVALID_TRUSTED_CERTS");
    assert_eq!(of("ldaps", "no_check", "domain-root")["class"], "accept");
    assert_eq!(of("starttls", "ca_and_name_if_available", "domain-root")["class"], "accept");
}

#[test]
fn what_is_no_fault_is_wrong_input_with_its_neighbours() {
    for (fault, complaint) in [
        ("time.leaf-expird", "`time.leaf-expird` is no fault; did you mean `time.leaf-expired`"),
        ("net.refuse:5s", "`net.refuse` takes no value"),
        ("anchor.empty-bundle@ldap", "a fault of a host, which has no listeners"),
        ("net.latency:soon", "`soon` is no value of `net.latency`"),
    ] {
        let refused = run(&["show", fault]);
        let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(complaint), "{stderr}");
        assert!(stderr.contains("help: `trustrig faults` lists all faults"), "{stderr}");
        assert!(refused.stdout.is_empty());
    }
}
