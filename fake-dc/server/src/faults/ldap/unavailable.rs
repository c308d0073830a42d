use fake_dc_directory::{Protection, Reply};
use ldap_wire::{LdapMessage, LdapResult, ResultCode};

use super::refuse;
use crate::faults::{FaultInfo, ServerFault};

/// Every request is answered with `unavailable` (52).
#[derive(Debug)]
pub(crate) struct Unavailable;

impl ServerFault for Unavailable {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.unavailable",
            "every LDAP request is answered with unavailable (52)",
            "the directory service is shutting down, or has not finished its first replication",
            "",
        )
    }

    fn on_request(&self, request: &LdapMessage, _protection: Protection) -> Option<Reply> {
        refuse(request, LdapResult::new(ResultCode::UNAVAILABLE, TEXT))
    }
}

/// The form of AD's service errors ([MS-ADTS] 3.1.1.3.1.9): ERROR_DS_UNAVAILABLE is 0x200F. The
/// DSID is not confirmed.
const TEXT: &str = "0000200F: SvcErr: DSID-02050000, problem 5002 (UNAVAILABLE), data 0\n";
