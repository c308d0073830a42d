use fake_dc_directory::Reply;

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// Answers carry another number than the request: a client takes them for answers to something it
/// has not asked.
#[derive(Debug)]
pub(crate) struct WrongMessageId;

/// By how much numbers are too high: far enough that no client gets there by itself.
const OFFSET: u32 = 1_000;

impl ServerFault for WrongMessageId {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.wrong-message-id",
            "answers carry another message number than the request",
            "a proxy mixes up the answers of the connections that it shares",
            "client → DC   message 1, search of the rootDSE\n\
             DC → client   message 1001, entry\n\
             client        waits for an answer to message 1 until its time limit is over",
        )
    }

    fn on_reply(&self, _asked: &Asked<'_>, reply: &mut Reply) {
        for message in &mut reply.messages {
            message.id = message.id.wrapping_add(OFFSET) & i32::MAX.unsigned_abs();
        }
    }
}
