use std::{sync::Arc, time::Duration};

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    line::{Line, Pace},
};

/// One byte, a pause, and the next. The real client gives a handshake two seconds (`ldap connection
/// timeout`) and the first flight has two to four thousand bytes, so anything from a millisecond on is
/// too slow. What follows the handshake drips too; other faults of the line are of the family `net`.
#[derive(Debug)]
pub(crate) struct SlowDrip {
    pause: Duration,
}

impl SlowDrip {
    pub(super) const USUAL: Self = Self { pause: Duration::from_millis(100) };
}

impl ServerFault for SlowDrip {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.slow-drip",
            "the server sends one byte at a time, with a pause behind each",
            "a server that starves for CPU or memory, or a tarpit that takes the client for an attacker",
            "client → DC   ClientHello\n\
             DC → client   the first byte of a ServerHello\n\
             DC → client   [a pause: the value] and the next byte, and so on\n\
             client → DC   end of the connection, when its patience is over",
        )
        .taking("the pause behind each byte, such as `20ms` or `1s`; 100ms by default")
        .on_route()
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { pause: values::duration(value)? }))
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        line.to_client.pace = Some(Pace { bytes: 1, pause: self.pause });
    }
}
