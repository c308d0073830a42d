use crate::{
    faults::{FaultInfo, ServerFault},
    tls::{TlsPolicy, own},
};

/// TLS 1.2 without RFC 7627. GnuTLS and OpenSSL do not mind by default; in FIPS mode they do.
#[derive(Debug)]
pub(crate) struct NoExtendedMasterSecret;

impl ServerFault for NoExtendedMasterSecret {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.no-extended-master-secret",
            "the server does not know the extended master secret",
            "Windows Server 2012 R2 and older without the update of 2015, or an old load balancer",
            "client → DC   ClientHello with extended_master_secret\n\
             DC → client   ServerHello [without], Certificate, ServerKeyExchange, ServerHelloDone\n\
             client → DC   ClientKeyExchange, or alert",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.own = Some(RULES);
    }
}

const RULES: own::Rules = own::Rules::new(own::TLS12, own::TLS12, own::ECDHE_GCM);
