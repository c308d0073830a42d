use fake_dc_kerberos::{ErrorCode, Summary};

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    kdc::is_host_service,
};

/// The KDC answers requests of one kind with one error.
#[derive(Debug)]
pub(crate) struct Refused {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    code: ErrorCode,
    applies: fn(&Summary) -> bool,
}

pub(crate) const SPN_DUPLICATE: Refused = Refused {
    id: "kerberos.spn-duplicate",
    summary: "two accounts have the name of the service, and the KDC gives no ticket",
    cause: "a machine was joined again under another account while the old one kept its names",
    drawing: "client → KDC   TGS-REQ for ldap/dc1.corp.example\n\
              KDC → client   8 KDC_ERR_PRINCIPAL_NOT_UNIQUE",
    code: ErrorCode::KDC_ERR_PRINCIPAL_NOT_UNIQUE,
    applies: |asked| asked.service.as_deref().is_some_and(is_host_service),
};

pub(crate) const TGS_REFUSED: Refused = Refused {
    id: "kerberos.tgs-refused",
    summary: "the KDC gives ticket-granting tickets, and no tickets for services",
    cause: "an authentication policy silo or selective authentication keeps the account out",
    drawing: "client → KDC   AS-REQ\n\
              KDC → client   AS-REP, krbtgt/CORP.EXAMPLE\n\
              client → KDC   TGS-REQ for ldap/dc1.corp.example\n\
              KDC → client   12 KDC_ERR_POLICY",
    code: ErrorCode::KDC_ERR_POLICY,
    applies: |asked| asked.request == "TGS-REQ",
};

pub(crate) const WRONG_REALM: Refused = Refused {
    id: "kerberos.wrong-realm",
    summary: "the KDC says that it is of another realm",
    cause: "DNS or krb5.conf leads the realm to a DC of another domain",
    drawing: "client → KDC   AS-REQ for alice@CORP.EXAMPLE\n\
              KDC → client   68 KDC_ERR_WRONG_REALM",
    code: ErrorCode::KDC_ERR_WRONG_REALM,
    applies: |_| true,
};

pub(crate) const SERVICE_UNAVAILABLE: Refused = Refused {
    id: "kerberos.service-unavailable",
    summary: "the KDC answers that a service it needs is not available",
    cause: "the DC is starting and its database is not open, or an RODC cannot reach a full DC",
    drawing: "client → KDC   AS-REQ\n\
              KDC → client   29 KDC_ERR_SVC_UNAVAILABLE; clients ask the next KDC",
    code: ErrorCode::KDC_ERR_SVC_UNAVAILABLE,
    applies: |_| true,
};

impl ServerFault for Refused {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing).at(&[Listener::Kdc])
    }

    fn kdc_refusal(&self, asked: &Summary) -> Option<ErrorCode> {
        (self.applies)(asked).then_some(self.code)
    }
}
