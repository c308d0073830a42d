use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
    kdc::Found,
};

/// This KDC has another key of `krbtgt` than those that made the clients' tickets.
#[derive(Debug)]
pub(crate) struct KrbtgtNotReplicated;

impl ServerFault for KrbtgtNotReplicated {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "kerberos.krbtgt-not-replicated",
            "the KDC cannot open ticket-granting tickets that other KDCs made, or it made before",
            "the password of krbtgt was reset twice while this DC did not replicate",
            "client → KDC of dc2   AS-REQ\n\
             KDC of dc2 → client   AS-REP, krbtgt/CORP.EXAMPLE\n\
             client → KDC of dc1   TGS-REQ for ldap/dc1.corp.example\n\
             KDC of dc1 → client   41 KRB_AP_ERR_MODIFIED",
        )
        .at(&[Listener::Kdc])
    }

    fn kdc_finds(&self, found: &mut Found<'_>) {
        if found.is_ticket_granting() {
            found.have_other_keys();
        }
    }
}
