use super::CONNECTIONS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    line::Line,
};

/// The DC takes connections and vanishes: nothing is read or answered, and no end is told.
#[derive(Debug)]
pub(crate) struct HalfOpen;

impl ServerFault for HalfOpen {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.half-open",
            "connections are taken, and then nothing is read, answered or closed",
            "the DC hangs while its kernel still answers, or lost power behind a load balancer",
            "client → DC   SYN\n\
             DC → client   SYN, ACK\n\
             client → DC   ClientHello\n\
             …             nothing, not even the end of the connection",
        )
        .at(CONNECTIONS)
        .on_route()
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        line.go_dark();
    }
}
