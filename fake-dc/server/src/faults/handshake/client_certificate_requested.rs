use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{ClientAuth, TlsPolicy},
};

/// A CertificateRequest, and no displeasure if nothing comes. A client that has no certificate sends an
/// empty list.
#[derive(Debug)]
pub(crate) struct ClientCertificateRequested;

impl ServerFault for ClientCertificateRequested {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.client-certificate-requested",
            "the server asks for a client certificate and goes on without one",
            "every Windows DC does: it would map the certificate to an account",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone\n\
             client → DC   Certificate [none], ClientKeyExchange, ChangeCipherSpec, Finished\n\
             DC → client   ChangeCipherSpec, Finished",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.client_auth = ClientAuth::Requested;
    }
}
