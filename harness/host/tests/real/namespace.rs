//! A test in a network namespace of its own, with a loopback that has every port free.

use std::{
    env,
    process::{Command, Stdio},
};

const INSIDE: &str = "TRUSTRIG_TEST_NAMESPACE";

/// Runs `body` of the test called `name` in namespaces of its own: this program, once more.
///
/// Without the programs, or the right, that this needs the test says that it is skipped; with
/// `TRUSTRIG_REQUIRE_TOOLS=1` it fails.
pub(crate) fn in_namespace(name: &str, body: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap();
        assert!(up.success(), "loopback cannot be set up");
        return body();
    }
    if let Some(missing) = missing() {
        let required = env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
        assert!(!required, "{missing}, and TRUSTRIG_REQUIRE_TOOLS is set");
        eprintln!("SKIPPED: {missing}");
        return;
    }
    let status = Command::new("unshare")
        .args(["--map-root-user", "--net", "--mount"])
        .arg(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "the test failed inside its namespace, see above");
}

fn missing() -> Option<String> {
    let works = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let silent = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        silent.status().is_ok_and(|status| status.success())
    };
    if !works("ip", &["-V"]) {
        return Some("`ip` is missing (Debian: apt-get install iproute2)".to_owned());
    }
    if !works("unshare", &["--map-root-user", "--net", "--mount", "true"]) {
        return Some("this machine lets nobody make a network namespace (`unshare`)".to_owned());
    }
    let version = Command::new("net").arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    match version {
        Ok(version) if version.starts_with("Version 4.22") => None,
        Ok(version) => Some(format!("`net` is not of Samba 4.22 but {}", version.trim())),
        Err(_) => Some(
            "`net` is missing (Debian 13, or the backports of Debian 12: apt-get install \
             samba-common-bin)"
                .to_owned(),
        ),
    }
}
