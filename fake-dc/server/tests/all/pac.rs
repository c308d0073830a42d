//! A Samba server believes what our tickets say of their client: it checks the signatures of the
//! PAC and makes a security token of it.
//!
//! Needs Samba's Python bindings (Debian: `python3-samba`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    fs,
    process::{Command, Stdio},
};

use fake_dc::Domain;
use ground::Clock;
use tempfile::TempDir;

/// Debian's own, which has the bindings, and not another that comes first in the path.
const PYTHON: &str = "/usr/bin/python3";

/// Tickets for the first are sealed with RC4, for the second with AES.
const COMPUTERS: &str = "\
dn: CN=old,CN=Computers,DC=corp,DC=example
objectClass: computer
sAMAccountName: OLD$
servicePrincipalName: HOST/old.corp.example

dn: CN=new,CN=Computers,DC=corp,DC=example
objectClass: computer
sAMAccountName: NEW$
servicePrincipalName: HOST/new.corp.example
msDS-SupportedEncryptionTypes: 28
";

#[test]
fn a_samba_server_makes_a_token_of_it() {
    let bindings = ["-c", "import samba.gensec"];
    let found = Command::new(PYTHON).args(bindings).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
        assert!(!required, "python3-samba is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
        eprintln!("SKIPPED: python3-samba is not installed");
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let builder =
        Domain::builder("corp.example").clock(Clock::system()).ldif("computers.ldif", COMPUTERS);
    let domain = runtime.block_on(builder.start()).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let krb5_conf = format!(
        "[libdefaults]\n default_realm = CORP.EXAMPLE\n dns_lookup_kdc = false\n\
         [realms]\n CORP.EXAMPLE = {{\n  kdc = {}\n }}\n\
         [domain_realm]\n .corp.example = CORP.EXAMPLE\n",
        domain.dc("dc1").unwrap().kdc()
    );
    fs::write(path.join("krb5.conf"), krb5_conf).unwrap();
    let folders = ["private dir", "lock directory", "state directory", "cache directory"];
    let folders = folders.map(|name| format!("{name} = {}\n", path.display())).concat();
    let smb_conf = format!(
        "[global]\nworkgroup = CORP\nrealm = CORP.EXAMPLE\nserver role = member server\n{folders}"
    );
    fs::write(path.join("smb.conf"), smb_conf).unwrap();

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/accept_with_samba.py");
    let domain_sid = domain.directory().domain_sid().to_string();
    for server in ["old.corp.example", "new.corp.example"] {
        let output = Command::new(PYTHON)
            .arg(script)
            .arg(path.join("smb.conf"))
            .args([server, "alice", "Passw0rd!Lab1"])
            .env("KRB5_CONFIG", path.join("krb5.conf"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8(output.stdout).unwrap().replace(&domain_sid, "DOMAIN");
        assert!(output.status.success(), "{server}: {said}");
        let expected = "\
CORP alice Alice Normal DC1 0x10
DOMAIN-1103
DOMAIN-513
DOMAIN-1111
S-1-18-1
";
        assert!(printed.starts_with(expected), "{server}: {printed}");
    }
    runtime.block_on(domain.stop());
}
