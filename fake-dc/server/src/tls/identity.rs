//! What a DC shows of itself on TLS: its certificates, with what it offers, or with what a fault
//! makes of either.

use std::sync::Arc;

use fake_dc_pki::{Chain, PrivateKey};
use rustls::{
    Error, ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::CertificateDer,
    server::{ClientHello, NoClientAuth, NoServerSessionStorage, ResolvesServerCert},
    sign::{CertifiedKey, SigningKey},
    version::{TLS12, TLS13},
};
use sha2::{Digest as _, Sha256};

use super::{
    client_auth::{Anybody, ClientAuth, Judge},
    keys,
    own::Rules,
    sha1_key::Sha1Key,
    spoilt_key::SpoiltKey,
};

/// What a DC offers and does on TLS. A fault changes it.
pub(crate) struct TlsPolicy {
    /// Suites and groups.
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) versions: &'static [&'static SupportedProtocolVersion],
    pub(crate) client_auth: ClientAuth,
    /// Who judges what clients show; whatever it is, it is taken otherwise.
    pub(crate) client_judge: Option<Arc<Judge>>,
    pub(crate) certificates: Certificates,
    pub(crate) proof: Proof,
    /// The rules of our own server, if it takes the place of rustls.
    pub(crate) own: Option<Rules>,
    /// Whether the first record that the server has sealed arrives damaged.
    pub(crate) damages_sealed_record: bool,
}

/// Versions to offer.
pub(crate) const ONLY_TLS12: &[&SupportedProtocolVersion] = &[&TLS12];
/// Versions to offer.
pub(crate) const ONLY_TLS13: &[&SupportedProtocolVersion] = &[&TLS13];

/// What is sent as the list of certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Certificates {
    /// The chain.
    #[default]
    Chain,
    /// The chain over and over, until it has that many bytes.
    Padded(usize),
    /// Nothing.
    Without,
}

/// How the server proves that it has the key of its certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It signs.
    #[default]
    Sound,
    /// It signs with another key.
    OtherKey,
    /// It signs with SHA-1.
    Sha1,
    /// It signs, and one bit of the signature is turned.
    Spoilt,
}

impl TlsPolicy {
    /// Everything that the provider has.
    pub(crate) fn open(provider: &Arc<CryptoProvider>) -> Self {
        Self {
            provider: Arc::clone(provider),
            versions: rustls::ALL_VERSIONS,
            client_auth: ClientAuth::default(),
            client_judge: None,
            certificates: Certificates::default(),
            proof: Proof::default(),
            own: None,
            damages_sealed_record: false,
        }
    }

    /// Whether it is still [`open`](Self::open) with that provider: no fault has changed it.
    pub(crate) fn is_open(&self, provider: &Arc<CryptoProvider>) -> bool {
        Arc::ptr_eq(&self.provider, provider)
            && self.versions == rustls::ALL_VERSIONS
            && self.client_auth == ClientAuth::default()
            && self.certificates == Certificates::default()
            && self.proof == Proof::default()
            && self.own.is_none()
            && !self.damages_sealed_record
    }

    /// The provider of this process.
    pub(crate) fn provider() -> Arc<CryptoProvider> {
        Arc::new(aws_lc_rs::default_provider())
    }
}

/// What a DC shows of itself on TLS.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) certified: Arc<CertifiedKey>,
    pub(crate) key: PrivateKey,
    /// SHA-256 fingerprint of the first certificate.
    pub(crate) leaf: Option<String>,
    pub(crate) own: Option<Rules>,
    pub(crate) damages_sealed_record: bool,
}

impl Identity {
    /// `chain` served as it is, apart from what `policy` says. `stranger` is a key that is not that
    /// of the chain.
    ///
    /// # Errors
    /// If the key is none that can be signed with.
    pub(crate) fn new(
        policy: TlsPolicy,
        chain: &Chain,
        stranger: Option<PrivateKey>,
    ) -> Result<Self, Error> {
        let key = stranger.unwrap_or_else(|| chain.key.clone());
        let mut signing: Arc<dyn SigningKey> = keys::load(&policy.provider, &key)?;
        match policy.proof {
            Proof::OtherKey | Proof::Sound => {}
            Proof::Sha1 => {
                if let Some(key) = Sha1Key::new(&key) {
                    signing = Arc::new(key);
                }
            }
            Proof::Spoilt => signing = Arc::new(SpoiltKey(signing)),
        }
        let certificates = policy.certificates.of(chain);
        let leaf = certificates.first().map(|leaf| fingerprint(leaf));
        // `CertifiedKey::new` checks nothing: a key that does not match and bytes that are no
        // certificate are served as given.
        let certified = Arc::new(CertifiedKey::new(certificates, signing));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&policy.provider))
            .with_protocol_versions(policy.versions)?;
        let mut config = builder
            .with_client_cert_verifier(match policy.client_auth {
                ClientAuth::Absent => Arc::new(NoClientAuth),
                auth => Arc::new(Anybody {
                    is_required: auth == ClientAuth::Required,
                    judge: policy.client_judge,
                    provider: policy.provider,
                }),
            })
            .with_cert_resolver(Arc::new(Always(Arc::clone(&certified))));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self {
            config: Arc::new(config),
            certified,
            key,
            leaf,
            own: policy.own,
            damages_sealed_record: policy.damages_sealed_record,
        })
    }
}

impl Certificates {
    fn of(self, chain: &Chain) -> Vec<CertificateDer<'static>> {
        let all = &chain.certificates;
        match self {
            Self::Chain => all.clone(),
            Self::Padded(size) => {
                let bytes = all.iter().map(|certificate| certificate.len()).sum::<usize>();
                let times = size.div_ceil(bytes.max(1));
                all.iter().cycle().take(times * all.len()).cloned().collect()
            }
            Self::Without => Vec::new(),
        }
    }
}

/// Serves one chain to every client, whatever it offers.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// The SHA-256 fingerprint of a certificate, in lower-case hex.
pub(crate) fn fingerprint(certificate: &[u8]) -> String {
    hex(&Sha256::digest(certificate))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
