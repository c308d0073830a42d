//! Judging never panics and always ends, whatever the bytes.

use proptest::prelude::*;
use trust_verdict::{
    Client, ClientConfig, PeerName, PemFile, Presented, SAMBA_PRIORITY, TlsOffer, TlsVersion,
    TrustFiles, VerifyPeer,
};

use crate::maker::Spec;

fn judge(sent: Vec<Vec<u8>>, cafile: Vec<u8>, crlfile: Vec<u8>, peer: &str) {
    for (mode, tls) in [
        (VerifyPeer::AsStrictAsPossible, TlsVersion::Tls13),
        (VerifyPeer::NoCheck, TlsVersion::Tls12),
    ] {
        let config = ClientConfig {
            mode,
            trust: TrustFiles {
                cafile: Some(PemFile::new("cafile", cafile.clone())),
                crlfile: Some(PemFile::new("crlfile", crlfile.clone())),
                ..TrustFiles::default()
            },
            priority: SAMBA_PRIORITY.to_owned(),
        };
        let peer = PeerName::new(peer);
        let verdict = match Client::new(config) {
            Ok(client) => {
                let presented = Presented { certificates: sent.clone(), tls };
                client.judge(&peer, &presented, crate::support::now())
            }
            Err(error) => error.verdict(&peer, crate::support::now()),
        };
        assert!(verdict.is_accept() == verdict.words(2).stderr.is_empty());
        assert!(!verdict.explain().is_empty());
        serde_json::to_string(&verdict).expect("a verdict is data");
    }
}

fn crl() -> Vec<u8> {
    crate::maker::crl(&crate::maker::name(&["root"]), "250101000000Z", &[vec![1]]).into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_are_judged(
        sent in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
        peer in ".{0,40}",
    ) {
        judge(sent, Spec::root("root", 1).pem().into_bytes(), crl(), &peer);
    }

    #[test]
    fn mutated_certificates_are_judged(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        target in 0_usize..3,
    ) {
        let root = Spec::root("root", 1);
        let intermediate = Spec::new("int", 2, "root", 1).with(crate::maker::Ext::ca(Some(0)));
        let mut certificates = vec![Spec::leaf("int", 2).der(), intermediate.der(), root.der()];
        for (place, octet) in edits {
            let certificate = &mut certificates[target];
            let place = place.index(certificate.len());
            certificate[place] = octet;
        }
        let cafile = crate::maker::pem("CERTIFICATE", &certificates[2]);
        judge(certificates, cafile.into_bytes(), crl(), "dc1.ad.example.test");
    }

    #[test]
    fn mutated_files_are_loaded(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (mut cafile, mut crlfile) = (Spec::root("root", 1).pem().into_bytes(), crl());
        for (place, octet) in edits {
            let at = place.index(cafile.len());
            cafile[at] = octet;
            let at = place.index(crlfile.len());
            crlfile[at] = octet;
        }
        judge(vec![Spec::leaf("root", 1).der()], cafile, crlfile, "dc1.ad.example.test");
    }

    #[test]
    fn any_priority_string_is_read_or_refused(text in "(NORMAL|NONE)?(:[+!%-]?[A-Z0-9.-]{0,12}){0,6}") {
        let _ = TlsOffer::parse(&text);
    }

    #[test]
    fn any_evidence_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Presented::from_bytes(&bytes, TlsVersion::Tls12);
    }
}

#[test]
fn mutated_chains_of_the_oracle_are_judged() {
    for (number, folder) in crate::support::oracle().into_iter().enumerate() {
        let sample = crate::support::Sample::load(&folder);
        let mut presented = sample.presented(TlsVersion::Tls13);
        for (index, certificate) in presented.certificates.iter_mut().enumerate() {
            let place = (number * 7919 + index * 104_729) % certificate.len().max(1);
            if let Some(octet) = certificate.get_mut(place) {
                *octet ^= 0x55;
            }
        }
        let peer = PeerName::new("dc1.ad.example.test");
        if let Ok(client) = sample.client(VerifyPeer::CaAndName, "default") {
            let verdict = client.judge(&peer, &presented, crate::support::now());
            assert!(!verdict.explain().is_empty(), "{}", sample.name);
        }
    }
}
