//! Other judges for comparison: "your browser accepts this, your hosts do not".
//!
//! Neither is used by a simulated host. Both see the same anchors as the client.

use std::time::Duration;

use ground::Timestamp;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde::Serialize;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::{client::Client, evidence::Presented, name::PeerName, openssl};

/// What other rules make of the same chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Whose rules these are.
    pub rules: &'static str,
    /// Whether they accept chain and name.
    pub accepts: bool,
    /// The first objection.
    pub objection: Option<String>,
}

impl Comparison {
    pub(crate) fn new(rules: &'static str, result: Result<(), String>) -> Self {
        Self { rules, accepts: result.is_ok(), objection: result.err() }
    }
}

impl Client {
    /// Judges the chain by the rules of rustls-webpki and of OpenSSL.
    ///
    /// The mode of the client plays no role: both check chain, dates and name, and an address is
    /// looked up in the certificate.
    pub fn compare(
        &self,
        peer: &PeerName,
        presented: &Presented,
        at: Timestamp,
    ) -> Vec<Comparison> {
        vec![
            Comparison::new("WebPKI (rustls-webpki 0.103)", self.webpki(peer, presented, at)),
            Comparison::new(
                "OpenSSL 3.0 (openssl verify -purpose sslserver, security level 1)",
                openssl::judge(&self.trust, peer, presented, at),
            ),
        ]
    }

    fn webpki(&self, peer: &PeerName, presented: &Presented, at: Timestamp) -> Result<(), String> {
        let told = |error: webpki::Error| format!("{error:?}");
        let anchors: Vec<CertificateDer<'_>> = self
            .trust
            .anchors
            .iter()
            .map(|anchor| CertificateDer::from(anchor.certificate.der.as_slice()))
            .collect();
        let anchors: Vec<_> =
            anchors.iter().filter_map(|der| anchor_from_trusted_cert(der).ok()).collect();
        let sent: Vec<CertificateDer<'_>> =
            presented.certificates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let (leaf, above) = sent.split_first().ok_or_else(|| "no certificate".to_owned())?;
        let leaf = EndEntityCert::try_from(leaf).map_err(told)?;
        let seconds = u64::try_from(at.unix()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        leaf.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &anchors,
            above,
            now,
            KeyUsage::server_auth(),
            None,
            None,
        )
        .map_err(told)?;
        let name = ServerName::try_from(peer.as_str())
            .map_err(|_| format!("`{peer}` is neither a DNS name nor an address"))?;
        leaf.verify_is_valid_for_subject_name(&name).map_err(|error| match error {
            webpki::Error::CertNotValidForName(_) => format!("no name {peer}"),
            other => told(other),
        })
    }
}
