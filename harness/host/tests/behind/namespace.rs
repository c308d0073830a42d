//! A test in namespaces of its own: a network whose addresses are all free, mounts, and processes,
//! of which none outlives the test.

use std::{
    env,
    process::{Command, Stdio},
};

use sim_host::real;

const INSIDE: &str = "TRUSTRIG_TEST_NAMESPACE";
/// What makes the namespaces. The last process to leave takes all others with it.
const UNSHARE: [&str; 6] = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// Runs `body` of the test called `name` there: this program, once more.
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
        .args(UNSHARE)
        .arg(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "the test failed inside its namespaces, see above");
}

fn missing() -> Option<String> {
    if let Some(missing) = real::unavailable() {
        return Some(format!("{missing} ({})", missing.remedy()));
    }
    let programs = [
        ("host", "bind9-host"),
        ("kinit", "krb5-user"),
        ("ldapsearch", "ldap-utils"),
        ("samba", "samba-ad-dc"),
        ("samba-tool", "samba-ad-dc"),
        ("wbinfo", "winbind"),
        ("winbindd", "winbind"),
    ];
    for (program, package) in programs {
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_err() {
            return Some(format!("`{program}` is missing (Debian: apt-get install {package})"));
        }
    }
    let is_allowed = Command::new("unshare").args(UNSHARE).arg("true").output();
    if is_allowed.is_ok_and(|output| output.status.success()) {
        return None;
    }
    Some("a Samba AD DC takes on the identities of its users, which needs root".to_owned())
}
