use fake_dc_directory::Reply;
use ldap_wire::{LdapResult, ResultCode};

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault, refuse},
};

/// Every bind is refused with `invalidCredentials` (49) and one of AD's sub-codes, whatever the
/// account: this DC's copy of the account is in that state, or replication has not reached it.
///
/// The sub-code is the Win32 error in hexadecimal after `data` (Microsoft, "LDAP bind errors";
/// form of the text as captured from Samba 4.22.11 in `fixtures/samba-ad/errors`).
#[derive(Debug)]
pub(crate) struct InvalidCredentials {
    id: &'static str,
    data: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
}

macro_rules! sub_code {
    ($name:ident, $data:literal, $state:literal, $cause:literal) => {
        pub(crate) const $name: InvalidCredentials = InvalidCredentials {
            id: concat!("ldap.invalid-credentials-", $data),
            data: $data,
            summary: concat!("every bind is refused with 49, data ", $data, ": ", $state),
            cause: $cause,
            drawing: concat!(
                "client → DC   bind\n\
                 DC → client   49 invalidCredentials, 80090308: LdapErr: … data ",
                $data
            ),
        };
    };
}

sub_code!(
    NO_SUCH_USER,
    "525",
    "no such user",
    "the account has not been replicated to this DC, or was removed"
);
sub_code!(
    WRONG_PASSWORD,
    "52e",
    "wrong user name or password",
    "a changed password has not been replicated to this DC"
);
sub_code!(
    RESTRICTED,
    "52f",
    "account restriction",
    "the account is in Protected Users or may not log on with this method"
);
sub_code!(HOURS, "530", "not permitted at this time", "the account's logon hours are limited");
sub_code!(
    WORKSTATION,
    "531",
    "not permitted at this workstation",
    "the account may log on at listed workstations only"
);
sub_code!(
    PASSWORD_EXPIRED,
    "532",
    "password expired",
    "the password of the service account was not renewed in time"
);
sub_code!(DISABLED, "533", "account disabled", "somebody disabled the service account");
sub_code!(
    ACCOUNT_EXPIRED,
    "701",
    "account expired",
    "the service account was made with an expiry date"
);
sub_code!(
    MUST_CHANGE,
    "773",
    "password must be changed",
    "the account was made with \"user must change password at next logon\""
);
sub_code!(
    LOCKED_OUT,
    "775",
    "account locked out",
    "somebody, or an old job with an old password, tried too often"
);

impl ServerFault for InvalidCredentials {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing)
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        if !asked.is_bind() {
            return None;
        }
        let text = format!(
            "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {}, \
             v4f7c",
            self.data
        );
        refuse(asked.message, LdapResult::new(ResultCode::INVALID_CREDENTIALS, text))
    }
}
