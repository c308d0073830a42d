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
use trust_verdict::{Client, HandshakeFailure, PeerName, Presented, TlsVersion, Verdict};

use super::{
    smb_conf::Settings,
    tls::{HandshakeError, Hello, Shown},
    tls_settings::TlsSettings,
    watched,
};
use crate::HostRoot;

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
        // What the host cannot reach is not there for it.
        let (config, _unreadable) = TlsSettings::of(settings, root).read();
        let client = Client::new(config).map_err(|error| Box::new(error.verdict(peer, at)))?;
        Ok(Self::of(client))
    }

    /// What this client trusts.
    pub(super) fn of(client: Client) -> Self {
        Self { client }
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
                cipher_suites: cipher_suites.copied().map(watched::suite).collect(),
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
        self.client.judge(peer, &presented(shown), at)
    }

    /// The verdict about a DC whose handshake failed.
    pub(super) fn handshake_failure(
        &self,
        error: &HandshakeError,
        peer: &PeerName,
        at: Timestamp,
    ) -> Verdict {
        self.client.handshake_failure(peer, handshake_failure(error), at)
    }
}

/// What the server showed, as evidence.
pub(super) fn presented(shown: &Shown) -> Presented {
    let tls = match shown.version {
        ProtocolVersion::TLSv1_3 => TlsVersion::Tls13,
        _ => TlsVersion::Tls12,
    };
    Presented { certificates: shown.certificates.clone(), tls }
}

/// What GnuTLS would have seen.
pub(super) fn handshake_failure(error: &HandshakeError) -> HandshakeFailure {
    match error {
        // An offer that rustls cannot make is one that no server would take.
        HandshakeError::Alert(_) | HandshakeError::Offer(_) => HandshakeFailure::FatalAlert,
        HandshakeError::Closed => HandshakeFailure::PrematureTermination,
        HandshakeError::ClosedWithNotice => HandshakeFailure::CloseNotify,
        HandshakeError::Curve => HandshakeFailure::UnofferedCurve,
        HandshakeError::Decryption => HandshakeFailure::Decryption,
        HandshakeError::Finished => HandshakeFailure::Finished,
        HandshakeError::Illegal(_) => HandshakeFailure::IllegalParameter,
        HandshakeError::Length(_) => HandshakeFailure::PacketLength,
        HandshakeError::NoCertificate => HandshakeFailure::NoCertificate,
        HandshakeError::Overflow => HandshakeFailure::RecordOverflow,
        HandshakeError::OutOfTurn(_) => HandshakeFailure::UnexpectedHandshake,
        HandshakeError::Reset(_) | HandshakeError::Silent => HandshakeFailure::PullError,
        HandshakeError::Signature => HandshakeFailure::Signature,
        HandshakeError::Suite => HandshakeFailure::UnofferedCipherSuite,
        HandshakeError::TooLarge => HandshakeFailure::HandshakeTooLarge,
        HandshakeError::Version => HandshakeFailure::UnsupportedVersion,
        // GnuTLS has an error of its own for each of the many ways to misbehave; those that are not
        // above have the same NT status.
        HandshakeError::Protocol(_) | HandshakeError::UnexpectedPacket => {
            HandshakeFailure::UnexpectedPacket
        }
    }
}
