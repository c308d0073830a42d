use std::sync::Arc;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    kdc::Found,
};

/// The KDC finds the names of services elsewhere than at the account that serves them.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    change: fn(&mut Found<'_>),
    /// Class of the services meant: `ldap`.
    class: Option<String>,
}

pub(crate) const WRONG_SPN: Service = Service {
    id: "kerberos.wrong-spn",
    summary: "tickets for services are made with the key of another account",
    cause: "the service principal name was moved to another account by hand, or the DC's own \
            password was changed and has not reached this KDC",
    drawing: "client → KDC   TGS-REQ for ldap/dc1.corp.example\n\
              KDC → client   a ticket that dc1 cannot open\n\
              client → DC    AP-REQ with that ticket\n\
              DC → client    41 KRB_AP_ERR_MODIFIED",
    change: |found| found.have_other_keys(),
    class: None,
};

pub(crate) const SPN_MISSING: Service = Service {
    id: "kerberos.spn-missing",
    summary: "the KDC knows no service of any host",
    cause: "the DC could not register its service principal names, or somebody removed them",
    drawing: "client → KDC   TGS-REQ for ldap/dc1.corp.example\n\
              KDC → client   7 KDC_ERR_S_PRINCIPAL_UNKNOWN",
    change: |found| found.entry = None,
    class: None,
};

impl ServerFault for Service {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing)
            .taking("the class of the services, such as `ldap`; all by default")
            .at(&[Listener::Kdc])
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { class: Some(values::word(value)?), ..self.clone() }))
    }

    fn kdc_finds(&self, found: &mut Found<'_>) {
        let meant = |class: &str| {
            self.class.as_deref().is_none_or(|wanted| class.eq_ignore_ascii_case(wanted))
        };
        if found.service_class().is_some_and(meant) {
            (self.change)(found);
        }
    }
}
