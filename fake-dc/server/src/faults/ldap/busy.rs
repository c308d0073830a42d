use fake_dc_directory::{Protection, Reply};
use ldap_wire::{LdapMessage, LdapResult, ResultCode};

use super::refuse;
use crate::faults::{FaultInfo, ServerFault};

/// Every request is answered with `busy` (51).
#[derive(Debug)]
pub(crate) struct Busy;

impl ServerFault for Busy {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.busy",
            "every LDAP request is answered with busy (51)",
            "the DC is overloaded, for example while it replicates a large change",
            "",
        )
    }

    fn on_request(&self, request: &LdapMessage, _protection: Protection) -> Option<Reply> {
        refuse(request, LdapResult::new(ResultCode::BUSY, TEXT))
    }
}

/// The form of AD's service errors ([MS-ADTS] 3.1.1.3.1.9): ERROR_DS_BUSY is 0x200E. The DSID is
/// not confirmed.
const TEXT: &str = "0000200E: SvcErr: DSID-02050000, problem 5001 (BUSY), data 0\n";
