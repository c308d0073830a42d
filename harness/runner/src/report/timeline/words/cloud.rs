//! What happens in a cloud whose certificates are uploaded in order.

use super::Fields;

/// The sentence of a fact of this model; `None` for others.
pub(super) fn told(kind: &str, fields: &Fields) -> Option<String> {
    let text = |name: &str| fields.text(name);
    Some(match kind {
        "ordered.api-called" => match text("command").as_str() {
            "" => "is called for what it does not know".to_owned(),
            command => format!("is called: {command}"),
        },
        "ordered.uploaded" => {
            let place = match text("seq").as_str() {
                "" => "the server certificate".to_owned(),
                seq => format!("certificate {seq} of the chain"),
            };
            let verb = if fields.is("replaced") { "replaces" } else { "takes" };
            format!("{verb} {place} as `{}`", text("name"))
        }
        "ordered.refused" => format!("refuses the upload, {}: {}", text("reason"), text("words")),
        "ordered.job-ended" if fields.is("success") => "has done it".to_owned(),
        "ordered.job-ended" => "has not done it".to_owned(),
        "ordered.management-started" => format!(
            "starts; links expire after {} s, and are cleaned up every {} s",
            text("expiration_seconds"),
            text("cleanup_seconds")
        ),
        "ordered.restarted" => "restarts".to_owned(),
        "ordered.connected" => "reports to the management server".to_owned(),
        "ordered.set-up-sent" => match fields.number("certificates") {
            0 => format!("sets {} up with what it has", text("appliance")),
            count => format!("sets {} up with {count} certificates and the key", text("appliance")),
        },
        "ordered.set-up-refused" => match text("why") {
            why if why.is_empty() => {
                format!("sends nothing to {}, which it has not created", text("appliance"))
            }
            why => format!("sends nothing to {}: {why}", text("appliance")),
        },
        "ordered.set-up" => {
            let root = if fields.is("root_imported") { ", and trusts a new root" } else { "" };
            let (script, shows) = (text("script"), text("shows"));
            format!("is set up by its {script} script: shows {shows} certificates{root}")
        }
        "ordered.console-started" => format!("serves its console over {}", text("protocol")),
        "ordered.fetching" => format!("asks for {}", text("url")),
        "ordered.served" => format!("answers {}", text("status")),
        "ordered.copied" => format!("has copied {} from {}", text("template"), text("source")),
        "ordered.copy-failed" => format!(
            "cannot copy {} from {}: {}; it was shown {}",
            text("template"),
            text("source"),
            text("words"),
            text("shown")
        ),
        "ordered.link-made" => {
            let verb = if fields.is("existed") { "gives out again" } else { "makes" };
            format!("{verb} the link {}", text("url"))
        }
        "ordered.cleaned" => format!("cleans up at {}: {}", text("at"), text("urls")),
        "ordered.downloaded" => format!("{} is downloaded", text("url")),
        "ordered.download-failed" => {
            format!("{} cannot be downloaded: {}", text("url"), text("words"))
        }
        "ordered.diagnosed" => format!(
            "diagnosis {}: {}: {}; {}",
            text("diagnosis"),
            text("subject"),
            text("evidence"),
            text("advice")
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn every_fact_has_a_sentence() {
        let silent: Vec<_> = trust_models::ordered::facts::KINDS
            .iter()
            .filter(|kind| told(kind, &Fields(Map::new())).is_none())
            .collect();
        assert!(silent.is_empty(), "nothing is said of {silent:?}");
    }
}
