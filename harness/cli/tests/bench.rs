//! `trustrig bench probe` as its users meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::{fs, path::Path, process::Command};

use serde_json::Value;

struct Finished {
    code: i32,
    stdout: String,
    stderr: String,
}

fn bench(folder: &Path, arguments: &[&str]) -> Finished {
    let output = Command::new(env!("CARGO_BIN_EXE_trustrig"))
        .args(["bench", "probe"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    Finished {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

const SCENARIO: &str = r#"version = 1
id = "two-of-three"
title = "One DC is cut off from the first host"
profiles = ["landed"]

[[world.domain]]
name = "corp.example"
dc = [{ name = "dc1" }, { name = "dc2", faults = ["time.leaf-expired"] }, { name = "dc3" }]

[[world.host]]
name = "host1"
route = [{ dc = "dc1", faults = ["net.black-hole@cldap"] }]

[[world.host]]
name = "host2"

[[step]]
pool.install_trusted_certificate = { ca = true, cert = { root = "corp.example" }, purpose = ["ldaps"] }

[[step]]
dc.set_faults = { dc = "dc3", faults = ["net.latency:30ms@ldaps"] }
"#;

#[test]
fn a_scenario_gives_its_world_as_one_host_sees_it_after_its_steps() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("scenario.toml"), SCENARIO).unwrap();
    let runs = |more: &[&str]| {
        let arguments = [
            &["--scenario", "scenario.toml", "--json", "--strategy", "sequential,staggered"],
            more,
        ];
        let finished = bench(folder.path(), &arguments.concat());
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        serde_json::from_str::<Value>(&finished.stdout).unwrap()[0]["runs"].clone()
    };
    let asked = |run: &Value| {
        let attempts = run["attempts"].as_array().unwrap();
        let told =
            |a: &Value| format!("{} {}", a["dc"].as_str().unwrap(), a["end"].as_str().unwrap());
        attempts.iter().map(told).collect::<Vec<_>>()
    };
    // The ping that is not answered, the certificate, and six round trips with the third.
    let first = runs(&[]);
    assert_eq!(asked(&first[0]), ["dc1 failed", "dc2 failed", "dc3 passed"]);
    assert_eq!(first[0]["attempts"][1]["verdict"], "invalid-trusted-certs");
    assert!(first[0]["took_ms"].as_u64().unwrap() > 15_000);
    assert_eq!(first[1]["found"], "dc3");
    assert!((250..1_000).contains(&first[1]["took_ms"].as_u64().unwrap()), "{first}");
    // The other host has its own way, and before the second step nothing is slow.
    let second = runs(&["--host", "host2", "--after", "1"]);
    assert_eq!(asked(&second[0]), ["dc1 passed"]);
    assert_eq!(second[0]["took_ms"], 0);
}

#[test]
fn figures_are_the_same_each_time_and_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let markdown = || {
        let arguments =
            ["--dcs", "10", "--repeat", "3", "--markdown", "--chart", "chart.svg", "--seed", "4"];
        let finished = bench(folder.path(), &arguments);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        (finished.stdout, fs::read_to_string(folder.path().join("chart.svg")).unwrap())
    };
    let (text, chart) = markdown();
    assert_eq!((text.clone(), chart.clone()), markdown());
    assert!(text.contains("| staggered | 3 of 3 |"), "{text}");
    assert!(chart.starts_with("<svg ") && chart.contains("sequential-with-timeout"));
    assert!(
        !chart.contains("http://") || chart.matches("http://").count() == 1,
        "only the name space"
    );
}

#[test]
fn a_domain_without_a_dc_that_passes_is_told_by_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let dark = ["--dcs", "2", "--shares", "black-hole=100", "--strategy", "sequential"];
    let finished = bench(folder.path(), &dark);
    assert_eq!(finished.code, 1);
    assert!(finished.stdout.contains("30.000 s"), "{}", finished.stdout);
}

#[test]
fn wrong_input_is_told_precisely() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("scenario.toml"), SCENARIO).unwrap();
    let cases: &[(&[&str], &str)] = &[
        (
            &["--strategy", "stagered"],
            "error: `stagered` is no strategy, did you mean `staggered`; the strategies are \
             sequential, sequential-with-timeout, parallel, staggered, last-good-first, \
             srv-weighted\n  help: `all` compares all of them\n",
        ),
        (&["--dcs", "20000"], "error: 20000 DCs, but a domain has at most 10000\n"),
        (&["--scenario", "none.toml"], "error: none.toml: cannot be read: No such file"),
        (
            &["--scenario", "scenario.toml", "--host", "host9"],
            "error: the scenario has no host `host9`; it has host1, host2\n",
        ),
        (
            &["--scenario", "scenario.toml", "--after", "9"],
            "error: the scenario has 2 steps, and 9 were asked for\n",
        ),
        (
            &["--chart", "chart.png"],
            "error: chart.png: no kind of chart\n  help: let the name end in .svg or .html\n",
        ),
        (&["--shares", "dead=1"], "error: invalid value 'dead=1' for '--shares <KIND=PERCENT,…>'"),
    ];
    for (arguments, expected) in cases {
        let finished = bench(folder.path(), arguments);
        assert_eq!(finished.code, 2, "{arguments:?}");
        assert!(finished.stderr.starts_with(expected), "{arguments:?}: {}", finished.stderr);
    }
}
