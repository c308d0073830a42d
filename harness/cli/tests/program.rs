//! The `trustrig` program as its users meet it: files and arguments in, text and exit codes out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A folder with scenarios, and the program run in it.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes `scenarios/ID/scenario.toml`.
    fn scenario(&self, id: &str, steps: &str) -> PathBuf {
        let head = format!(
            r#"version = 1
id = "{id}"
title = "A scenario of the tests"
tags = ["tested"]
profiles = ["landed"]

[[world.domain]]
name = "corp.example"
dc = [{{ name = "dc1" }}]

[[world.host]]
name = "host1"
"#
        );
        self.file(&format!("scenarios/{id}/scenario.toml"), &format!("{head}{steps}"))
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        let output = Command::new(env!("CARGO_BIN_EXE_trustrig"))
            .args(arguments)
            .current_dir(self.path())
            .env_remove("CI")
            .output()
            .unwrap();
        Finished(output)
    }

    /// All files below the folder, with what they hold.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.clone(), fs::read(path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }
}

struct Finished(Output);

impl Finished {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.0.status.code(), Some(code), "{}\n{}", self.stdout(), self.stderr());
        self
    }

    fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

const JOIN: &str = r#"
[[step]]
name = "join"
pool.enable_external_auth = { service_name = "corp.example", auth_type = "AD", config = { user = "Administrator", pass = "Passw0rd!Lab1" } }
expect.snapshot = [{ host = "host1", path = "/etc/samba/smb.conf" }]
"#;

/// Replaces what differs from run to run: durations, and the folder of the test.
fn settled(text: &str, desk: &Desk) -> String {
    let text = text.replace(&desk.path().display().to_string(), "[folder]");
    let mut settled = String::new();
    for line in text.lines() {
        let line = match line.rsplit_once(" (") {
            Some((head, tail)) if tail.ends_with(" ms)") => format!("{head} ([ms] ms)"),
            _ => line.to_owned(),
        };
        let line = match line.rsplit_once(" in ") {
            Some((head, tail)) if tail.ends_with(" s") => format!("{head} in [s] s"),
            _ => line,
        };
        settled.push_str(&line);
        settled.push('\n');
    }
    settled
}

#[test]
fn a_snapshot_is_proposed_reviewed_accepted_and_then_holds() {
    let desk = Desk::new();
    desk.scenario("join-writes-smb-conf", JOIN);
    let first = desk.run(&["run"]).exits(1);
    insta::assert_snapshot!(settled(&first.stdout(), &desk));

    let review = desk.run(&["review"]).exits(1);
    assert!(review.stdout().contains("+client ldap sasl wrapping = seal"), "{}", review.stdout());
    let accept = desk.run(&["accept"]).exits(0);
    assert!(accept.stdout().starts_with("accepted scenarios/join-writes-smb-conf/snapshots/"));
    desk.run(&["run"]).exits(0);
    desk.run(&["review"]).exits(0);
}

#[test]
fn a_changed_line_is_shown_as_a_diff_and_overwrites_nothing() {
    let desk = Desk::new();
    desk.scenario("join-writes-smb-conf", JOIN);
    desk.run(&["run"]).exits(1);
    desk.run(&["accept"]).exits(0);
    let snapshot = desk
        .path()
        .join("scenarios/join-writes-smb-conf/snapshots/landed/join.host1.etc-samba-smb.conf.snap");
    let accepted = fs::read_to_string(&snapshot).unwrap();
    fs::write(&snapshot, accepted.replace("log level = 2", "log level = 3")).unwrap();
    let before = fs::read(&snapshot).unwrap();

    let failed = desk.run(&["run"]).exits(1);
    assert!(failed.stdout().contains("-log level = 3"), "{}", failed.stdout());
    assert!(failed.stdout().contains("+log level = 2"), "{}", failed.stdout());
    assert_eq!(fs::read(&snapshot).unwrap(), before);
}

#[test]
fn check_mode_writes_nothing() {
    let desk = Desk::new();
    desk.scenario("join-writes-smb-conf", JOIN);
    let before = desk.files();
    desk.run(&["run", "--check"]).exits(1);
    assert_eq!(desk.files(), before);
    let output = Command::new(env!("CARGO_BIN_EXE_trustrig"))
        .arg("run")
        .current_dir(desk.path())
        .env("CI", "true")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(desk.files(), before);
}

#[test]
fn a_snapshot_that_no_step_asks_for_fails() {
    let desk = Desk::new();
    desk.scenario("nothing-is-asked", "\n[[step]]\nclock.advance = \"1d\"\n");
    desk.file("scenarios/nothing-is-asked/snapshots/landed/old.snap", "---\n---\n");
    let failed = desk.run(&["run"]).exits(1);
    assert!(failed.stdout().contains("no step asks for the snapshot"), "{}", failed.stdout());
}

#[test]
fn an_expectation_that_does_not_hold_is_underlined_and_can_be_repeated() {
    let desk = Desk::new();
    desk.scenario(
        "ldaps-while-ad-is-off",
        "\n[[step]]\npool.external_auth_set_ldaps = { ldaps = true }\n\
         expect.error = { code = \"AUTH_NO_TRUSTED_CERTS\" }\n",
    );
    let failed = desk.run(&["run", "--seed", "5"]).exits(1);
    insta::assert_snapshot!(settled(&failed.stdout(), &desk));
    let command = failed
        .stdout()
        .lines()
        .find_map(|line| Some(line.trim().strip_prefix("repeat: trustrig ")?.to_owned()));
    let command = command.expect("a failure names the command that repeats it");
    let arguments: Vec<&str> = command.split(' ').collect();
    desk.run(&arguments).exits(1);
}

#[test]
fn mistakes_of_all_files_are_reported_together() {
    let desk = Desk::new();
    desk.scenario("misspelt-call", "\n[[step]]\npool.enable_external_aut = {}\n");
    desk.scenario(
        "misspelt-fault",
        "\n[[step]]\ndc.set_faults = { dc = \"dc2\", faults = [\"time.leaf-expird\"] }\n",
    );
    let refused = desk.run(&["run"]).exits(2);
    insta::assert_snapshot!(settled(&refused.stderr(), &desk));
    assert_eq!(refused.stdout(), "");
}

#[test]
fn input_that_is_wrong_exits_with_2_and_writes_nothing() {
    let desk = Desk::new();
    desk.scenario("time-passes", "\n[[step]]\nclock.advance = \"1d\"\n");
    desk.file("scenarios/no-utf8/notes.txt", "");
    let before = desk.files();
    desk.run(&["run", "nowhere"]).exits(2);
    desk.run(&["run", "--filter", "no-such-case"]).exits(2);
    desk.run(&["run", "--jobs", "0"]).exits(2);
    desk.run(&["run", "--events", "no/such/folder/events.jsonl"]).exits(2);
    desk.run(&["review", "nowhere"]).exits(2);
    desk.run(&["frobnicate"]).exits(2);
    assert_eq!(desk.files(), before);

    fs::write(desk.path().join("broken.toml"), b"id = \"\xff\"").unwrap();
    let refused = desk.run(&["run", "broken.toml"]).exits(2);
    assert!(refused.stderr().contains("is not UTF-8"), "{}", refused.stderr());
}

#[test]
fn a_pem_file_that_is_none_is_wrong_input_with_its_place() {
    let desk = Desk::new();
    let path = desk.scenario("unused", "");
    let text = fs::read_to_string(path).unwrap().replace("unused", "no-pem");
    let text = text.replace(
        r#"dc = [{ name = "dc1" }]"#,
        r#"dc = [{ name = "dc1", chain = "chain.pem", key = "server.key" }]"#,
    );
    desk.file(
        "scenarios/no-pem/scenario.toml",
        &format!("{text}\n[[step]]\nclock.advance = \"1d\"\n"),
    );
    desk.file("scenarios/no-pem/chain.pem", "this is no certificate\n");
    desk.file("scenarios/no-pem/server.key", "this is no key\n");
    let refused = desk.run(&["run", "scenarios/no-pem"]).exits(2);
    insta::assert_snapshot!(settled(&refused.stdout(), &desk));
}

#[test]
fn one_seed_gives_one_event_file_and_junit_names_every_case() {
    let desk = Desk::new();
    desk.scenario("join-writes-smb-conf", JOIN);
    desk.scenario("time-passes", "\n[[step]]\nclock.advance = \"1d\"\n");
    desk.run(&["run"]).exits(1);
    desk.run(&["accept"]).exits(0);
    for run in ["1", "2"] {
        let events = format!("events-{run}.jsonl");
        desk.run(&["run", "--seed", "9", "--events", &events, "--junit", "junit.xml"]).exits(0);
    }
    let events = |run: &str| {
        let text = fs::read_to_string(desk.path().join(format!("events-{run}.jsonl"))).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let (first, second) = (events("1"), events("2"));
    assert_eq!(first[0]["format"], "trustrig-events");
    assert_eq!(first[0]["version"], 1);
    assert!(first.len() > 30);
    assert_eq!(first, second);

    let junit = fs::read_to_string(desk.path().join("junit.xml")).unwrap();
    assert!(junit.contains(r#"tests="2" skipped="0" failures="0" errors="0""#), "{junit}");
    assert!(junit.contains(r#"name="join-writes-smb-conf@landed""#), "{junit}");
}

/// Samba judges after the handshake: its last words may come to a proxy with it or after it.
#[test]
fn a_proxy_before_a_dc_leaves_one_seed_one_event_file() {
    let desk = Desk::new();
    let cell = desk.run(&["compare-models", "--show", "xapi/proxy-inserted"]).exits(0);
    let folder = desk.path().join("scenarios/compare-xapi-proxy-inserted");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("scenario.toml"), cell.stdout()).unwrap();
    let mut runs = (0..3).map(|_| {
        desk.run(&["run", "--check", "--events", "events.jsonl"]).exits(0);
        let text = fs::read_to_string(desk.path().join("events.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .collect::<Vec<Value>>()
    });
    let first = runs.next().unwrap();
    let reached = first.iter().filter(|event| event["kind"] == "proxy.reached").count();
    assert!(reached > 0);
    assert!(runs.all(|run| run == first));
}

#[test]
fn list_filter_and_tag_choose_cases() {
    let desk = Desk::new();
    desk.scenario("join-writes-smb-conf", JOIN);
    desk.scenario("time-passes", "\n[[step]]\nclock.advance = \"1d\"\n");
    let listed = desk.run(&["run", "--list"]).exits(0);
    insta::assert_snapshot!(listed.stdout());
    let filtered = desk.run(&["run", "--list", "--filter", "time"]).exits(0);
    assert_eq!(filtered.stdout().lines().count(), 1);
    assert_eq!(desk.run(&["run", "--list", "--tag", "tested"]).exits(0).stdout(), listed.stdout());
    desk.run(&["run", "--list", "--tag", "other"]).exits(2);
}

#[test]
fn the_printed_schema_is_the_committed_one() {
    let desk = Desk::new();
    let printed = desk.run(&["schema"]).exits(0).stdout();
    let committed =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../scenario/schema/scenario-v1.schema.json");
    assert_eq!(printed, fs::read_to_string(committed).unwrap());
}

#[test]
fn explore_plays_what_it_is_told() {
    let desk = Desk::new();
    let mut arguments = vec!["explore", "--seed", "1", "--steps", "20", "--sequence-length", "10"];
    arguments.extend(["--profile", "landed", "--hosts", "2", "--out", "explored"]);
    let told = desk.run(&arguments).exits(0).stdout();
    assert!(told.contains("20 steps in 2 sequences, 0 findings"), "{told}");
    assert!(!desk.path().join("explored").exists(), "nothing found, nothing written");
}

#[test]
fn explore_refuses_a_sequence_that_no_scenario_can_hold() {
    let told = Desk::new().run(&["explore", "--sequence-length", "1001"]).exits(2).stderr();
    assert!(told.contains("`--sequence-length` may be 1000"), "{told}");
}
