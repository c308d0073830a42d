use crate::{
    exchange::{Asked, Output},
    faults::{FaultInfo, ServerFault},
};

/// The answer to a search begins with what is no LDAP message.
#[derive(Debug)]
pub(crate) struct InvalidBer;

impl ServerFault for InvalidBer {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.invalid-ber",
            "the answer to a search is no BER",
            "a device on the way changes bytes, or the answer of another service is delivered here",
            "client → DC   search below DC=…\n\
             DC → client   48 54 54 50 2f 31 2e 31 …: the first byte is no SEQUENCE",
        )
    }

    fn on_output(&self, asked: &Asked<'_>, output: &mut Output) {
        if asked.search().is_some() {
            output.bytes = b"HTTP/1.1 502 Bad Gateway\r\n\r\n".to_vec();
        }
    }
}
