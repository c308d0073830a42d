//! Certificates: issuing one, and judging a chain of three.

use std::{hint::black_box, rc::Rc};

use fake_dc_pki::{CertificatePlan, DcIdentity, KeyKind, Pki};
use ground::Seed;
use trust_verdict::{
    Client, ClientConfig, PeerName, PemFile, Presented, TlsVersion, TrustFiles, VerifyPeer,
    XAPI_PRIORITY,
};

use super::{NOW, expect};
use crate::{Failure, HotPath};

pub(super) fn paths() -> Result<Vec<HotPath>, Failure> {
    let seed = Seed::new(1);
    let mut plan = CertificatePlan::server("host1");
    plan.named("host1").also_named(["host1"]).valid(NOW, NOW.plus_days(365));
    plan.of_kind(KeyKind::EcdsaP256);
    let issue = HotPath::new("pki/issue-p256", move || {
        let chain = black_box(&plan).issue_alone(&seed)?;
        expect(chain.certificates.len() == 1, || "no certificate".to_owned())
    });

    let pki = Pki::new(&Seed::new(1), NOW, "corp.example")?;
    let dc = DcIdentity::new("dc1", "corp.example", [127, 0, 1, 11].into());
    let mut certificates: Vec<Vec<u8>> =
        pki.chain(&dc, &[])?.certificates.iter().map(|each| each.to_vec()).collect();
    let root = Presented::from_bytes(pki.root_pem().as_bytes(), TlsVersion::Tls12)?;
    certificates.extend(root.certificates);
    let presented = Rc::new(Presented { certificates, tls: TlsVersion::Tls12 });
    let cafile = Some(PemFile::new("/etc/trusted-certs.pem", pki.root_pem()));
    let client = Rc::new(Client::new(ClientConfig {
        mode: VerifyPeer::CaAndNameIfAvailable,
        trust: TrustFiles { cafile, ..TrustFiles::default() },
        priority: XAPI_PRIORITY.to_owned(),
    })?);
    let judge = |name, at, accepted: bool| {
        let (client, presented) = (Rc::clone(&client), Rc::clone(&presented));
        HotPath::new(name, move || {
            let peer = PeerName::new(black_box("dc1.corp.example"));
            let verdict = client.judge(&peer, black_box(&presented), at);
            expect(verdict.is_accept() == accepted, || format!("{verdict:?}"))
        })
    };
    let late = NOW.plus_days(36_500);
    Ok(vec![issue, judge("verdict/accepted", NOW, true), judge("verdict/refused", late, false)])
}
