use crate::faults::{FaultInfo, Greeting, ServerFault};

/// Two servers behind one address, in turn: the first sound, the second with a certificate that nobody
/// renewed.
#[derive(Debug)]
pub(crate) struct Alternates;

impl ServerFault for Alternates {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.alternates",
            "every second handshake shows an expired certificate",
            "a load balancer hands connections to several DCs in turn, and one of them was forgotten at the renewal",
            "client → DC   ClientHello, the first time\n\
             DC → client   ServerHello, Certificate [leaf, intermediate], …\n\
             \n\
             client → DC   ClientHello, the second time\n\
             DC → client   ServerHello, Certificate [expired leaf, intermediate], …",
        )
    }

    fn other_chain(&self) -> Option<&'static [&'static str]> {
        Some(&["time.leaf-expired"])
    }

    fn shows_other_chain(&self, greeting: &Greeting<'_>) -> bool {
        greeting.number.is_multiple_of(2)
    }
}
