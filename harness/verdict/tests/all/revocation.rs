//! What Samba's client concludes about each fault of the family `revocation`, with the lists of the
//! domain's CAs as its `tls crlfile` and without (samba-tls-verify.md §8).

use std::fmt::Write as _;

use fake_dc_pki::{Chain, ChainFault, DcIdentity, Pki, catalogue};
use ground::{Seed, Timestamp};
use trust_verdict::{
    Class, Client, ClientConfig, PeerName, PemFile, Presented, TlsVersion, TrustFiles, Verdict,
    VerifyPeer, XAPI_PRIORITY,
};

/// Signature and dates of a list do not count, nor reasons, nor whose certificate has a URL; only
/// that a list of the issuer's name has the serial. A file with a list that cannot be read ends
/// everything.
#[test]
fn lists_count_where_they_are_installed() {
    let mut table = String::new();
    let faults = catalogue().filter(|fault| fault.id.starts_with("revocation."));
    for fault in faults.map(|fault| fault.id) {
        let chain = chain(fault);
        let bare = judge(&chain, VerifyPeer::CaAndName, None);
        assert!(bare.is_accept(), "{fault}: nothing is fetched");
        let unchecked = judge(&chain, VerifyPeer::NoCheck, Some(&chain.crl_pem()));
        let verdict = judge(&chain, VerifyPeer::CaAndName, Some(&chain.crl_pem()));
        // What cannot be loaded is told in every mode.
        assert_eq!(unchecked.is_accept(), verdict.class != Class::ConfigError, "{fault}");
        writeln!(table, "{fault}: {} {}", verdict.class.name(), verdict.flags.join(" "))
            .expect("a String");
        for reason in &verdict.reasons {
            // Serials are drawn; what was expected is what a reader wants to know.
            let reason = reason.to_string();
            let expected = reason.split(", found").next().unwrap_or_default();
            writeln!(table, "  {expected}").expect("a String");
        }
    }
    insta::assert_snapshot!(table);
}

/// `as_strict_as_possible` wants the file, and nothing of what is in it.
#[test]
fn the_strict_mode_is_content_with_any_list() {
    let chain = chain("revocation.crl-missing-when-required");
    let strict = |crlfile| judge(&chain, VerifyPeer::AsStrictAsPossible, crlfile);
    assert_eq!(strict(None).class, Class::ConfigError);
    assert!(strict(Some(&chain.crl_pem())).is_accept(), "the list of the root is in the file");
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_787_277_600)
}

fn pki() -> Pki {
    Pki::new(&Seed::new(7), now(), "corp.example").expect("a domain")
}

fn chain(fault: &str) -> Chain {
    let dc1 = DcIdentity::new("dc1", "corp.example", [127, 0, 1, 11].into());
    let fault: ChainFault = fault.parse().expect("a fault");
    pki().chain(&dc1, &[fault]).expect("a chain")
}

fn judge(chain: &Chain, mode: VerifyPeer, crlfile: Option<&str>) -> Verdict {
    let peer = PeerName::new("dc1.corp.example");
    let config = ClientConfig {
        mode,
        trust: TrustFiles {
            cafile: Some(PemFile::new("/etc/ca.pem", pki().root_pem())),
            crlfile: crlfile.map(|text| PemFile::new("/etc/crl.pem", text)),
            ..TrustFiles::default()
        },
        priority: XAPI_PRIORITY.to_owned(),
    };
    let client = match Client::new(config) {
        Ok(client) => client,
        Err(error) => return error.verdict(&peer, now()),
    };
    let certificates = chain.certificates.iter().map(|der| der.to_vec()).collect();
    client.judge(&peer, &Presented { certificates, tls: TlsVersion::Tls12 }, now())
}
