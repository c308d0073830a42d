use crate::{
    faults::{FaultInfo, Greeting, HelloVerdict, ServerFault},
    tls::{alert, own::TLS12},
};

/// A fatal alert for a client that sends no name, or another than that of the DC.
#[derive(Debug)]
pub(crate) struct RequiresSni;

impl ServerFault for RequiresSni {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.requires-sni",
            "a hello without the name of the DC is answered with a fatal alert",
            "a reverse proxy in front of the DC routes by name and has no default",
            "client → DC   ClientHello without a name\n\
             DC → client   alert, fatal: unrecognized_name\n\
             DC → client   end of the connection",
        )
    }

    fn on_hello(&self, greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        let is_known = greeting.hello.server_name.as_deref() == Some(greeting.dc_name);
        (!is_known).then(|| HelloVerdict::Answer(alert::usual(alert::UNRECOGNIZED_NAME, TLS12)))
    }
}
