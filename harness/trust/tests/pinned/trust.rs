//! What decides, and what does not.

use fake_dc_pki::{KeyKind, catalogue, fault};
use rustls::AlertDescription;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trust_models::pinned::{Conclusion, Identity, IdentityError, PinnedError, Reason};

use crate::world::{
    connects, deployed, faulty, from_ca, identity, introduce, key_of, ledger, meet, parts, party,
    self_signed,
};

#[tokio::test]
async fn both_ends_know_whom_they_speak_to() {
    let (manager, agent) = deployed();
    let (dialled, accepted) = meet(&manager, &agent, "agent1").await;
    let (mut dialled, mut accepted) = (dialled.unwrap(), accepted.unwrap());
    assert_eq!(dialled.verdict.trusted(), Some(&"agent1".into()));
    assert_eq!(accepted.verdict.trusted(), Some(&"manager1".into()));
    let key = agent.identity().public_key().fingerprint();
    assert_eq!(dialled.verdict.to_string(), format!("the key {key} is pinned for `agent1`"));

    dialled.stream.write_all(b"ping").await.unwrap();
    let mut text = [0; 4];
    accepted.stream.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"ping");
}

/// Whatever is wrong with a certificate, the right key in it is enough: expired, not yet valid,
/// misnamed, an unknown critical extension, the wrong purpose, an unknown issuer.
#[tokio::test]
async fn nothing_but_the_key_counts() {
    let mut unusable = Vec::new();
    for info in catalogue() {
        let chain = faulty("agent1", fault(info.id).unwrap());
        if chain.certificates.is_empty() {
            // A DC whose stores hold nothing it can use; a party always has a certificate.
            continue;
        }
        let (certificates, key) = parts(&chain);
        let Ok(identity) = Identity::new(certificates, key) else {
            unusable.push(info.id);
            continue;
        };
        let ledger = ledger();
        let manager = party(&ledger, "manager1", key_of("manager1", 1));
        let agent = party(&ledger, "agent1", identity);
        introduce(&manager, "manager1", &agent, "agent1");
        assert!(connects(&manager, &agent, "agent1").await, "{}", info.id);
        assert!(connects(&agent, &manager, "manager1").await, "{}", info.id);
    }
    // The first certificate is not that of the key, or the key is none that rustls signs with.
    let expected = [
        "chain.leaf-last",
        "algorithm.rsa-512",
        "algorithm.rsa-1024",
        "algorithm.rsa-pss-key",
        "algorithm.unknown-key",
    ];
    assert_eq!(unusable, expected);
}

#[tokio::test]
async fn every_kind_of_key() {
    for kind in [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::Rsa2048] {
        let ledger = ledger();
        let manager = party(&ledger, "m", identity(&self_signed("m", "manager", kind)));
        let agent = party(&ledger, "a", identity(&self_signed("a", "agent", kind)));
        introduce(&manager, "m", &agent, "a");
        assert!(connects(&manager, &agent, "a").await, "{kind:?}");
    }
}

/// The impostor's certificate differs from the agent's in the key alone.
#[tokio::test]
async fn the_right_authority_with_a_wrong_key_is_refused() {
    let ledger = ledger();
    let manager = party(&ledger, "manager1", identity(&from_ca("manager1", "manager")));
    let agent = party(&ledger, "agent1", identity(&from_ca("agent1", "agent")));
    introduce(&manager, "manager1", &agent, "agent1");
    assert!(connects(&manager, &agent, "agent1").await);

    let impostor = party(&ledger, "agent1", identity(&from_ca("agent1", "impostor")));
    impostor.known_keys().add("manager1".into(), manager.identity().public_key().clone());
    let (dialled, accepted) = meet(&manager, &impostor, "agent1").await;
    let Err(PinnedError::Refused(verdict)) = dialled else { panic!("{dialled:?}") };
    let found = impostor.identity().public_key().fingerprint();
    let pinned = agent.identity().public_key().fingerprint();
    assert_eq!(verdict.conclusion, Conclusion::Refused(Reason::KeyNotPinned));
    assert_eq!(
        verdict.to_string(),
        format!("the peer shows the key {found}; pinned are {pinned} for `agent1`")
    );
    let Err(PinnedError::RefusedByPeer { alert }) = accepted else { panic!("{accepted:?}") };
    assert_eq!(alert, AlertDescription::AccessDenied);

    // The other way round.
    impostor.known_keys().add("agent1".into(), agent.identity().public_key().clone());
    let (dialled, accepted) = meet(&impostor, &agent, "agent1").await;
    assert!(matches!(dialled, Err(PinnedError::RefusedByPeer { .. })), "{dialled:?}");
    let Err(PinnedError::Refused(verdict)) = accepted else { panic!("{accepted:?}") };
    assert_eq!(verdict.found, Some(found));
    assert_eq!(verdict.expected.keys().collect::<Vec<_>>(), [&"manager1".into()]);
}

/// A key counts for the peer that it is pinned for, not for another that is dialled.
#[tokio::test]
async fn the_key_of_another_peer_is_a_wrong_key() {
    let (manager, agent) = deployed();
    let other = party(&ledger(), "agent2", key_of("agent2", 1));
    introduce(&manager, "manager1", &other, "agent2");
    assert!(connects(&manager, &other, "agent2").await);
    assert!(!connects(&manager, &other, "agent1").await);
    assert!(!connects(&manager, &agent, "agent2").await);
    let (dialled, _) = meet(&manager, &agent, "agent3").await;
    let found = agent.identity().public_key().fingerprint();
    let expected = format!("the peer shows the key {found}; no key is pinned for it");
    assert_eq!(dialled.unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn a_removed_host_needs_no_revocation_list() {
    let (manager, agent) = deployed();
    assert!(manager.known_keys().forget(&"agent1".into()));
    assert!(!connects(&agent, &manager, "manager1").await);
    assert!(!connects(&manager, &agent, "agent1").await);
}

#[test]
fn a_certificate_and_the_key_of_another_are_no_identity() {
    let (certificates, _) = parts(&self_signed("a", "agent", KeyKind::EcdsaP256));
    let (_, key) = parts(&self_signed("a", "other", KeyKind::EcdsaP256));
    let refused = Identity::new(certificates, key.clone_key()).unwrap_err();
    assert!(refused.to_string().starts_with("the certificate holds the key sha256//"));
    assert!(matches!(Identity::new(Vec::new(), key), Err(IdentityError::NoCertificate)));
}
