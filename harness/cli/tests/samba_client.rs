//! The bundled scenarios with the real programs of Samba 4.22: the same result as with the model.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use sim_host::real;

/// Cases that must give the same result. Fewer cannot, by a rule; some need longer than
/// [`PATIENCE`].
const HELD_AT_LEAST: usize = 45;

const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");

/// Seconds that a program may take here: most silences cost it more.
const PATIENCE: &str = "11";

#[test]
fn bundled_scenarios_give_the_same_result_with_the_real_programs() {
    if let Some(lacking) = real::unavailable() {
        let required = env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
        let remedy = lacking.remedy();
        assert!(!required, "{lacking}, and TRUSTRIG_REQUIRE_TOOLS is set; help: {remedy}");
        eprintln!("SKIPPED: {lacking} ({remedy})");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let events = |who: &str| folder.path().join(who);
    let model = run("model", &[SCENARIOS.into()], &["--filter", "@landed"], &events("model"));
    assert!(model.status.success(), "{}", String::from_utf8_lossy(&model.stdout));
    let refusing = refusing(&events("model"));
    let output = run("net", &refusing, &["--filter", "@landed"], &events("net"));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2).filter(|pair| pair[0].starts_with("SKIPPED:")) {
        eprintln!("{}:{}", pair[0], pair[1]);
    }
    let named = |word: &str| -> Vec<&str> {
        let cases = lines.iter().filter_map(|line| line.strip_prefix(word));
        cases.filter_map(|case| case.split_whitespace().next()).collect()
    };
    assert!(named("BROKEN ").is_empty() && named("WRONG ").is_empty(), "{text}");
    let mut held = named("ok ").len();
    // The real program gives a handshake two seconds, and the machine was busy.
    for case in named("FAILED ") {
        let only = ["--filter", case, "--jobs", "1"];
        let alone = run("net", &refusing, &only, &events("alone"));
        let shown = String::from_utf8_lossy(&alone.stdout).into_owned();
        assert!(alone.status.success(), "{case}, twice:\n{text}\n{shown}");
        held += 1;
    }
    assert!(held >= HELD_AT_LEAST, "only {held}:\n{text}");

    // More than the scenarios ask: every verdict, error and answer, one after the other.
    let (model, net) = (conclusions(&events("model")), conclusions(&events("net")));
    let compared = named("ok ");
    for case in compared {
        let of = |all: &'_ BTreeMap<(String, String), Vec<String>>| -> Vec<(String, Vec<String>)> {
            let of_case = all.iter().filter(|((name, _), _)| name == case);
            of_case.map(|((_, host), found)| (host.clone(), found.clone())).collect()
        };
        let (model, net) = (of(&model), of(&net));
        let alike = model.len() == net.len()
            && model.iter().zip(&net).all(|((host, model), (other, net))| {
                host == other
                    && model.len() == net.len()
                    && model.iter().zip(net).all(|(model, net)| is_told(model, net))
            });
        assert!(alike, "{case}\nmodel: {model:#?}\nnet: {net:#?}");
    }
}

#[test]
fn a_machine_without_the_programs_is_told_what_to_install() {
    let output = Command::new(env!("CARGO_BIN_EXE_trustrig"))
        .args(["run", SCENARIOS])
        .args(["--filter", "wildcard", "--samba-client", "net"])
        .env("PATH", "")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.starts_with("error: the real programs cannot be run: `"), "{told}");
    assert!(told.contains("help: apt-get install "), "{told}");
}

/// The folders of the scenarios in which a host refuses a DC: where the client's words decide. What
/// xapi does with a client that is content takes no real one.
fn refusing(events: &Path) -> Vec<String> {
    let mut folders = BTreeSet::new();
    for event in lines(events) {
        if event["kind"] == "tls.verdict" && event["data"]["class"] != "accept" {
            let case = event["case"].as_str().unwrap();
            folders.insert(format!("{SCENARIOS}/{}", case.split('@').next().unwrap()));
        }
    }
    folders.into_iter().collect()
}

/// Whether `net` says what the model concludes. Below level 1 it refuses without the bits.
fn is_told(model: &str, net: &str) -> bool {
    let told = net.strip_suffix(" \"0x0\"").filter(|told| told.ends_with("\"reject\""));
    model == net || told.is_some_and(|told| model.starts_with(told))
}

/// What each host of each case concluded, in order: errors of xapi, verdicts on certificates, and
/// the DCs that answered for KRBTGT.
fn conclusions(events: &Path) -> BTreeMap<(String, String), Vec<String>> {
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for event in lines(events) {
        let data = &event["data"];
        let has_answer = || {
            let filter = data["filter"].as_str().unwrap().to_lowercase();
            filter.contains("krbtgt") && data["result"] == 0 && data["entries"] != 0
        };
        let conclusion = match event["kind"].as_str() {
            Some("xapi.result") => format!("{} {}", data["call"], data["error"]),
            Some("tls.verdict") => format!("{} {} {}", data["dc"], data["class"], data["status"]),
            Some("ldap.searched") if has_answer() => format!("{} answered", data["dc"]),
            _ => continue,
        };
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        found.entry((text("case"), text("actor"))).or_default().push(conclusion);
    }
    found
}

/// The events of a file, after its head.
fn lines(events: &Path) -> Vec<Value> {
    let text = fs::read_to_string(events).unwrap();
    text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn run(samba_client: &str, paths: &[String], arguments: &[&str], events: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trustrig"))
        .arg("run")
        .args(paths)
        .args(["--check", "--patience", PATIENCE])
        .args(["--samba-client", samba_client])
        .arg("--events")
        .arg(events)
        .args(arguments)
        .output()
        .unwrap()
}
