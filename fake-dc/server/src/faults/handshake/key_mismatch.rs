use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{Proof, TlsPolicy},
};

/// The key that signs is not that of the certificate. Every client notices: the server cannot prove
/// possession, and no `tls verify peer` turns that off.
#[derive(Debug)]
pub(crate) struct KeyMismatch;

impl ServerFault for KeyMismatch {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.key-mismatch",
            "the server signs with another key than that of its certificate",
            "the certificate was renewed with a new key, and the server kept the old key file",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange [signed with another key], …\n\
             client → DC   alert, or end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.proof = Proof::OtherKey;
    }
}
