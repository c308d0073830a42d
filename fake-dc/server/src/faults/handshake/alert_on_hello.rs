use std::sync::Arc;

use crate::{
    faults::{FaultInfo, Greeting, HelloVerdict, ServerFault},
    tls::{alert, own::TLS12},
};

/// A fatal alert (RFC 5246, section 7.2) for any ClientHello; the warning close_notify, as some load
/// balancers send it, if that is the value.
#[derive(Debug)]
pub(crate) struct AlertOnHello {
    alert: u8,
}

impl AlertOnHello {
    pub(super) const USUAL: Self = Self { alert: alert::HANDSHAKE_FAILURE };
}

impl ServerFault for AlertOnHello {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.alert-on-hello",
            "the server answers the ClientHello with a fatal alert",
            "server and client have no parameters in common, or a middlebox forbids the connection",
            "client → DC   ClientHello\n\
             DC → client   alert, fatal: handshake_failure [the value]\n\
             DC → client   end of the connection",
        )
        .taking("an alert by name or number, such as `protocol-version` or `70`; handshake-failure by default")
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { alert: alert::parse(value)? }))
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::Answer(alert::usual(self.alert, TLS12)))
    }
}
