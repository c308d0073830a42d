//! ldap3 of PyPI, run by the machine's own Python, against `fake-dc serve`.
//!
//! Needs `python3 -m venv` and a package index. Without them the test says that it is skipped; with
//! `TRUSTRIG_REQUIRE_TOOLS=1` it fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

#[path = "../served/mod.rs"]
mod served;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use served::Served;

/// The releases that the script was written against.
const PACKAGES: [&str; 2] = ["ldap3==2.9.1", "pyasn1==0.6.1"];

#[test]
fn ldap3_of_pypi_searches_in_pages_and_changes_over_ldaps_and_starttls() {
    let directory = tempfile::tempdir().unwrap();
    let required = std::env::var("TRUSTRIG_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
    let python = match environment(directory.path()) {
        Ok(python) => python,
        Err(cause) if required => panic!("{PACKAGES:?} cannot be had: {cause}"),
        Err(cause) => return eprintln!("SKIPPED: {PACKAGES:?} cannot be had: {cause}"),
    };
    let served = Served::start(&[
        "--dcs=3",
        "--fault=dc2=name.other-host",
        "--fault=dc3=chain.missing-intermediate",
    ]);
    let other = Served::start(&["--seed=1", "--address=127.0.0.50"]);
    let mut script = Command::new(python);
    script.arg("-c").arg(include_str!("ldap3.py")).args([
        serde_json::to_string(&served.lines).unwrap(),
        other.ready()["ca_file"].as_str().unwrap().to_owned(),
    ]);
    assert_eq!(run(&mut script).unwrap().trim(), "all held");
}

/// A Python that has the packages.
fn environment(directory: &Path) -> Result<PathBuf, String> {
    let home = directory.join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let python = home.join("bin").join("python3");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--retries", "1", "--timeout", "15"]).args(PACKAGES);
    run(&mut pip)?;
    Ok(python)
}

/// What a program prints, if it succeeds.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
