//! Sentences of the model of pinned keys.

use super::Fields;

/// How a fact of pinned keys is told; `None` if it is none.
pub(super) fn told(kind: &str, fields: &Fields) -> Option<String> {
    let text = |name: &str| fields.text(name);
    let key = |name: &str| short(&text(name));
    Some(match kind {
        "pinned.dialled" => match text("address").as_str() {
            "inside" => format!("connects to {} inside of the channel", text("peer")),
            _ => format!("connects to {}", text("peer")),
        },
        "proxy.reached" => "takes the connection in the way".to_owned(),
        "pinned.accepted" => "takes the connection".to_owned(),
        "pinned.judged" => match text("trusted").as_str() {
            "" => format!("REFUSES: {}", short(&text("reason"))),
            peer => format!("sees the key {} and believes that it is {peer}", key("found")),
        },
        "pinned.failed" => match text("cause").as_str() {
            "altered" => "gives up: a message was altered".to_owned(),
            "connect" => "finds nobody there".to_owned(),
            "refused-by-peer" => "is REFUSED by the other end".to_owned(),
            "silent" => "gives up: the other end says nothing".to_owned(),
            cause => format!("gives up: {cause}"),
        },
        "pinned.deployment-began" => format!("deploys {}", text("agent")),
        "pinned.fingerprint-compared" => {
            let shown = key("shown");
            match (text("expected").as_str(), fields.is("same")) {
                ("", _) => {
                    format!("the host shows the key {shown}, and nobody has said which it has")
                }
                (_, true) => format!("the host shows the key {shown}, as expected"),
                (_, false) => {
                    format!("the host shows the key {shown}, NOT {} as expected", key("expected"))
                }
            }
        }
        "pinned.store-changed" => {
            let peer = text("peer");
            match text("change").as_str() {
                "key-added" => format!("takes one more key of {peer}"),
                "key-dropped" => format!("drops a key of {peer}"),
                "pending" => format!("writes {peer} down, and does not believe it yet"),
                "removed" => format!("has removed {peer}"),
                "taken-back" => format!("takes back what was written down of {peer}"),
                "trusted" => format!("believes {peer} from now on"),
                change => format!("{change} of {peer}"),
            }
        }
        "pinned.key-switched" => format!("shows the key {} from now on", key("key")),
        "pinned.ordered" => match text("refused").as_str() {
            "" => format!("carries out {} for {}", text("order"), text("by")),
            reason => format!("REFUSES {} of {}: {reason}", text("order"), text("by")),
        },
        "pinned.lent" => {
            let (peer, migration) = (text("peer"), text("migration"));
            match text("state").as_str() {
                "lent" => format!("has the key of {peer} for the time of {migration}"),
                "lapsed" => format!("the key of {peer} lapses: nobody has ended {migration}"),
                _ => format!("gives the key of {peer} back after {migration}"),
            }
        }
        "pinned.symmetric-key-proof" => match text("refused").as_str() {
            "" => format!("shares the symmetric key of the deployment with {}", text("peer")),
            reason => {
                let whose = fields.with(" by ", "peer");
                format!("finds the symmetric key NOT proven{whose}{}", unless_not_proven(reason))
            }
        },
        "pinned.component-enrolled" => {
            format!("shows the key {} as its {} from now on", key("key"), text("component"))
        }
        "pinned.guessed" => match text("refused").as_str() {
            "" => format!("guess {} is RIGHT", text("number")),
            reason => format!("guess {} is wrong{}", text("number"), unless_not_proven(reason)),
        },
        "pinned.tried-offline" => format!(
            "tries {} keys on what was overheard: {} fit; with what the agent drew for its proof it would be {}",
            text("keys"),
            text("by_onlooker"),
            text("with_draws")
        ),
        _ => return None,
    })
}

/// A reason that says more than that a key was not proven.
fn unless_not_proven(reason: &str) -> String {
    if reason == "symmetric-key-not-proven" { String::new() } else { format!(": {reason}") }
}

/// What every fingerprint of a key begins with.
const PREFIX: &str = "sha256//";
/// Characters of a fingerprint after that.
const LENGTH: usize = 44;
/// So many of them are shown that nobody takes one for another.
const SHOWN: usize = 8;

/// `text` with the beginning of each fingerprint in its place.
fn short(text: &str) -> String {
    let mut parts = text.split(PREFIX);
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_at_checked(LENGTH) {
            Some((fingerprint, rest)) => {
                told.extend(fingerprint.chars().take(SHOWN));
                told += "…";
                told += rest;
            }
            None => told += part,
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::Map;
    use trust_models::pinned::facts::KINDS;

    use super::*;

    #[test]
    fn every_fact_has_a_sentence() {
        for kind in KINDS {
            assert!(told(kind, &Fields(Map::new())).is_some(), "{kind}");
        }
    }

    #[test]
    fn fingerprints_are_shown_by_their_beginning() {
        let one = "sha256//9q7bQe6hZjy0Fk3ZPWx2LsfV1uXoY5mT8KcRrA4Ui0M=";
        assert_eq!(short(&format!("{one}; {one} for `a`")), "9q7bQe6h…; 9q7bQe6h… for `a`");
        assert_eq!(short("a key"), "a key");
        assert_eq!(short("sha256//cut off"), "cut off");
    }
}
