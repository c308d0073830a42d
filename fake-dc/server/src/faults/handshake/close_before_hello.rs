use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// The connection is taken and closed before a byte of TLS.
#[derive(Debug)]
pub(crate) struct CloseBeforeHello;

impl ServerFault for CloseBeforeHello {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.close-before-hello",
            "the server accepts and closes before the client has spoken",
            "a TCP proxy or port forwarding whose DC is down, or a server with as many connections as it takes",
            "DC → client   end of the connection [before the ClientHello is read]\n\
             client → DC   ClientHello, or nothing",
        )
        .at(Listener::TLS)
    }

    fn closes_at_once(&self) -> bool {
        true
    }
}
