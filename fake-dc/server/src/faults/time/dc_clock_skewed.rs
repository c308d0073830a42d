use std::sync::Arc;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
};

/// The DC's clock is wrong: the `currentTime` of its rootDSE, the times that it stamps, what it
/// finds expired, and the time of its KDC. Its certificate was issued by another clock.
#[derive(Debug)]
pub(crate) struct DcClockSkewed {
    seconds: i64,
}

impl DcClockSkewed {
    /// Beyond the 5 minutes that Kerberos allows.
    pub(crate) const USUAL: Self = Self { seconds: 600 };
}

impl ServerFault for DcClockSkewed {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "time.dc-clock-skewed",
            "the DC's clock is 10 minutes ahead",
            "the DC is a virtual machine that takes its time from a wrong host, or its time source \
             has been gone for months",
            "client → DC   search of the rootDSE, currentTime\n\
             DC → client   now + 10 min\n\
             client → DC   AS-REQ, timestamp of the client's own clock\n\
             DC → client   37 KRB_AP_ERR_SKEW, now + 10 min",
        )
        .taking("the offset, such as `-10m`, `+1h` or `2d`; `+10m` by default")
        .at(&[
            Listener::Cldap,
            Listener::Gc,
            Listener::Gcs,
            Listener::Kdc,
            Listener::Kpasswd,
            Listener::Ldap,
            Listener::Ldaps,
        ])
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { seconds: values::clock_offset(value)? }))
    }

    fn clock_offset(&self) -> i64 {
        self.seconds
    }
}
