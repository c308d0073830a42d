use crate::{
    faults::{FaultInfo, ServerFault},
    tls::TlsPolicy,
};

/// The first record that the server has sealed arrives with one bit turned: in TLS 1.2 its Finished.
#[derive(Debug)]
pub(crate) struct DamagedRecord;

impl ServerFault for DamagedRecord {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.damaged-record",
            "the first encrypted record of the server is damaged",
            "a network card or middlebox that alters bytes and computes the checksum anew",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange, ServerHelloDone\n\
             client → DC   ClientKeyExchange, ChangeCipherSpec, Finished\n\
             DC → client   ChangeCipherSpec, Finished [one bit turned on the way]\n\
             client → DC   alert, or end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.damages_sealed_record = true;
    }
}
