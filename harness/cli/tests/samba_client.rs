//! The bundled scenarios with the real programs of Samba 4.22: the same result as with the model.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    env,
    process::{Command, Output},
};

use sim_host::real;

/// Cases that must give the same result. Fewer cannot, by a rule; some need longer than
/// [`PATIENCE`].
const HELD_AT_LEAST: usize = 60;

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
    let output = run(&["--filter", "@landed"]);
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
        let alone = run(&["--filter", case, "--jobs", "1"]);
        let shown = String::from_utf8_lossy(&alone.stdout).into_owned();
        assert!(alone.status.success(), "{case}, twice:\n{text}\n{shown}");
        held += 1;
    }
    assert!(held >= HELD_AT_LEAST, "only {held}:\n{text}");
}

fn run(arguments: &[&str]) -> Output {
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
    Command::new(env!("CARGO_BIN_EXE_trustrig"))
        .args(["run", scenarios, "--check", "--samba-client", "net", "--patience", PATIENCE])
        .args(arguments)
        .output()
        .unwrap()
}
