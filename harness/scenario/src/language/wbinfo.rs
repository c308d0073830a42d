//! `wbinfo` by hand (xapi-flows.md §6.2).

use super::{HostRef, Password};
use crate::grammar::Spanned;

choice! {
    /// Samba's `wbinfo`, run as an administrator on the host would run it (xapi-flows.md §6.2).
    pub enum WbinfoCommand: "command of wbinfo" {
        /// `wbinfo --change-secret`: the machine gets a new password.
        change_secret => ChangeSecret(WbinfoHost),
        /// `wbinfo --getdcname DOMAIN`.
        getdcname => GetDcName(WbinfoDomain),
        /// `wbinfo --krb5auth NAME --krb5ccname /dev/null`.
        krb5auth => Krb5Auth(WbinfoLogin),
        /// `wbinfo --name-to-sid NAME`.
        name_to_sid => NameToSid(WbinfoName),
        /// `wbinfo --sid-to-gid SID`.
        sid_to_gid => SidToGid(WbinfoSid),
        /// `wbinfo --sid-to-name SID`.
        sid_to_name => SidToName(WbinfoSid),
        /// `wbinfo --sid-to-uid SID`.
        sid_to_uid => SidToUid(WbinfoSid),
        /// `wbinfo --uid-info UID`.
        uid_info => UidInfo(WbinfoUid),
        /// `wbinfo --user-domgroups SID`.
        user_domgroups => UserDomgroups(WbinfoSid),
    }
}

table! {
    /// Parameters of `wbinfo.change_secret`.
    pub struct WbinfoHost {
        /// The host.
        pub host: Spanned<HostRef>,
    }
}

table! {
    /// Parameters of `wbinfo.getdcname`.
    pub struct WbinfoDomain {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The domain, by whatever name.
        pub domain: String,
    }
}

table! {
    /// Parameters of `wbinfo.krb5auth`.
    pub struct WbinfoLogin {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The account, in any form: `alice`, `CORP\alice`, `alice@corp.example`.
        pub name: String,
        /// What is given as its password.
        pub password: Password,
    }
}

table! {
    /// Parameters of `wbinfo.name_to_sid`.
    pub struct WbinfoName {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The account, in any form: `alice`, `CORP\alice`, `alice@corp.example`.
        pub name: String,
    }
}

table! {
    /// Parameters of the commands that take a SID.
    pub struct WbinfoSid {
        /// The host.
        pub host: Spanned<HostRef>,
        /// A SID, or the account that has it: `alice` in the first domain of the scenario,
        /// `CORP\alice` in the domain of that NetBIOS name. What is no account is given to `wbinfo`
        /// as it is.
        pub sid: String,
    }
}

table! {
    /// Parameters of `wbinfo.uid_info`.
    pub struct WbinfoUid {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The number of a user on this host.
        pub uid: u32,
    }
}
