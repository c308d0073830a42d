//! The status codes of Windows that the programs print, with their names, numbers and texts
//! (\[MS-ERREF\] 2.3, `nterr.c` of Samba 4.22).

/// A status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NtStatus {
    /// `NT_STATUS_…`, without that beginning.
    pub(super) name: &'static str,
    pub(super) number: u32,
    /// `get_friendly_nt_error_msg`.
    pub(super) text: &'static str,
}

macro_rules! statuses {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl NtStatus {
            $(pub(super) const $name: Self =
                Self { name: stringify!($name), number: $number, text: $text };)*
        }
    };
}

statuses! {
    ACCOUNT_LOCKED_OUT = 0xc000_0234,
        "The user account has been automatically locked because too many invalid logon attempts or \
         password change attempts have been requested.";
    LOGON_FAILURE = 0xc000_006d,
        "The attempted logon is invalid. This is either due to a bad username or authentication \
         information.";
    NO_LOGON_SERVERS = 0xc000_005e,
        "No logon servers are currently available to service the logon request.";
    NO_SUCH_USER = 0xc000_0064, "The specified account does not exist.";
    PASSWORD_EXPIRED = 0xc000_0071, "The user account password has expired.";
    TIME_DIFFERENCE_AT_DC = 0xc000_0133,
        "The time at the primary domain controller is different from the time at the backup domain \
         controller or member server by too large an amount.";
    UNSUCCESSFUL = 0xc000_0001, "The requested operation was unsuccessful.";
}
