//! Whom a client believes, as xapi tells stunnel (`verifyPeer`): by the subject and the public key of the
//! certificate that the other end shows, never by a chain, the name it is called by, or a date. Hosts of a
//! pool pin each other's keys so, and the comparing is that of `trust_models::pinned`.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use trust_models::pinned::{KeySets, PeerName, PublicKey, Witness, subject_of};

/// Which key the other end of TLS must show. That it owns the key is always checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Any: the first login of a join (xapi-flows.md §12.1, step 2), or TLS verification off.
    Nothing,
    /// The key of this one, in DER (§5.3, step 1).
    Leaf(Vec<u8>),
    /// A key of one of these, in PEM: the bundle of a pool (§12.1, step 7), which holds the certificate of
    /// each of its hosts.
    Bundle(String),
}

impl Trust {
    /// The first certificate of a PEM text must be shown; `None` if it holds none.
    pub fn leaf_of_pem(pem: &str) -> Option<Self> {
        let leaf = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        Some(Self::Leaf(leaf.to_vec()))
    }

    /// What rustls is to do. Entries of a bundle that cannot be read are passed over.
    pub(crate) fn configuration(&self) -> Result<ClientConfig, rustls::Error> {
        let peers: Option<Vec<CertificateDer<'static>>> = match self {
            Self::Nothing => None,
            Self::Leaf(leaf) => Some(vec![CertificateDer::from(leaf.clone())]),
            Self::Bundle(pem) => Some(
                CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok).collect(),
            ),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let peers = peers.map(|peers| peers.iter().filter_map(|peer| Peer::of(peer)).collect());
        let verifier = Peers { peers, possession: Witness::new(KeySets::new()) };
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    }
}

/// stunnel's `verifyPeer`: of the certificates that it has been given, those with the subject of the
/// one that is shown are looked at, and one of them must have its public key (`cert_check_local` in
/// `src/verify.c` of stunnel 5). So a certificate that was issued anew for the same key is believed.
#[derive(Debug)]
struct Peers {
    /// `None` lets everybody pass.
    peers: Option<Vec<Peer>>,
    /// Checks that the other end owns its key.
    possession: Arc<Witness>,
}

#[derive(Debug)]
struct Peer {
    /// In DER.
    subject: Vec<u8>,
    key: PublicKey,
}

impl Peer {
    fn of(certificate: &[u8]) -> Option<Self> {
        let key = PublicKey::of_certificate(certificate).ok()?;
        Some(Self { subject: subject_of(certificate)?.to_owned(), key })
    }
}

impl ServerCertVerifier for Peers {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(peers) = &self.peers else { return Ok(ServerCertVerified::assertion()) };
        let alike = peers.iter().filter(|peer| subject_of(leaf) == Some(&peer.subject));
        let keys = alike.map(|peer| peer.key.clone()).collect();
        let expected = KeySets::from([(PeerName::from("the host of this subject"), keys)]);
        Witness::new(expected).verify_server_cert(leaf, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.possession.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.possession.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.possession.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use fake_dc_pki::CertificatePlan;
    use ground::{Seed, Timestamp};

    use super::*;

    /// A self-signed certificate as hosts make them.
    fn certificate(subject: &str, key: u64, days: i64) -> CertificateDer<'static> {
        let start = Timestamp::from_unix(1_700_000_000);
        let mut plan = CertificatePlan::server("internal");
        plan.named(subject).valid(start, start.plus_days(days));
        plan.issue_alone(&Seed::new(key)).unwrap().certificates[0].clone()
    }

    fn believes(trusted: &CertificateDer<'_>, shown: &CertificateDer<'_>) -> bool {
        let peers = Some(Peer::of(trusted).into_iter().collect());
        let peers = Peers { peers, possession: Witness::new(KeySets::new()) };
        let name = ServerName::try_from("pool").unwrap();
        let now = UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        peers.verify_server_cert(shown, &[], &name, &[], now).is_ok()
    }

    #[test]
    fn the_key_and_the_subject_count_and_the_rest_does_not() {
        let trusted = certificate("host1", 1, 3_650);
        assert!(believes(&trusted, &trusted));
        assert!(believes(&trusted, &certificate("host1", 1, 1)), "issued anew");
        assert!(!believes(&trusted, &certificate("host1", 2, 3_650)), "another key");
        assert!(!believes(&trusted, &certificate("host2", 1, 3_650)), "another subject");
        assert!(!believes(&trusted, &CertificateDer::from(vec![0x30, 0])), "no certificate");
    }
}
