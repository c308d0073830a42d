use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{Proof, TlsPolicy},
};

/// One bit of the signature in the ServerKeyExchange (TLS 1.2) or CertificateVerify (TLS 1.3) is turned.
#[derive(Debug)]
pub(crate) struct BadSignature;

impl ServerFault for BadSignature {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.bad-signature",
            "the signature of the handshake is wrong in one bit",
            "a broken accelerator card or HSM, or memory that fails",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange [one bit turned], ServerHelloDone\n\
             client → DC   alert, or end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.proof = Proof::Spoilt;
    }
}
