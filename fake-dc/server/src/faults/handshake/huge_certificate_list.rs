use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{Certificates, TlsPolicy},
};

/// More certificates than a client takes. The chain over and over stands for the many CAs; no client
/// gets to look at them: GnuTLS stops at 128 KiB of one handshake message, OpenSSL at 100 KiB.
#[derive(Debug)]
pub(crate) struct HugeCertificateList;

impl ServerFault for HugeCertificateList {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.huge-certificate-list",
            "the server sends 192 KiB of certificates",
            "the whole file of public CAs (`ca-certificates.crt`) was given as the chain of the server",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate [192 KiB in many records], ServerKeyExchange, …\n\
             client → DC   alert, or end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.certificates = Certificates::Padded(192 * 1024);
    }
}
