//! Between the host's files, the TLS library and `trust-verdict`: reads the files that smb.conf
//! names, says what is offered, and asks for the verdict. It decides nothing itself.

use ground::Timestamp;
use rustls::{
    ProtocolVersion,
    crypto::{
        CryptoProvider,
        aws_lc_rs::{self, ALL_CIPHER_SUITES, ALL_KX_GROUPS},
    },
    version::{TLS12, TLS13},
};
use trust_verdict::{
    Client, ClientConfig, FileContent, HandshakeFailure, PeerName, PemFile, Presented, TlsVersion,
    TrustDirectory, TrustFiles, Verdict,
};

use super::{
    smb_conf::Settings,
    tls::{HandshakeError, Hello, Shown},
};
use crate::{Entry, HostRoot};

/// Where the system keeps its CA bundle: Debian, then RHEL and XenServer. GnuTLS knows one of
/// them, fixed when it was built.
const SYSTEM_BUNDLES: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// What the client trusts, read anew for each connection.
#[derive(Debug)]
pub(super) struct Trust {
    client: Client,
}

impl Trust {
    /// Reads the files. A configuration that cannot be used is a verdict about every DC.
    pub(super) fn load(
        settings: &Settings,
        root: &HostRoot,
        peer: &PeerName,
        at: Timestamp,
    ) -> Result<Self, Box<Verdict>> {
        let file = |path: &String| (!path.is_empty()).then(|| pem_file(root, path));
        let trust = TrustFiles {
            cafile: file(&settings.cafile),
            ca_directories: settings
                .ca_directories
                .iter()
                .map(|path| directory(root, path))
                .collect(),
            system_cas: settings.trust_system_cas.then(|| system_bundle(root)),
            crlfile: file(&settings.crlfile),
        };
        let mode = settings.verify_peer;
        let config = ClientConfig { mode, trust, priority: settings.priority.clone() };
        let client = Client::new(config).map_err(|error| Box::new(error.verdict(peer, at)))?;
        Ok(Self { client })
    }

    /// What to offer: of what the priority string names, as much as rustls has. It has no TLS 1.0
    /// and 1.1, no static RSA, no finite fields and no CBC.
    pub(super) fn hello(&self, peer: &PeerName, at: Timestamp) -> Hello {
        let offer = self.client.offer();
        let cipher_suites = offer.cipher_suites.iter().filter_map(|number| {
            ALL_CIPHER_SUITES.iter().find(|suite| u16::from(suite.suite()) == *number)
        });
        let kx_groups = offer.groups.iter().filter_map(|number| {
            ALL_KX_GROUPS.iter().find(|group| u16::from(group.name()) == *number)
        });
        let versions = offer.versions.iter().filter_map(|version| match version {
            TlsVersion::Tls12 => Some(&TLS12),
            TlsVersion::Tls13 => Some(&TLS13),
            TlsVersion::Tls10 | TlsVersion::Tls11 => None,
        });
        Hello {
            provider: CryptoProvider {
                cipher_suites: cipher_suites.copied().collect(),
                kx_groups: kx_groups.copied().collect(),
                ..aws_lc_rs::default_provider()
            },
            versions: versions.collect(),
            sni: self.client.sni(peer).map(str::to_owned),
            at,
        }
    }

    /// The verdict about what the DC showed.
    pub(super) fn judge(&self, peer: &PeerName, shown: &Shown, at: Timestamp) -> Verdict {
        let tls = match shown.version {
            ProtocolVersion::TLSv1_3 => TlsVersion::Tls13,
            _ => TlsVersion::Tls12,
        };
        let presented = Presented { certificates: shown.certificates.clone(), tls };
        self.client.judge(peer, &presented, at)
    }

    /// The verdict about a DC whose handshake failed.
    pub(super) fn handshake_failure(
        &self,
        error: &HandshakeError,
        peer: &PeerName,
        at: Timestamp,
    ) -> Verdict {
        let failure = match error {
            // An offer that rustls cannot make is one that no server would take.
            HandshakeError::Alert(_) | HandshakeError::Offer(_) => HandshakeFailure::FatalAlert,
            HandshakeError::Closed => HandshakeFailure::PrematureTermination,
            HandshakeError::Reset(_) | HandshakeError::Silent => HandshakeFailure::PullError,
            HandshakeError::Version => HandshakeFailure::UnsupportedVersion,
            // GnuTLS has an error of its own for each of the many ways to misbehave; all have the
            // same NT status.
            HandshakeError::Protocol(_)
            | HandshakeError::Signature
            | HandshakeError::UnexpectedPacket => HandshakeFailure::UnexpectedPacket,
        };
        self.client.handshake_failure(peer, failure, at)
    }
}

fn pem_file(root: &HostRoot, path: &str) -> PemFile {
    let content = match root.entry(path) {
        Ok(Entry::Directory) => FileContent::Directory,
        Ok(Entry::File) => root.read(path).map_or(FileContent::Missing, FileContent::Bytes),
        // What the host cannot reach is not there for it.
        Ok(Entry::Missing) | Err(_) => FileContent::Missing,
    };
    PemFile { path: path.to_owned(), content }
}

fn system_bundle(root: &HostRoot) -> PemFile {
    let mut bundles = SYSTEM_BUNDLES.iter().map(|path| pem_file(root, path));
    bundles
        .find(|bundle| bundle.content != FileContent::Missing)
        .unwrap_or_else(|| PemFile::missing(SYSTEM_BUNDLES[0]))
}

fn directory(root: &HostRoot, path: &str) -> TrustDirectory {
    let files = root.list(path).unwrap_or_default().into_iter().filter_map(|name| {
        let content = root.read(&format!("{path}/{name}")).ok()?;
        Some((name, content))
    });
    TrustDirectory { path: path.to_owned(), files: files.collect() }
}
