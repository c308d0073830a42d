use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{Certificates, TlsPolicy},
};

/// A Certificate message without a certificate, which no server may send (RFC 5246, section 7.4.2).
#[derive(Debug)]
pub(crate) struct EmptyCertificateList;

impl ServerFault for EmptyCertificateList {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.empty-certificate-list",
            "the server sends a list of certificates with nothing in it",
            "an appliance or a TLS server of one's own make, whose certificate was deleted and its key was not",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate [none], ServerKeyExchange, ServerHelloDone\n\
             client → DC   alert, or end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.certificates = Certificates::Without;
    }
}
