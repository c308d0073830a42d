//! Advice: the smallest changes that would turn a refusal into an acceptance.

use crate::{
    client::Client,
    facts::Facts,
    reason::{Advice, Check, Remedy},
    verdict::Verdict,
};

/// Advice on a judged chain.
pub(crate) fn advise(_verdict: &Verdict, _client: &Client, _facts: &Facts<'_>) -> Vec<Advice> {
    Vec::new()
}

/// Advice on a configuration that cannot be used.
pub(crate) fn advise_config(verdict: &Verdict) -> Vec<Advice> {
    let Some(reason) = verdict.reasons.first() else { return Vec::new() };
    let file = reason.file.as_deref().unwrap_or_default();
    let (remedy, text) = match reason.check {
        Check::TrustFile => (
            Remedy::FixFile,
            format!("repair or remove the certificate that {file} holds at fault"),
        ),
        Check::CrlFile => (Remedy::FixFile, "repair, set or unset `tls crlfile`".to_owned()),
        Check::TrustSet => (
            Remedy::AddAnchor,
            "put the root CA of the domain into the file `tls cafile` names".to_owned(),
        ),
        Check::Priority => (Remedy::FixTls, "correct `tls priority` in smb.conf".to_owned()),
        _ => return Vec::new(),
    };
    vec![Advice { remedy, text }]
}
