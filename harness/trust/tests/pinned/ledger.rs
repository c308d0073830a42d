//! The ledger tells who believed whom, and is the same for the same keys.

use serde_json::{Value, json};
use trust_models::pinned::facts::{Accepted, Dialled, Failed, Judged};

use crate::world::{introduce, key_of, ledger, meet, party};

async fn story() -> Vec<(String, &'static str, Value)> {
    let ledger = ledger();
    let manager = party(&ledger, "manager1", key_of("manager1", 1));
    let agent = party(&ledger, "agent1", key_of("agent1", 1));
    introduce(&manager, "manager1", &agent, "agent1");
    let _ = meet(&manager, &agent, "agent1").await;
    manager.switch_to(key_of("manager1", 2));
    let _ = meet(&manager, &agent, "agent1").await;
    let events = ledger.causal_order();
    let told = events.into_iter().map(|event| {
        let mut fields = event.fields();
        // The port is the system's choice.
        fields.remove("address");
        (event.actor.to_string(), event.kind(), Value::Object(fields))
    });
    told.collect()
}

#[tokio::test]
async fn the_same_keys_tell_the_same_story() {
    let told = story().await;
    assert_eq!(told, story().await);
    let steps: Vec<_> = told.iter().map(|(actor, kind, _)| (actor.as_str(), *kind)).collect();
    assert_eq!(
        steps,
        [
            ("host:manager1", Dialled::KIND),
            ("host:agent1", Accepted::KIND),
            ("host:agent1", Judged::KIND),
            ("host:manager1", Judged::KIND),
            ("host:manager1", Dialled::KIND),
            ("host:agent1", Accepted::KIND),
            ("host:agent1", Judged::KIND),
            ("host:manager1", Judged::KIND),
            ("host:manager1", Failed::KIND),
        ]
    );
    let [old, new, agent] = [("manager1", 1), ("manager1", 2), ("agent1", 1)]
        .map(|(name, number)| key_of(name, number).public_key().fingerprint().to_string());
    assert_eq!(
        told[6].2,
        json!({
            "trusted": null,
            "found": new,
            "expected": { "manager1": [old] },
            "reason": format!("the peer shows the key {new}; pinned are {old} for `manager1`"),
        })
    );
    assert_eq!(
        told[3].2,
        json!({
            "trusted": "agent1",
            "found": agent,
            "expected": { "agent1": [agent] },
            "reason": null,
        })
    );
    assert_eq!(told[8].2, json!({ "cause": "refused-by-peer" }));
}
