use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{TlsPolicy, own},
};

/// The server's Finished, well encrypted, holds a wrong check value: what was said is not what was heard.
#[derive(Debug)]
pub(crate) struct BadFinished;

impl ServerFault for BadFinished {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.bad-finished",
            "the check value in the Finished message of the server is wrong",
            "a middlebox that changed the hello on its way, such as a proxy that strips extensions",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange, ServerHelloDone\n\
             client → DC   ClientKeyExchange, ChangeCipherSpec, Finished\n\
             DC → client   ChangeCipherSpec, Finished [wrong check value]\n\
             client → DC   alert, or end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.own = Some(RULES);
    }
}

const RULES: own::Rules =
    own::Rules { spoils_finished: true, ..own::Rules::new(own::TLS12, own::TLS12, own::ECDHE_GCM) };
