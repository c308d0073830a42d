use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{TlsPolicy, own},
};

/// ECDHE with AES in CBC alone. Windows Server 2012 R2 has no suite of ECDHE, RSA and GCM together:
/// those came with Windows Server 2016 (Microsoft, "TLS Cipher Suites in Windows 8.1").
#[derive(Debug)]
pub(crate) struct CbcOnly;

impl ServerFault for CbcOnly {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.cbc-only",
            "the server has no AEAD suite, only CBC ones",
            "the DC is a Windows Server 2012 R2",
            "client → DC   ClientHello with CBC suites\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange, ServerHelloDone\n\
             client → DC   ClientKeyExchange, ChangeCipherSpec, Finished\n\
             \n\
             client → DC   ClientHello without them\n\
             DC → client   alert, fatal: handshake_failure",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.own = Some(RULES);
    }
}

const RULES: own::Rules = own::Rules::new(own::TLS12, own::TLS12, own::ECDHE_CBC);
