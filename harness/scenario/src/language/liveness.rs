//! Members that are down, or that the coordinator does not reach.

use super::HostRef;
use crate::{
    Span,
    grammar::{Reader, Spanned},
    mistake::Mistake,
};

table! {
    /// Parameters of `host.set_liveness`.
    pub struct SetLiveness {
        /// The member.
        pub host: Spanned<HostRef>,
        /// What it is from now on.
        pub state: Liveness,
    }
    check only_members;
}

words! {
    /// Whether the coordinator reaches a member (xapi-flows.md §0.3).
    pub enum Liveness: "liveness" {
        /// It answers.
        Live = "live",
        /// It is known to be down: a call that is forwarded to it fails with `HOST_OFFLINE`.
        Offline = "offline",
        /// It is believed live and does not answer: `CANNOT_CONTACT_HOST`.
        Unreachable = "unreachable",
    }
}

/// The coordinator always reaches itself.
fn only_members(set: &SetLiveness, _: Span, reader: &mut Reader<'_>) -> Option<()> {
    if reader.names.coordinator.as_deref() == Some(set.host.as_str()) {
        let rule = "a member: the first host is the coordinator, which always reaches itself";
        let mistake = Mistake::Malformed {
            what: "member",
            text: set.host.to_string(),
            rule: rule.to_owned(),
        };
        reader.report(set.host.span.clone(), mistake);
    }
    Some(())
}
