//! Results of refused changes of accounts, groups and passwords, in the words of the same DCs as
//! those of [`change`](super::change).

use ldap_wire::{LdapResult, ResultCode};

use super::{
    Diagnostics,
    change::{plain, samba, werror, win32},
};
use crate::dn::Dn;

impl Diagnostics {
    /// An attribute that SAM keeps to itself.
    pub(crate) fn owned_by_sam(self, name: &str) -> LdapResult {
        let text = format!("samldb: {name} must not be specified!");
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.attribute(ResultCode::CONSTRAINT_VIOLATION, win32::OWNED_BY_SYSTEM, name),
        )
    }

    /// An account must keep this attribute. `text` is Samba's.
    pub(crate) fn needed_by_sam(self, text: &str) -> LdapResult {
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, 0x2077, format!("samldb: {text}")),
            self.unwilling(win32::WILL_NOT),
        )
    }

    /// A rule of SAM that Samba words itself.
    pub(crate) fn sam_refuses(self, text: &str) -> LdapResult {
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.unwilling(win32::WILL_NOT),
        )
    }

    /// A rule of SAM that Samba has no words for.
    pub(crate) fn sam_refuses_silently(self) -> LdapResult {
        let text = "error in module samldb: Unwilling to perform during LDB_MODIFY (53)";
        self.of(plain(ResultCode::UNWILLING_TO_PERFORM, text), self.unwilling(win32::WILL_NOT))
    }

    /// A new member is not there. ERROR_NO_SUCH_USER.
    pub(crate) fn no_such_member(self, windows: LdapResult) -> LdapResult {
        const STORE: &str = "source4/dsdb/samdb/ldb_modules/extended_dn_store.c";
        let text = format!("specified dn doesn't exist at {STORE}:160:extended_dn_handle_fpo_attr");
        self.of(samba(ResultCode::NO_SUCH_OBJECT, 0x525, text), windows)
    }

    /// Samba 4.22 looks for the group before it looks at the schema.
    pub(crate) fn no_group(self) -> LdapResult {
        self.of(
            samba(
                ResultCode::OPERATIONS_ERROR,
                0x2020,
                "operations error at source4/dsdb/samdb/ldb_modules/samldb.c:3350",
            ),
            Self::class_violation(win32::NOT_FOR_CLASS),
        )
    }

    pub(crate) fn account_name_taken(self, name: &str) -> LdapResult {
        let code = ResultCode::ENTRY_ALREADY_EXISTS;
        let windows = "00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0";
        let text = format!("samldb: sAMAccountName '{name}' already in use!");
        self.of(samba(code, werror::EXISTS, text), plain(code, windows))
    }

    pub(crate) fn bad_account_name(self, character: char) -> LdapResult {
        let text = format!("samldb: sAMAccountName contains invalid '{character}' character");
        let code = ResultCode::CONSTRAINT_VIOLATION;
        self.of(
            samba(code, werror::CONSTRAINT, text),
            self.attribute(ResultCode::INVALID_ATTRIBUTE_SYNTAX, 0x523, "sAMAccountName"),
        )
    }

    /// `implied`: the account name of somebody else, who so has that principal name.
    pub(crate) fn principal_name_taken(self, name: &str, implied: Option<&str>) -> LdapResult {
        let constraint = ResultCode::CONSTRAINT_VIOLATION;
        let result = match implied {
            Some(account) => samba(
                ResultCode::ENTRY_ALREADY_EXISTS,
                werror::EXISTS,
                format!(
                    "samldb: sAMAccountName '{account}' is already in use (implied by \
                     userPrincipalName)"
                ),
            ),
            None => samba(
                constraint,
                werror::CONSTRAINT,
                format!("samldb: userPrincipalName '{name}' is already in use "),
            ),
        };
        // ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST.
        self.of(result, self.attribute(constraint, 0x21c8, "userPrincipalName"))
    }

    pub(crate) fn service_name_taken(self, name: &str) -> LdapResult {
        let code = ResultCode::CONSTRAINT_VIOLATION;
        let text = format!("samldb: spn[{name}] would cause a conflict");
        // ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST.
        self.of(
            samba(code, werror::CONSTRAINT, text),
            self.attribute(code, 0x21c7, "servicePrincipalName"),
        )
    }

    pub(crate) fn bad_service_name(self, name: &str, components: usize) -> LdapResult {
        let code = ResultCode::CONSTRAINT_VIOLATION;
        let text = format!("samldb: spn[{name}] invalid with {components} components");
        self.of(
            samba(code, werror::CONSTRAINT, text),
            self.attribute(code, 0x21c7, "servicePrincipalName"),
        )
    }

    pub(crate) fn two_account_types(self, dn: &Dn) -> LdapResult {
        let text = format!("Failed to add {dn}: Setting more than one account type not permitted");
        self.of(plain(ResultCode::OTHER, text), self.unwilling(win32::WILL_NOT))
    }

    pub(crate) fn trust_account(self, dn: &Dn) -> LdapResult {
        let text = format!(
            "Failed to add {dn}: Updating the UF_INTERDOMAIN_TRUST_ACCOUNT bit in \
             userAccountControl is not permitted over LDAP.  This bit is restricted to the LSA \
             CreateTrustedDomain interface"
        );
        self.of(
            plain(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, text),
            self.unwilling(win32::WILL_NOT),
        )
    }

    pub(crate) fn needs_computer(self) -> LdapResult {
        let text = "samldb: UF_WORKSTATION_TRUST_ACCOUNT requires objectclass 'computer'!";
        self.of(
            samba(ResultCode::OBJECT_CLASS_VIOLATION, 0x217c, text),
            Self::class_violation(0x217c),
        )
    }

    pub(crate) fn already_primary(self, member: &str, rid: u32) -> LdapResult {
        let code = ResultCode::ENTRY_ALREADY_EXISTS;
        let text = format!("samldb: member {member} already set via primaryGroupID {rid}");
        let windows = "00000562: UpdErr: DSID-031A122A, problem 6005 (ENTRY_EXISTS), data 0";
        self.of(samba(code, werror::EXISTS, text), plain(code, windows))
    }

    /// A user has added as many computers as one may.
    pub(crate) fn machine_quota(self) -> LdapResult {
        self.unwilling(win32::MACHINE_QUOTA)
    }

    pub(crate) fn last_set(self) -> LdapResult {
        let text = "setup_last_set_field: pwdLastSet must be 0 or -1 only! at \
                    source4/dsdb/samdb/ldb_modules/password_hash.c:2439:setup_last_set_field";
        self.of(samba(ResultCode::OTHER, win32::BAD_VALUE, text), self.unwilling(win32::BAD_VALUE))
    }

    /// A password of the wrong form, or one that is set in a way that nobody may. `text` is
    /// Samba's.
    pub(crate) fn password_form(self, text: &str) -> LdapResult {
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.unwilling(win32::NOT_PROTECTED),
        )
    }

    pub(crate) fn not_protected(self) -> LdapResult {
        let text = "Password modification over LDAP must be over an encrypted connection";
        self.of(plain(ResultCode::UNWILLING_TO_PERFORM, text), self.unwilling(win32::NOT_PROTECTED))
    }

    /// The policy refuses a password. Windows tells the owner something else than who resets it.
    pub(crate) fn password_restriction(self, text: &str, reset: bool) -> LdapResult {
        let code = ResultCode::CONSTRAINT_VIOLATION;
        let text = format!("Constraint violation - check_password_restrictions: {text}");
        let windows = if reset {
            self.unwilling(win32::PASSWORD_RESTRICTION)
        } else {
            self.attribute(code, win32::PASSWORD_RESTRICTION, "unicodePwd")
        };
        self.of(samba(code, win32::PASSWORD_RESTRICTION, text), windows)
    }

    pub(crate) fn wrong_password(self) -> LdapResult {
        let code = ResultCode::CONSTRAINT_VIOLATION;
        let text = "Constraint violation - check_password_restrictions: The old password specified \
                    doesn't match!";
        self.of(
            samba(code, win32::WRONG_PASSWORD, text),
            self.attribute(code, win32::WRONG_PASSWORD, "unicodePwd"),
        )
    }

    pub(crate) fn account_stays(self) -> LdapResult {
        let text = "error in module samldb: Other during LDB_DELETE (80)";
        self.of(plain(ResultCode::OTHER, text), self.unwilling(win32::CRITICAL_OBJECT))
    }

    /// An entry that stands for somebody of another domain has no SID to tell who.
    pub(crate) fn nobody_foreign(self) -> LdapResult {
        let text = "objectSid missing on foreignSecurityPrincipal at \
                    source4/dsdb/samdb/ldb_modules/samldb.c:1783:\
                    samldb_fill_foreignSecurityPrincipal_object";
        self.of(
            samba(ResultCode::OBJECT_CLASS_VIOLATION, win32::REQUIRED_MISSING, text),
            Self::class_violation(win32::REQUIRED_MISSING),
        )
    }
}
