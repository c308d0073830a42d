use fake_dc_directory::{DcView, Reply, netlogon_flag};
use ldap_wire::{LdapResult, ProtocolOp, ResultCode};

use crate::{
    exchange::Asked,
    facts::Listener,
    faults::{FaultInfo, ServerFault, refuse},
};

/// The DC is a read-only one: netlogon answers say so, and changes are answered with a referral
/// ([MS-ADTS] 3.1.1.5.1.9). Which secrets it holds makes no difference here.
#[derive(Debug)]
pub(crate) struct ReadOnlyDc;

impl ServerFault for ReadOnlyDc {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.read-only-dc",
            "the DC is read-only: no DS_WRITABLE in netlogon answers, a referral for changes",
            "the site of the hosts is a branch office, which has an RODC and nothing else",
            "client → DC   netlogon ping\n\
             DC → client   flags with DS_SELECT_SECRET_DOMAIN_6, without DS_WRITABLE\n\
             client → DC   add CN=XS1,CN=Computers,DC=…\n\
             DC → client   10 referral, ldap://corp.example/…",
        )
        .at(Listener::PINGED)
    }

    fn netlogon(&self, dc: &mut DcView) {
        dc.netlogon.flags_missing |=
            netlogon_flag::PDC | netlogon_flag::WRITABLE | netlogon_flag::FULL_SECRETS;
        dc.netlogon.flags_added |= netlogon_flag::SOME_SECRETS;
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        let dn = match &asked.message.op {
            ProtocolOp::AddRequest(add) => &add.entry,
            ProtocolOp::DelRequest(entry) => entry,
            ProtocolOp::ModifyDnRequest(rename) => &rename.entry,
            // The rootDSE is the DC's own.
            ProtocolOp::ModifyRequest(modify) if !modify.object.is_empty() => &modify.object,
            _ => return None,
        };
        let domain = &asked.dc.domain.name;
        let result = LdapResult {
            code: ResultCode::REFERRAL,
            diagnostic: format!(
                "0000202B: RefErr: DSID-0310082F, data 0, 1 access points\n\tref 1: '{domain}'\n"
            ),
            referrals: vec![format!("ldap://{domain}/{dn}")],
            ..LdapResult::default()
        };
        refuse(asked.message, result)
    }
}
