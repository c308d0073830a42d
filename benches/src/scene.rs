//! A sound domain, with what a client of it believes.

use std::fmt;

use fake_dc_pki::{Chain, DcIdentity, KeyKind, Pki};
use ground::{Seed, Timestamp};
use trust_verdict::{PemFile, Presented, TlsVersion, TrustFiles, VerifyPeer};

use crate::{Failure, Handshake, Policy};

/// A DC with a chain of three certificates, and a client that trusts their root.
pub struct Scene {
    /// The name the DC is connected by.
    pub peer: String,
    /// Leaf, intermediate and root, as sent.
    pub presented: Presented,
    /// The client's settings, in xapi's words.
    pub client: trust_verdict::ClientConfig,
    /// A time at which everything is valid.
    pub at: Timestamp,
    /// What the DC serves.
    pub chain: Chain,
    pub(crate) policy: Policy,
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Scene {
    /// Makes the domain; the same on every machine.
    pub fn new(policy: Policy) -> Result<Self, Failure> {
        let at: Timestamp = START.parse()?;
        let pki = Pki::new(&Seed::new(1), at, DOMAIN)?;
        let mut chain = chain(&pki, policy.leaf())?;
        let root = Presented::from_bytes(pki.root_pem().as_bytes(), TlsVersion::Tls12)?;
        chain.certificates.extend(root.certificates.into_iter().map(Into::into));
        let certificates = chain.certificates.iter().map(|certificate| certificate.to_vec());
        Ok(Self {
            peer: format!("dc1.{DOMAIN}"),
            presented: Presented { certificates: certificates.collect(), tls: policy.version() },
            client: trust_verdict::ClientConfig {
                mode: VerifyPeer::CaAndNameIfAvailable,
                trust: TrustFiles {
                    cafile: Some(PemFile::new("/etc/trusted-certs.pem", pki.root_pem())),
                    ..TrustFiles::default()
                },
                priority: policy.priority().to_owned(),
            },
            at,
            chain,
            policy,
        })
    }

    /// Both ends of a handshake as the policy has it, in memory.
    pub fn handshake(&self) -> Result<Handshake, Failure> {
        Handshake::new(self)
    }
}

/// The domain of every bench.
pub const DOMAIN: &str = "corp.example";
/// When every bench takes place.
pub const START: &str = "2026-08-21T02:00:00Z";

/// The chain of `dc1`, whose certificate has a key of that kind.
pub fn chain(pki: &Pki, leaf: KeyKind) -> Result<Chain, Failure> {
    let mut plan = pki.plan(&DcIdentity::new("dc1", DOMAIN, [127, 0, 0, 10].into()))?;
    plan.leaf().of_kind(leaf);
    Ok(plan.issue()?)
}

#[cfg(test)]
mod tests {
    use trust_verdict::Client;

    use super::Scene;
    use crate::Policy;

    #[test]
    fn the_scene_is_sound() {
        for policy in Policy::ALL {
            let scene = Scene::new(policy).expect("a domain");
            assert_eq!(scene.presented.certificates.len(), 3);
            scene.handshake().expect("configurations").run().expect("a handshake");
            let client = Client::new(scene.client).expect("settings");
            let peer = scene.peer.as_str().into();
            assert!(client.judge(&peer, &scene.presented, scene.at).is_accept(), "{policy:?}");
        }
    }
}
