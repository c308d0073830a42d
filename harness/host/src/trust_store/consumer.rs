//! What a consumer of a purpose trusts, such as the client of a licence server (xapi-flows.md
//! §2.4). LDAPS chooses by a rule of its own: [`super::TrustStore::ldaps_trust`].

use super::{StoreDirectory, TrustedKind};
use crate::Purpose;

/// What a consumer demands of its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerCheck {
    /// A chain that ends in a certificate of the bundle, and the right host name.
    ChainAndName,
    /// The peer's own certificate is in the bundle. Its name does not matter.
    Pinned,
}

/// The bundle that a consumer uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerTrust {
    /// Path of the bundle.
    pub bundle: String,
    /// How the peer is checked against it.
    pub check: PeerCheck,
}

/// Chooses for a consumer of `purpose`, by existence alone: the pinned bundle of the purpose, else
/// its CA bundle, else the general CA bundle. If that one does not do, no other is tried.
///
/// ```
/// use sim_host::{PeerCheck, Purpose, consumer_trust};
///
/// let general = |path: &str| path == "/etc/trusted-certs/ca-bundle-general.pem";
/// let chosen = consumer_trust(Purpose::Licensing, general).unwrap();
/// assert_eq!(chosen.check, PeerCheck::ChainAndName);
/// ```
pub fn consumer_trust(purpose: Purpose, exists: impl Fn(&str) -> bool) -> Option<ConsumerTrust> {
    [
        (TrustedKind::Pinned, Some(purpose), PeerCheck::Pinned),
        (TrustedKind::Ca, Some(purpose), PeerCheck::ChainAndName),
        (TrustedKind::Ca, None, PeerCheck::ChainAndName),
    ]
    .into_iter()
    .filter_map(|(kind, purpose, check)| {
        let bundle = StoreDirectory::Trusted(kind, purpose).bundle()?;
        Some(ConsumerTrust { bundle, check })
    })
    .find(|choice| exists(&choice.bundle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_bundle_is_chosen() {
        let all = [
            "/etc/trusted-certs/pinned-bundle-licensing.pem",
            "/etc/trusted-certs/ca-bundle-licensing.pem",
            "/etc/trusted-certs/ca-bundle-general.pem",
        ];
        let checks = [PeerCheck::Pinned, PeerCheck::ChainAndName, PeerCheck::ChainAndName];
        // Every set of bundles that may be there: the first of them in the order above is chosen.
        for set in 0..8_usize {
            let is_there = |index: usize| set & (1 << index) != 0;
            let exists =
                |path: &str| all.iter().position(|known| *known == path).is_some_and(is_there);
            let expected = (0..3)
                .find(|index| is_there(*index))
                .map(|index| ConsumerTrust { bundle: all[index].to_owned(), check: checks[index] });
            assert_eq!(consumer_trust(Purpose::Licensing, exists), expected, "{set:03b}");
        }
    }

    #[test]
    fn other_purposes_and_the_general_pinned_store_do_not_count() {
        let others = |path: &str| {
            path.contains("ldaps") || path == "/etc/trusted-certs/pinned-bundle-general.pem"
        };
        assert_eq!(consumer_trust(Purpose::Licensing, others), None);
        assert!(consumer_trust(Purpose::Ldaps, others).is_some());
    }
}
