use std::sync::Arc;

use super::CONNECTIONS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    line::{Line, sooner},
};

/// What is sent in a large piece is lost, with all that follows; small pieces pass (RFC 2923,
/// section 2.1, "Path MTU discovery black hole"). Connecting works, small searches work, and the
/// handshake hangs at the certificates.
#[derive(Debug)]
pub(crate) struct MtuBlackHole(u64);

impl MtuBlackHole {
    /// What a tunnel leaves of 1500.
    pub(crate) const USUAL: Self = Self(1_400);
}

impl ServerFault for MtuBlackHole {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.mtu-black-hole",
            "large pieces, such as the certificates, are lost; small ones pass",
            "a VPN has a smaller MTU, and a firewall drops the ICMP message that would say so",
            "client → DC   ClientHello\n\
             DC →          ServerHello, Certificate in packets of 1500 bytes: lost\n\
             …             sent again, and lost again",
        )
        .taking("the largest number of bytes that passes, such as `1200` (without one `1400`)")
        .at(CONNECTIONS)
        .on_route()
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self(values::positive(value)?)))
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        sooner(&mut line.piece_max, self.0);
    }
}
