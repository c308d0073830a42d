use std::sync::Arc;

use crate::{
    faults::{Afterwards, FaultInfo, Greeting, HelloVerdict, ServerFault},
    tls::{ONLY_TLS12, TlsPolicy, alert},
};

/// A fatal alert after the client's answer to the certificate. In TLS 1.2, where the alert is in
/// clear: TLS 1.3 would hide it.
#[derive(Debug)]
pub(crate) struct AlertAfterCertificate {
    alert: u8,
}

impl AlertAfterCertificate {
    pub(super) const USUAL: Self = Self { alert: alert::INTERNAL_ERROR };
}

impl ServerFault for AlertAfterCertificate {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.alert-after-certificate",
            "the server sends a fatal alert when the client has answered its certificate",
            "the server cannot use its private key: no permission on the key, a key store that is offline",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange, ServerHelloDone\n\
             client → DC   ClientKeyExchange, ChangeCipherSpec, Finished\n\
             DC → client   alert, fatal: internal_error [the value]\n\
             DC → client   end of the connection",
        )
        .taking("an alert by name or number, such as `decrypt-error` or `51`; internal-error by default")
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { alert: alert::parse(value)? }))
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.versions = ONLY_TLS12;
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        let afterwards = Afterwards::Alert(self.alert);
        Some(HelloVerdict::FirstFlight { edit: |_| {}, afterwards })
    }
}
