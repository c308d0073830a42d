use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// What the KDC answers is no Kerberos.
#[derive(Debug)]
pub(crate) struct Garbage;

impl ServerFault for Garbage {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "kerberos.garbage",
            "the KDC's answers are no Kerberos messages",
            "another service listens on port 88, or a proxy answers in its place",
            "client → KDC   AS-REQ\n\
             KDC → client   48 54 54 50 2f 31 2e 31 …",
        )
        .at(&[Listener::Kdc])
    }

    fn kdc_bytes(&self, bytes: &mut Vec<u8>) {
        *bytes = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    }
}
