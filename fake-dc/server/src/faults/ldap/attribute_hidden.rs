use std::sync::Arc;

use fake_dc_directory::Reply;
use ldap_wire::ProtocolOp;

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault, values},
};

/// Entries are found, and lack one attribute.
#[derive(Debug)]
pub(crate) struct AttributeHidden {
    name: String,
}

impl AttributeHidden {
    /// What the probe of xapi asks for.
    pub(crate) const USUAL: Self = Self { name: String::new() };

    fn hides(&self, name: &str) -> bool {
        let hidden = if self.name.is_empty() { "objectSid" } else { &self.name };
        name.eq_ignore_ascii_case(hidden)
    }
}

impl ServerFault for AttributeHidden {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.attribute-hidden",
            "entries are found, and the attribute objectSid is missing from them",
            "the account may list objects but not read that property of theirs",
            "client → DC   search below DC=…, attribute objectSid\n\
             DC → client   CN=krbtgt,CN=Users,DC=…, no attributes\n\
             DC → client   0 success",
        )
        .taking("the name of the attribute; `objectSid` by default")
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { name: values::word(value)? }))
    }

    fn on_reply(&self, asked: &Asked<'_>, reply: &mut Reply) {
        if asked.search().is_none() {
            return;
        }
        for message in &mut reply.messages {
            if let ProtocolOp::SearchResultEntry(entry) = &mut message.op {
                entry.attributes.retain(|attribute| !self.hides(&attribute.name));
            }
        }
    }
}
