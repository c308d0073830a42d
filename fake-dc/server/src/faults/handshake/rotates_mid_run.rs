use std::sync::Arc;

use crate::faults::{FaultInfo, Greeting, ServerFault};

/// The chain changes between two connections. After the first ones since the fault was set, counted
/// over both ports, the DC shows a certificate of another CA, which is what a renewal by hand at a
/// new CA comes to.
#[derive(Debug)]
pub(crate) struct RotatesMidRun {
    after: u64,
}

impl RotatesMidRun {
    pub(super) const USUAL: Self = Self { after: 1 };
}

impl ServerFault for RotatesMidRun {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.rotates-mid-run",
            "after some handshakes the DC shows a certificate of another CA",
            "the certificate is renewed at another CA while clients are at work",
            "client → DC   ClientHello, the first time\n\
             DC → client   ServerHello, Certificate [leaf, intermediate], …\n\
             \n\
             client → DC   ClientHello, the second time [after as many as the value says]\n\
             DC → client   ServerHello, Certificate [leaf and intermediate of an unknown root], …",
        )
        .taking("the number of handshakes before the change, such as `3`; 1 by default")
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { after: value.parse().ok()? }))
    }

    fn other_chain(&self) -> Option<&'static [&'static str]> {
        Some(&["anchor.unknown-root"])
    }

    fn shows_other_chain(&self, greeting: &Greeting<'_>) -> bool {
        greeting.number > self.after
    }
}
