use crate::faults::{FaultInfo, Greeting, ServerFault};

/// A client that sends the name of the DC sees the DC's chain. One that sends none, as Samba does in
/// most modes, or another name, sees the certificate that a web server on the same box made for
/// itself.
#[derive(Debug)]
pub(crate) struct DependsOnSni;

impl ServerFault for DependsOnSni {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.depends-on-sni",
            "without the name of the DC in the hello, another certificate is shown",
            "a reverse proxy or web server shares the address, and picks certificates by name",
            "client → DC   ClientHello with the name dc1.corp.example\n\
             DC → client   ServerHello, Certificate [leaf, intermediate], …\n\
             \n\
             client → DC   ClientHello without a name\n\
             DC → client   ServerHello, Certificate [self-signed, of another host], …",
        )
    }

    fn other_chain(&self) -> Option<&'static [&'static str]> {
        Some(&["name.other-host", "anchor.self-signed-leaf"])
    }

    fn shows_other_chain(&self, greeting: &Greeting<'_>) -> bool {
        greeting.hello.server_name.as_deref() != Some(greeting.dc_name)
    }
}
