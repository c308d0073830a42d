//! Sentences of the model of PKI directories.

use super::{super::names::fingerprint, Fields};

/// How a fact of PKI directories and the CAs around them is told; `None` if it is none.
pub(super) fn told(kind: &str, fields: &Fields) -> Option<String> {
    let text = |name: &str| fields.text(name);
    Some(match kind {
        "directory.dialled" => format!("connects to {}", text("host")),
        "directory.accepted" => "takes the connection".to_owned(),
        "directory.judged" => {
            let known = fields.with(", which is ", "known");
            let wrong = fields.with(", wrong: ", "reasons");
            let noticed = fields.with(", noticed: ", "notices");
            format!("judges the {} {}{known}{wrong}{noticed}", text("whom"), text("subject"))
        }
        "directory.asked" => format!("the application answers {}", text("answer")),
        "directory.remembered" => {
            let lasting = if fields.is("in_file") { "" } else { ", as long as it runs" };
            format!("trusts {} from now on{lasting}", text("host"))
        }
        "directory.certificate-wanted" => {
            let shown = match text("shown").as_str() {
                "" => "none".to_owned(),
                shown => fingerprint(shown),
            };
            let wanted = fields.with(" of ", "wanted");
            format!("is asked for a certificate{wanted} and shows {shown}")
        }
        "directory.refused" => format!("has NO CONNECTION: {}", text("reason")),
        "directory.bound" => match text("account").as_str() {
            "" => "is nobody to the DC".to_owned(),
            account => format!("is {account} to the DC"),
        },
        "pki.clock-set" => {
            format!("the clock where {} is goes {} s behind", text("directory"), text("behind"))
        }
        "pki.issued" => format!("{} issues a certificate to {}", text("ca"), text("holder")),
        "pki.key-replaced" => format!("somebody replaces the client key of {}", text("directory")),
        "pki.list-fetched" => format!("{} gets the list of {}", text("holder"), text("ca")),
        "pki.proxy-inserted" => {
            format!(
                "a proxy stands before {}, with a certificate of {}",
                text("before"),
                text("ca")
            )
        }
        "pki.revoked" => format!("{} revokes the certificate of {}", text("ca"), text("holder")),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn every_fact_has_a_sentence() {
        for kind in
            trust_models::directory::facts::KINDS.iter().chain(crate::models::directory::KINDS)
        {
            assert!(told(kind, &Fields(Map::new())).is_some(), "{kind}");
        }
    }
}
