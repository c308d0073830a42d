use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    kdc::Conduct,
};

/// The KDC has no encryption type in common with anybody.
#[derive(Debug)]
pub(crate) struct NoSupportedEtype;

impl ServerFault for NoSupportedEtype {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "kerberos.no-supported-etype",
            "every request is refused for want of a common encryption type",
            "\"Configure encryption types allowed for Kerberos\" leaves out what the client has, or \
             the account has had no new password since AES was introduced",
            "client → KDC   AS-REQ, etypes 18 17\n\
             KDC → client   14 KDC_ERR_ETYPE_NOSUPP",
        )
        .at(&[Listener::Kdc])
    }

    fn kdc(&self, conduct: &mut Conduct) {
        conduct.policy.etypes.clear();
    }
}
