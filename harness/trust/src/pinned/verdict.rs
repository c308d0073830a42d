//! What a party concludes about its peer, and why.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use rustls::SignatureScheme;

use super::{Fingerprint, KeySets, PeerName, PublicKey};

/// A conclusion with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The key of the certificate that was shown, if one was.
    pub found: Option<Fingerprint>,
    /// The keys that it could have been, and whose. Whoever dials expects one peer; whoever is
    /// dialled expects any that it knows.
    pub expected: BTreeMap<PeerName, BTreeSet<Fingerprint>>,
    /// What follows.
    pub conclusion: Conclusion,
}

/// What a party makes of its peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The peer is not let in.
    Refused(Reason),
    /// The peer is who it should be.
    Trusted {
        /// Whose key it is. Of peers that share a key, the first by name.
        peer: PeerName,
    },
}

/// Why a peer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The key is none of those expected.
    KeyNotPinned,
    /// The peer shows no certificate.
    NoCertificate,
    /// The certificate holds no key.
    NoPublicKey,
    /// The key is right, but the peer does not own it.
    PossessionRefuted,
    /// The peer signs in a way that does not go with its key, or that is not known here.
    SchemeUnsupported(SignatureScheme),
}

impl Reason {
    /// Its name in scenarios and comparisons.
    pub fn id(self) -> &'static str {
        match self {
            Self::KeyNotPinned => "key-not-pinned",
            Self::NoCertificate => "no-certificate",
            Self::NoPublicKey => "no-public-key",
            Self::PossessionRefuted => "possession-refuted",
            Self::SchemeUnsupported(_) => "scheme-unsupported",
        }
    }
}

impl Verdict {
    /// Why the peer is refused, if it is.
    pub fn reason(&self) -> Option<Reason> {
        match self.conclusion {
            Conclusion::Refused(reason) => Some(reason),
            Conclusion::Trusted { .. } => None,
        }
    }

    /// Whose key it is, if the peer is trusted.
    pub fn trusted(&self) -> Option<&PeerName> {
        match &self.conclusion {
            Conclusion::Refused(_) => None,
            Conclusion::Trusted { peer } => Some(peer),
        }
    }

    /// Compares the key of a certificate with those expected.
    pub(super) fn of_key(found: Option<&PublicKey>, expected: &KeySets) -> Self {
        let owner = found.and_then(|key| expected.iter().find(|(_, keys)| keys.contains(key)));
        let conclusion = match (found, owner) {
            (None, _) => Conclusion::Refused(Reason::NoPublicKey),
            (Some(_), None) => Conclusion::Refused(Reason::KeyNotPinned),
            (Some(_), Some((peer, _))) => Conclusion::Trusted { peer: peer.clone() },
        };
        Self { conclusion, ..Self::without_certificate(found, expected) }
    }

    /// The verdict about a peer that shows none.
    pub(super) fn without_certificate(found: Option<&PublicKey>, expected: &KeySets) -> Self {
        Self {
            found: found.map(PublicKey::fingerprint),
            expected: expected
                .iter()
                .map(|(peer, keys)| {
                    (peer.clone(), keys.iter().map(PublicKey::fingerprint).collect())
                })
                .collect(),
            conclusion: Conclusion::Refused(Reason::NoCertificate),
        }
    }
}

/// One sentence that says which key was found and which were expected.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.found.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        match &self.conclusion {
            Conclusion::Trusted { peer } => {
                return write!(f, "the key {found} is pinned for `{peer}`");
            }
            Conclusion::Refused(Reason::KeyNotPinned) => {
                write!(f, "the peer shows the key {found}")?;
            }
            Conclusion::Refused(Reason::NoCertificate) => {
                f.write_str("the peer shows no certificate")?;
            }
            Conclusion::Refused(Reason::NoPublicKey) => {
                f.write_str("the peer shows a certificate in which no key is found")?;
            }
            Conclusion::Refused(Reason::PossessionRefuted) => {
                return write!(f, "the peer shows the key {found} and does not own it");
            }
            Conclusion::Refused(Reason::SchemeUnsupported(scheme)) => {
                return write!(
                    f,
                    "the peer signs with {scheme:?}, which cannot be checked with the key {found}"
                );
            }
        }
        let pinned: Vec<_> = self
            .expected
            .iter()
            .flat_map(|(peer, keys)| keys.iter().map(move |key| format!("{key} for `{peer}`")))
            .collect();
        if pinned.is_empty() {
            return f.write_str("; no key is pinned for it");
        }
        write!(f, "; pinned are {}", pinned.join(", "))
    }
}
