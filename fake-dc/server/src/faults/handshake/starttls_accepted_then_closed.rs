use fake_dc_directory::{Reply, Then};

use crate::{
    exchange::Asked,
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// StartTLS is answered with success, and then the connection is closed instead of a handshake.
#[derive(Debug)]
pub(crate) struct StartTlsAcceptedThenClosed;

impl ServerFault for StartTlsAcceptedThenClosed {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.starttls-accepted-then-closed",
            "StartTLS is answered with success, and then the connection is closed",
            "a middlebox lets LDAP pass on port 389 but no TLS",
            "client → DC   StartTLS\n\
             DC → client   success\n\
             DC → client   end of the connection\n\
             client → DC   ClientHello [nobody reads it]",
        )
        .at(Listener::STARTTLS)
    }

    fn on_reply(&self, _request: &Asked<'_>, reply: &mut Reply) {
        if reply.then == Then::StartTls {
            reply.then = Then::Close;
        }
    }
}
