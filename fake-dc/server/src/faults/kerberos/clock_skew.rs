use std::sync::Arc;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    kdc::Conduct,
};

/// The KDC's time is not the client's. The time that LDAP tells is right: clients that set their
/// idea of time by it do not get past this.
#[derive(Debug)]
pub(crate) struct ClockSkew {
    seconds: i64,
}

impl ClockSkew {
    /// Beyond the 5 minutes that are allowed.
    pub(crate) const USUAL: Self = Self { seconds: 600 };
}

impl ServerFault for ClockSkew {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "kerberos.clock-skew",
            "the KDC's clock is 10 minutes ahead of what LDAP says",
            "LDAP and Kerberos of one address are answered by different DCs, one with a wrong clock",
            "client → KDC   AS-REQ, encrypted timestamp\n\
             KDC → client   37 KRB_AP_ERR_SKEW, now + 10 min",
        )
        .taking("the offset, such as `-10m`, `+1h` or `2d`; `+10m` by default")
        .at(&[Listener::Kdc])
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { seconds: values::clock_offset(value)? }))
    }

    fn kdc(&self, conduct: &mut Conduct) {
        conduct.clock_offset += self.seconds;
    }
}
