use crate::{
    faults::{Afterwards, FaultInfo, Greeting, HelloVerdict, ServerFault},
    tls::{
        flight::{Flight, record},
        own::{HANDSHAKE, TLS12},
    },
};

/// A record that says it has 65,535 bytes where 18,432 are the limit (RFC 5246, section 6.2.3).
#[derive(Debug)]
pub(crate) struct OversizedRecord;

impl ServerFault for OversizedRecord {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.oversized-record",
            "a record of the server is longer than TLS allows",
            "a TLS library with a bug, or bytes that were lost on the way so that the rest is read out of step",
            "client → DC   ClientHello\n\
             DC → client   ServerHello\n\
             DC → client   record of 65,535 bytes [18,432 are the limit]\n\
             client → DC   alert, or end of the connection",
        )
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::FirstFlight { edit: swell, afterwards: Afterwards::Listen })
    }
}

fn swell(flight: &mut Flight) {
    flight.keep_server_hello();
    flight.push(record(HANDSHAKE, TLS12, &[0; 0xffff]));
}
