//! The OpenSSL judge and `openssl verify` itself, on every chain of the oracle.
//!
//! Where there is no `openssl` the test says so and does nothing, unless the tools are promised
//! (`TRUSTRIG_REQUIRE_TOOLS`). What differs is listed in [`KNOWN`] with the reason.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use trust_verdict::{PeerName, TlsVersion, VerifyPeer};

use crate::support::{Sample, now, oracle};

/// The names every chain is asked about: right, wrong, and an address.
const PEERS: [&str; 3] = ["dc1.ad.example.test", "dc2.ad.example.test", "192.0.2.10"];

/// Samples on which the judge and `openssl verify` differ, and why.
const KNOWN: [(&str, &str); 1] = [(
    "leaf-v1-with-ext",
    "the judge reads certificates as GnuTLS imports them, which refuses version 1 with extensions",
)];

#[test]
fn the_oracle_is_judged_as_openssl_verify_does() {
    let Some(version) = version() else {
        crate::support::skip("needs openssl (Debian: openssl)");
        return;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openssl-verify");
    fs::create_dir_all(&folder).expect("a folder");
    let (mut rows, mut agreeing, mut unused) = (0, 0, Vec::from(KNOWN));
    let mut disagreements = Vec::new();
    for sample in oracle().iter().map(|folder| Sample::load(folder)) {
        let Ok(client) = sample.client(VerifyPeer::NoCheck, "default") else { continue };
        let presented = sample.presented(TlsVersion::Tls13);
        let case = Case::write(&folder, &sample.trusted(), &presented.certificates);
        for peer in PEERS {
            let ours = &client.compare(&PeerName::new(peer), &presented, now())[1];
            let theirs = case.verify(peer);
            rows += 1;
            if ours.accepts == theirs.is_ok() {
                agreeing += 1;
                continue;
            }
            if KNOWN.iter().any(|(name, _)| *name == sample.name) {
                unused.retain(|(name, _)| *name != sample.name);
                continue;
            }
            disagreements.push(format!(
                "{} {peer}: ours {:?}, openssl {theirs:?}",
                sample.name, ours.objection
            ));
        }
    }
    crate::support::say(&format!("{version}: {agreeing} of {rows} rows agree"));
    for (name, reason) in KNOWN {
        crate::support::say(&format!("  differs: {name}: {reason}"));
    }
    assert!(rows > 300, "the oracle has been lost: {rows} rows");
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
    assert!(unused.is_empty(), "differences that are none: {unused:?}");
}

/// `OpenSSL 3.0.19 …`; none if there is no such program.
fn version() -> Option<String> {
    let output = Command::new("openssl").arg("version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().take(2).map(str::to_owned).reduce(|one, two| format!("{one} {two}"))
}

/// Files for one chain.
struct Case {
    trusted: PathBuf,
    untrusted: PathBuf,
    leaf: PathBuf,
}

impl Case {
    fn write(folder: &Path, trusted: &[Vec<u8>], sent: &[Vec<u8>]) -> Self {
        let write = |name: &str, certificates: &[Vec<u8>]| {
            let path = folder.join(name);
            let text: String =
                certificates.iter().map(|der| crate::maker::pem("CERTIFICATE", der)).collect();
            fs::write(&path, text).expect("a file");
            path
        };
        let (leaf, above) = sent.split_at(1);
        Self {
            trusted: write("trusted.pem", trusted),
            untrusted: write("untrusted.pem", above),
            leaf: write("leaf.pem", leaf),
        }
    }

    /// `openssl verify` as the judge says it is called; the error is what it prints.
    fn verify(&self, peer: &str) -> Result<(), String> {
        let is_address = peer.parse::<std::net::IpAddr>().is_ok();
        let mut command = Command::new("openssl");
        command
            .args(["verify", "-no-CApath", "-no-CAstore", "-purpose", "sslserver"])
            .args(["-auth_level", "1", "-attime", &now().unix().to_string()])
            .args([if is_address { "-verify_ip" } else { "-verify_hostname" }, peer]);
        if fs::metadata(&self.untrusted).is_ok_and(|file| file.len() > 0) {
            command.arg("-untrusted").arg(&self.untrusted);
        }
        if fs::metadata(&self.trusted).is_ok_and(|file| file.len() > 0) {
            command.arg("-CAfile").arg(&self.trusted);
        } else {
            command.arg("-no-CAfile");
        }
        let output = command.arg(&self.leaf).output().expect("openssl runs");
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let told = text.lines().find(|line| line.contains("error")).unwrap_or(&text);
        Err(told.to_owned())
    }
}
