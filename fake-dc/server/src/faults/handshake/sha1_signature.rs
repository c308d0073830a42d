use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{ONLY_TLS12, Proof, TlsPolicy},
};

/// The ServerKeyExchange of TLS 1.2 is signed with SHA-1, as a server may do that ignores what the
/// client prefers. GnuTLS, and so xapi's client, takes it; OpenSSL does not from security level 1 on.
/// A chain whose key is not RSA stays as it is.
#[derive(Debug)]
pub(crate) struct Sha1Signature;

impl ServerFault for Sha1Signature {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.sha1-signature",
            "the server signs its key exchange with SHA-1",
            "a smart card or HSM, or an old TLS library, that signs nothing but SHA-1",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange [rsa_pkcs1_sha1], …\n\
             client → DC   ClientKeyExchange, or alert",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.versions = ONLY_TLS12;
        policy.proof = Proof::Sha1;
    }
}
