//! A computer joins with `adcli`, over LDAPS, Kerberos and its password service, and logs on with the
//! keytab that it got; the DC's own keytab is that of `fake-dc serve --keytab`.
//!
//! Needs `adcli`, MIT Kerberos, and the right to make namespaces, in which the DC has the standard
//! ports and answers DNS questions (Debian: `adcli`, `krb5-user`, `iproute2`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    fs,
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// What happens in the namespace. The DC is at 127.0.0.10.
const SCRIPT: &str = r#"
set -e
ip link set lo up
mount --bind resolv.conf /etc/resolv.conf
mkfifo lines
"$FAKE_DC" serve --domain lab.example --standard-ports --ca-dir . --keytab 'DC1$=dc1.keytab' >lines &
server=$!
trap 'kill $server; wait $server' EXIT
exec 3<lines
while read -r line <&3; do
    case $line in *'"ready":true'*) break ;; esac
done
printf 'Passw0rd!Lab1' | adcli join lab.example --use-ldaps --login-user Administrator \
    --stdin-password --computer-name HOST9 --host-fqdn host9.lab.example --host-keytab host9.keytab
klist -k host9.keytab | sort -u
kinit -k -t host9.keytab 'HOST9$'
kvno -k dc1.keytab ldap/dc1.lab.example
kinit -k -t dc1.keytab 'DC1$'
klist | grep principal:
"#;

#[test]
fn a_computer_joins_with_adcli() {
    let works = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let missing = if !works("adcli", &["--version"]) && !works("adcli", &["--help"]) {
        "`adcli` is missing (Debian: apt-get install adcli)"
    } else if Command::new("kinit").arg("-V").stderr(Stdio::null()).output().is_err() {
        "`kinit` is missing (Debian: apt-get install krb5-user)"
    } else if !works("unshare", &["--map-root-user", "--mount", "--net", "true"]) {
        "this machine lets nobody make namespaces"
    } else {
        ""
    };
    if !missing.is_empty() {
        let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
        assert!(!required, "{missing}, and TRUSTRIG_REQUIRE_TOOLS is set");
        eprintln!("SKIPPED: {missing}");
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    fs::write(path.join("resolv.conf"), "nameserver 127.0.0.10\n").unwrap();
    let config = "[libdefaults]\n default_realm = LAB.EXAMPLE\n dns_lookup_kdc = true\n \
                  dns_canonicalize_hostname = false\n rdns = false\n";
    fs::write(path.join("krb5.conf"), config).unwrap();
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "--net", "sh", "-c", SCRIPT])
        .current_dir(path)
        .env("FAKE_DC", env!("CARGO_BIN_EXE_fake-dc"))
        .env("KRB5_CONFIG", path.join("krb5.conf"))
        .env("KRB5CCNAME", path.join("cache"))
        .env("LDAPTLS_CACERT", path.join("lab.example-ca.pem"))
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{printed}");
    for line in [
        "   2 HOST9$@LAB.EXAMPLE",
        "   2 RestrictedKrbHost/host9.lab.example@LAB.EXAMPLE",
        "   2 host/host9.lab.example@LAB.EXAMPLE",
        "ldap/dc1.lab.example@LAB.EXAMPLE: kvno = 2, keytab entry valid",
        "Default principal: DC1$@LAB.EXAMPLE",
    ] {
        assert!(printed.lines().any(|found| found.trim_end() == line), "{line}:\n{printed}{said}");
    }
}
