use fake_dc_directory::{Protection, Reply};
use ldap_wire::{Authentication, LdapResult, ProtocolOp, ResultCode};

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault, refuse},
};

/// Simple binds in clear are refused: "LDAP server signing requirements" is set to "Require
/// signing", the default of new domains since Windows Server 2025. Binds inside TLS succeed.
#[derive(Debug)]
pub(crate) struct StrongerAuthRequired;

impl ServerFault for StrongerAuthRequired {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.stronger-auth-required",
            "a simple bind without TLS is refused with strongerAuthRequired (8)",
            "the DC requires LDAP signing, the default since Windows Server 2025",
            "client → DC   simple bind, no TLS\n\
             DC → client   8 strongerAuthRequired, 00002028: LdapErr: … integrity checking\n\
             client → DC   the same bind inside TLS\n\
             DC → client   0 success",
        )
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        let ProtocolOp::BindRequest(bind) = &asked.message.op else { return None };
        let Authentication::Simple(password) = &bind.authentication else { return None };
        let anonymous = bind.name.is_empty() && password.is_empty();
        if asked.protection != Protection::None || anonymous {
            return None;
        }
        refuse(asked.message, LdapResult::new(ResultCode::STRONGER_AUTH_REQUIRED, TEXT))
    }
}

/// Text of Windows Server 2022 (reference table of `fixtures/samba-ad/README.md`).
const TEXT: &str = "00002028: LdapErr: DSID-0C090346, comment: The server requires binds to turn \
    on integrity checking if SSL\\TLS are not already active on the connection, data 0, v4f7c";
