//! Kerberos and LDAP programs in a mount namespace in which the DCs have their names.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Runs a program with what is in `folder`: `hosts`, `krb5.conf`, `ca.pem`, and its tickets.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c"])
        .args(["mount --bind hosts /etc/hosts && exec \"$0\" \"$@\"", program])
        .args(arguments)
        .current_dir(folder)
        .env("KRB5_CONFIG", folder.join("krb5.conf"))
        .env("KRB5CCNAME", folder.join("cache"))
        .env("LDAPTLS_CACERT", folder.join("ca.pem"))
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that asks for no password does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// True if the machine has the programs and lets them have names of their own; says what is
/// missing if it has not.
pub(crate) fn tools_are_there() -> bool {
    let works = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).output().is_ok_and(|output| output.status.success())
    };
    let missing = if !works("ldapwhoami", &["-VV"]) {
        "`ldapwhoami` is missing (Debian: apt-get install ldap-utils)"
    } else if !works("sh", &["-c", "ls /usr/lib/*/sasl2/libgssapiv2.so"]) {
        "SASL has no GSSAPI (Debian: apt-get install libsasl2-modules-gssapi-mit)"
    } else if Command::new("kinit").arg("-V").stderr(Stdio::null()).output().is_err() {
        "`kinit` is missing (Debian: apt-get install krb5-user)"
    } else if !works("unshare", &["--map-root-user", "--mount", "true"]) {
        "this machine lets nobody make a mount namespace"
    } else {
        return true;
    };
    let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
    assert!(!required, "{missing}, and TRUSTRIG_REQUIRE_TOOLS is set");
    eprintln!("SKIPPED: {missing}");
    false
}
