use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{TlsPolicy, own},
};

/// P-256, whatever groups the client has. Sound for most clients; xapi's has P-384 alone.
#[derive(Debug)]
pub(crate) struct UnofferedGroup;

impl ServerFault for UnofferedGroup {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.unoffered-group",
            "the server takes P-256 without asking whether the client has it",
            "a server of before RFC 4492 was common, with one curve set for good",
            "client → DC   ClientHello with the group secp384r1 alone\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange [secp256r1], ServerHelloDone\n\
             client → DC   alert, or end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.own = Some(RULES);
    }
}

const RULES: own::Rules =
    own::Rules { ignores_groups: true, ..own::Rules::new(own::TLS12, own::TLS12, own::ECDHE_GCM) };
