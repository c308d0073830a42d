use std::sync::Arc;

use crate::{
    exchange::{After, Asked, Output},
    faults::{FaultInfo, ServerFault},
};

/// The first message that answers a search claims to be larger than any client takes. What is
/// behind its length is the true answer, and the connection stays open.
#[derive(Debug)]
pub(crate) struct OversizedMessage {
    bytes: u32,
}

impl OversizedMessage {
    /// The largest that a length of four bytes can claim and libldap can read.
    pub(crate) const USUAL: Self = Self { bytes: 0x7fff_ffff };
}

impl ServerFault for OversizedMessage {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.oversized-message",
            "the answer to a search claims to be one message of 2 GiB",
            "a device on the way changes bytes, or a proxy writes lengths of messages wrongly",
            "client → DC   search below DC=…\n\
             DC → client   30 84 7f ff ff ff …: a message of 2,147,483,647 bytes\n\
             client        refuses it, or waits for the rest until its time limit is over",
        )
        .taking("the size in bytes that the message claims; 2147483647 by default")
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { bytes: value.parse().ok()? }))
    }

    fn on_output(&self, asked: &Asked<'_>, output: &mut Output) {
        const SEQUENCE_WITH_LENGTH_OF_FOUR_BYTES: [u8; 2] = [0x30, 0x84];
        if asked.search().is_none() {
            return;
        }
        let header = match output.bytes.get(1) {
            Some(&long @ 0x81..=0x84) => 2 + usize::from(long & 0x7f),
            _ => 2,
        };
        let content = output.bytes.get(header..).unwrap_or_default();
        let length = self.bytes.to_be_bytes();
        output.bytes = [&SEQUENCE_WITH_LENGTH_OF_FOUR_BYTES[..], &length, content].concat();
        output.then = After::Stall;
    }
}
