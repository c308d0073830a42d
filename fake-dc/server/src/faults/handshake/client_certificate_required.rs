use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{ClientAuth, TlsPolicy},
};

/// A CertificateRequest, and the end for a client that shows nothing.
#[derive(Debug)]
pub(crate) struct ClientCertificateRequired;

impl ServerFault for ClientCertificateRequired {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.client-certificate-required",
            "the server demands a client certificate",
            "a TLS proxy in front of the DC was set to mutual TLS for other clients",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone\n\
             client → DC   Certificate [none], ClientKeyExchange, ChangeCipherSpec, Finished\n\
             DC → client   alert, fatal: certificate_required\n\
             DC → client   end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.client_auth = ClientAuth::Required;
    }
}
