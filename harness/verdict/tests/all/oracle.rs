//! Agreement with the real client: every chain, mode, peer and priority of `fixtures/oracle`.
//!
//! The reference verdicts were measured with Samba 4.22.11 and GnuTLS 3.8.9. One row is one
//! connection of the real client; the test counts rows and wants all of them equal.

use std::{collections::BTreeMap, fs};

use serde::Deserialize;
use trust_verdict::{PeerName, TlsVersion, Verdict, VerifyPeer};

use crate::support::{Sample, now, oracle};

#[derive(Debug, Deserialize)]
struct Expected {
    outcomes: BTreeMap<String, Outcome>,
    /// priority → mode → peer → key of `outcomes`.
    verdicts: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    verdict: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    flags: Option<Vec<String>>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    gnutls: Option<String>,
    #[serde(default)]
    ntstatus: Option<String>,
    #[serde(default)]
    error: Option<String>,
    stderr: Vec<String>,
    wire: Wire,
}

#[derive(Debug, Deserialize)]
struct Wire {
    #[serde(default)]
    version: Option<String>,
}

/// What a row compares, in one comparable value.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    verdict: String,
    status: Option<String>,
    flags: Vec<String>,
    without_hostname: bool,
    gnutls: Option<String>,
    ntstatus: Option<String>,
    error: String,
    stderr: Vec<String>,
}

#[test]
fn every_row_agrees_with_the_real_client() {
    let mut rows = 0;
    let mut disagreements = Vec::new();
    for folder in oracle() {
        let sample = Sample::load(&folder);
        let text = fs::read_to_string(folder.join("expected.json")).expect("expected.json");
        let expected: Expected = serde_json::from_str(&text).expect("the format of the oracle");
        for (priority, modes) in &expected.verdicts {
            for (mode, peers) in modes {
                for (peer, letter) in peers {
                    let outcome = &expected.outcomes[letter];
                    let tls = version(&sample.name, priority, outcome);
                    let mode: VerifyPeer = mode.parse().expect("a mode");
                    let verdict = sample.judge(mode, priority, peer, tls, now());
                    let dir = sample.dir();
                    let wanted = wanted(outcome, mode, peer, &dir);
                    let found = found(&verdict, &wanted);
                    rows += 1;
                    if wanted != found {
                        disagreements.push(format!(
                            "{} {priority} {mode} {peer}\n  wanted {wanted:?}\n  found  {found:?}",
                            sample.name
                        ));
                    }
                }
            }
        }
    }
    let agreeing = rows - disagreements.len();
    crate::support::say(&format!("oracle: {agreeing} of {rows} rows agree"));
    assert!(rows > 2_000, "the oracle has been lost: {rows} rows");
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

#[test]
fn other_modes_are_predicted_as_they_are_judged() {
    for folder in oracle() {
        let sample = Sample::load(&folder);
        let peer = PeerName::new("dc2.ad.example.test");
        for mode in VerifyPeer::ALL {
            let Ok(client) = sample.client(mode, "xapi") else { continue };
            let verdict = client.judge(&peer, &sample.presented(TlsVersion::Tls12), now());
            for other in &verdict.other_modes {
                let judged =
                    sample.judge(other.mode, "xapi", peer.as_str(), TlsVersion::Tls12, now());
                // The CRL file of most samples is only configured for the strictest mode.
                let same_files = sample.crl_in_every_mode
                    || (other.mode == VerifyPeer::AsStrictAsPossible)
                        == (mode == VerifyPeer::AsStrictAsPossible);
                if same_files {
                    assert_eq!(
                        (other.class, other.status),
                        (judged.class, judged.status),
                        "{} {mode} {}",
                        sample.name,
                        other.mode
                    );
                }
            }
        }
    }
}

/// The version the row was measured with; a failed handshake does not record it.
fn version(sample: &str, priority: &str, outcome: &Outcome) -> TlsVersion {
    match outcome.wire.version.as_deref() {
        Some("TLSv1.2") => TlsVersion::Tls12,
        Some("TLSv1.3") => TlsVersion::Tls13,
        _ if priority == "xapi" || sample == "bad-san-encoding" => TlsVersion::Tls12,
        _ => TlsVersion::Tls13,
    }
}

fn wanted(outcome: &Outcome, mode: VerifyPeer, peer: &str, dir: &str) -> Row {
    let fill = |line: &String| {
        line.replace("{mode}", mode.name()).replace("{peer}", peer).replace("{dir}", dir)
    };
    Row {
        verdict: outcome.verdict.clone(),
        status: outcome.status.clone(),
        flags: outcome.flags.clone().unwrap_or_default(),
        without_hostname: outcome.reason.as_deref() == Some("no_hostname"),
        gnutls: outcome.gnutls.clone(),
        ntstatus: outcome.ntstatus.clone(),
        error: outcome.error.clone().unwrap_or_default(),
        stderr: outcome.stderr.iter().map(fill).collect(),
    }
}

/// The same of a verdict, leaving out what the reference row does not record.
fn found(verdict: &Verdict, wanted: &Row) -> Row {
    let words = verdict.words(2);
    let status = (!verdict.status.is_empty()).then(|| verdict.status.to_string());
    Row {
        verdict: verdict.class.name().to_owned(),
        status,
        flags: verdict.flags.iter().map(|&flag| flag.to_owned()).collect(),
        without_hostname: verdict.is_without_hostname(),
        gnutls: wanted.gnutls.as_ref().and(verdict.gnutls).map(|error| error.name().to_owned()),
        ntstatus: wanted.ntstatus.as_ref().map(|_| verdict.ntstatus.name().to_owned()),
        error: words.last,
        stderr: words.stderr,
    }
}
