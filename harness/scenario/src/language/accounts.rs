//! Logins, subjects, and what the directory says of accounts (xapi-flows.md §§10, 11).

use super::{DomainRef, HostRef, Password, SessionRef};
use crate::grammar::Spanned;

choice! {
    /// A call of the class `session` (xenapi-wire.md §6).
    pub enum SessionCall: "call of the class session" {
        /// The SIDs of the accounts of AD that have sessions.
        get_all_subject_identifiers => GetAllSubjectIdentifiers(super::NoParameters),
        /// Opens a session (§10).
        login_with_password => LoginWithPassword(Login),
        /// Ends a session.
        logout => Logout(Logout),
        /// Ends all sessions of an account.
        logout_subject_identifier => LogoutSubjectIdentifier(OfAccount),
    }
}

choice! {
    /// A call of the class `subject` (xenapi-wire.md §7.4).
    pub enum SubjectCall: "call of the class subject" {
        /// Gives a role to a subject.
        add_to_roles => AddToRoles(SubjectRole),
        /// Lets an account, or the members of a group, log in.
        create => Create(OfAccount),
        /// Takes a subject out of the pool.
        destroy => Destroy(OfAccount),
        /// Takes a role from a subject.
        remove_from_roles => RemoveFromRoles(SubjectRole),
    }
}

choice! {
    /// A call of the class `auth` (xenapi-wire.md §7.4).
    pub enum AuthCall: "call of the class auth" {
        /// The SIDs of all groups that a user is in.
        get_group_membership => GetGroupMembership(OfAccount),
        /// The SID of the account with a name.
        get_subject_identifier => GetSubjectIdentifier(SubjectName),
        /// What AD says of an account (§11.5).
        get_subject_information_from_identifier => GetSubjectInformationFromIdentifier(OfAccount),
    }
}

choice! {
    /// Somebody changes a domain.
    pub enum DomainAction: "change of a domain" {
        /// Changes objects as the administrator does with `ldapmodify`.
        change => Change(ChangeDomain),
        /// Renews the root and the issuing CA as AD CS does: under the old name, with a new key. DCs
        /// show what they have until they enrol and look again.
        renew_ca => RenewCa(RenewCa),
    }
}

table! {
    /// Parameters of `domain.renew_ca`.
    pub struct RenewCa {
        /// The domain.
        pub domain: Spanned<DomainRef>,
        /// Whether the CAs keep the keys that they had.
        pub keep_key: bool = false,
        /// For how many days from now the root is valid. The issuing CA lasts as long, but five years
        /// at most, and issues nothing that would outlive it.
        pub days: u32 = 7300,
    }
}

table! {
    /// Parameters of `session.login_with_password`.
    pub struct Login {
        /// Name of the account, as the user types it; `root` is the local superuser, whose password
        /// is `xenroot`.
        pub uname: String,
        /// Its password, as the user types it.
        pub pwd: Password,
        /// What the client calls itself.
        pub originator: String = String::new(),
    }
}

table! {
    /// Parameters of `session.logout`.
    pub struct Logout {
        /// The step that opened the session.
        pub opened_by: Spanned<SessionRef>,
    }
}

table! {
    /// An account.
    pub struct OfAccount {
        one_of {
            /// Which account.
            pub account: AdAccount
        }
    }
}

choice! {
    /// An account, of which calls want the SID.
    pub enum AdAccount: "account" {
        /// By its `sAMAccountName`, with `NETBIOS\` before it if several domains have it. Of an account
        /// that is gone, the SID that its subject has.
        account => Named(Spanned<String>),
        /// By its SID, as it is.
        sid => Sid(String),
    }
}

table! {
    /// A role of a subject.
    pub struct SubjectRole {
        /// Name of the role, such as `pool-admin`; another name is sent as if it were a reference.
        pub role: String,
        one_of {
            /// The account whose subject it is.
            pub account: AdAccount
        }
    }
}

table! {
    /// A name.
    pub struct SubjectName {
        /// Name of an account in any form: `alice`, `CORP\alice`, `alice@corp.example`.
        pub subject_name: String,
    }
}

table! {
    /// Parameters of `domain.change`.
    pub struct ChangeDomain {
        /// The domain.
        pub domain: Spanned<DomainRef>,
        /// The changes in LDIF (RFC 2849): `changetype: modify` and so on.
        pub ldif: Spanned<String>,
    }
}

table! {
    /// A number of a pool.
    pub struct SetNumber {
        /// The value.
        pub value: u32,
    }
}

table! {
    /// A switch of a pool.
    pub struct SetSwitch {
        /// The value.
        pub value: bool,
    }
}

table! {
    /// A program on a host.
    pub struct HostProgram {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The program with its first words: `net ads search`, `wbinfo --krb5auth`, `systemctl
        /// restart winbind`.
        pub program: Spanned<String>,
    }
}

table! {
    /// Open sessions of an account after the step.
    pub struct SessionExpectation {
        /// Name of the account as the sessions have it: `root`, `CORP\alice`.
        pub user: String,
        /// How many there are.
        pub count: u32,
    }
}

table! {
    /// A subject of the pool after the step.
    pub struct SubjectExpectation {
        /// Its stored `subject-name`.
        pub name: String,
        one_of {
            /// What it must be.
            pub state: SubjectState
        }
    }
}

choice! {
    /// State of a subject.
    pub enum SubjectState: "state of the subject" {
        /// There is none of this name.
        absent => Absent(super::True),
        /// It stores at least these attributes (§11.5).
        stores => Stores(std::collections::BTreeMap<String, super::Pattern>),
        /// It has exactly these roles.
        roles => Roles(Vec<String>),
    }
}
