//! Results of refused changes.
//!
//! Samba's texts are those that a DC of 4.22.6 gave (`fixtures/samba-ad/changes`). Windows' are
//! made of the documented error and the class of problem, as [MS-ADTS] 3.1.1.3.1.9 has it.

use std::fmt;

use ldap_wire::{LdapResult, ResultCode};

use super::Diagnostics;
use crate::{change::Verb, config::Flavour, dn::Dn};

/// Win32 errors behind refused changes ([MS-ERREF] 2.2).
pub(crate) mod win32 {
    pub(crate) const ATTRIBUTE_NOT_ON_OBJECT: u32 = 0x200a;
    pub(crate) const BAD_NAME_REFERENCE: u32 = 0x20b5;
    pub(crate) const BAD_VALUE: u32 = 0x57;
    pub(crate) const CRITICAL_OBJECT: u32 = 0x20ce;
    pub(crate) const MACHINE_QUOTA: u32 = 0x216d;
    pub(crate) const NOT_FOR_CLASS: u32 = 0x207d;
    pub(crate) const NOT_PROTECTED: u32 = 0x1f;
    pub(crate) const OWNED_BY_SYSTEM: u32 = 0x20b1;
    pub(crate) const PASSWORD_RESTRICTION: u32 = 0x52d;
    pub(crate) const REQUIRED_MISSING: u32 = 0x207c;
    pub(crate) const SYSTEM_CLASS: u32 = 0x2178;
    pub(crate) const VALUE_EXISTS: u32 = 0x2083;
    pub(crate) const WILL_NOT: u32 = 0x209a;
    pub(crate) const WRONG_PASSWORD: u32 = 0x56;
}

/// What Samba says: a Win32 error in front of a text.
pub(super) fn samba(code: ResultCode, error: u32, text: impl fmt::Display) -> LdapResult {
    LdapResult::new(code, format!("{error:08X}: {text}"))
}

pub(super) fn plain(code: ResultCode, text: impl Into<String>) -> LdapResult {
    LdapResult::new(code, text)
}

/// The Win32 errors that Samba puts in front of its texts, by the result code
/// (`ldb_strerror` and `dsdb` of Samba 4.22).
pub(super) mod werror {
    pub(in crate::diagnostic) const CONSTRAINT: u32 = 0x202f;
    pub(in crate::diagnostic) const EXISTS: u32 = 0x2071;
    pub(in crate::diagnostic) const INVALID_DN: u32 = 0x2032;
    pub(in crate::diagnostic) const NAMING: u32 = 0x2037;
    pub(in crate::diagnostic) const NO_ACCESS: u32 = 0x2098;
    pub(in crate::diagnostic) const NO_ATTRIBUTE: u32 = 0x200a;
    pub(in crate::diagnostic) const NO_OBJECT: u32 = 0x2030;
    pub(in crate::diagnostic) const OBJECT_CLASS: u32 = 0x2014;
    pub(in crate::diagnostic) const OTHER: u32 = 0x2095;
    pub(in crate::diagnostic) const UNWILLING: u32 = 0x2035;
    pub(in crate::diagnostic) const VALUE_EXISTS: u32 = 0x200d;
}

impl Diagnostics {
    pub(super) fn of(self, samba: LdapResult, windows: LdapResult) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => samba,
            Flavour::WindowsServer2022 => windows,
        }
    }

    /// The problem with an attribute, as Windows tells it.
    pub(super) fn attribute(self, code: ResultCode, error: u32, name: &str) -> LdapResult {
        self.attribute_problem(code, error, name)
    }

    pub(super) fn class_violation(error: u32) -> LdapResult {
        plain(
            ResultCode::OBJECT_CLASS_VIOLATION,
            format!(
                "{error:08X}: UpdErr: DSID-0315119D, problem 6002 (OBJ_CLASS_VIOLATION), data 0"
            ),
        )
    }

    pub(crate) fn unreadable_name(self, verb: Verb, name: &str) -> LdapResult {
        let call = match verb {
            Verb::Add => "ldb_add",
            Verb::Delete => "ldb_delete",
            Verb::Modify => "ldb_modify",
            Verb::Rename => "ldb_rename",
        };
        let text = format!("{call}: invalid dn '(null)'");
        self.of(samba(ResultCode::INVALID_DN_SYNTAX, werror::INVALID_DN, text), self.bad_dn(name))
    }

    /// Samba's words for a target that is not there.
    pub(crate) fn absent(self, verb: Verb, dn: &Dn) -> LdapResult {
        let text = match verb {
            Verb::Add => format!("objectclass: Cannot add {dn}, parent does not exist!"),
            Verb::Delete => format!("objectclass: Cannot delete {dn}, entry does not exist!"),
            Verb::Modify => format!("No such Base DN: {dn}"),
            Verb::Rename => format!("objectclass: Cannot rename {dn}, entry does not exist!"),
        };
        samba(ResultCode::NO_SUCH_OBJECT, werror::NO_OBJECT, text)
    }

    pub(crate) fn no_class(self, dn: &Dn) -> LdapResult {
        let text = format!("objectclass: Cannot add {dn}, no objectclass specified!");
        self.of(
            samba(ResultCode::OBJECT_CLASS_VIOLATION, werror::OBJECT_CLASS, text),
            Self::class_violation(win32::REQUIRED_MISSING),
        )
    }

    pub(crate) fn no_structural_class(self, dn: &Dn) -> LdapResult {
        let text = format!("Failed to find a structural class for {dn}");
        self.of(
            plain(ResultCode::UNWILLING_TO_PERFORM, text),
            Self::class_violation(werror::OBJECT_CLASS),
        )
    }

    pub(crate) fn unrelated_class(self, one: &str, another: &str) -> LdapResult {
        let text =
            format!("objectclass: the objectclass '{one}' seems to be unrelated to {another}!");
        self.of(
            samba(ResultCode::OBJECT_CLASS_VIOLATION, werror::OBJECT_CLASS, text),
            Self::class_violation(werror::OBJECT_CLASS),
        )
    }

    pub(crate) fn other_structural_class(self, dn: &Dn, from: &str, to: &str) -> LdapResult {
        let text = format!(
            "objectclass: not permitted to change the structural objectClass on {dn} [{from}] => \
             [{to}]!"
        );
        let windows = plain(
            ResultCode::OBJECT_CLASS_MODS_PROHIBITED,
            "000020B1: UpdErr: DSID-030F0E70, problem 6009 (OBJECT_CLASS_MODS_PROHIBITED), data 0",
        );
        let code = ResultCode::OBJECT_CLASS_VIOLATION;
        self.of(samba(code, werror::OBJECT_CLASS, text), windows)
    }

    pub(crate) fn wrong_naming(self, verb: Verb, attribute: &str, class: &str) -> LdapResult {
        let attribute = attribute.to_uppercase();
        let text = format!("objectclass: Invalid RDN '{attribute}' for objectclass '{class}'!");
        let result = match verb {
            Verb::Rename => samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            _ => samba(ResultCode::NAMING_VIOLATION, werror::NAMING, text),
        };
        self.of(result, self.naming_violation())
    }

    pub(crate) fn system_class(self, class: &str, dn: &Dn) -> LdapResult {
        let text = format!(
            "objectclass: object class '{class}' is system-only, rejecting creation of '{dn}'!"
        );
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.unwilling(win32::SYSTEM_CLASS),
        )
    }

    /// Trusts and secrets are made through LSA ([MS-LSAD]), not through LDAP.
    pub(crate) fn class_of_lsa(self, dn: &Dn) -> LdapResult {
        let text = format!(
            "objectclass_attrs: LSA objectclasses (entry '{dn}') cannot be created or changed over \
             LDAP!"
        );
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.unwilling(win32::SYSTEM_CLASS),
        )
    }

    pub(crate) fn wrong_parent(self, verb: Verb, class: &str, parent: &Dn) -> LdapResult {
        let module = if verb == Verb::Rename { "objectclass: " } else { "" };
        let text = format!(
            "{module}structural objectClass {class} is not a valid child class for {parent}"
        );
        self.of(samba(ResultCode::NAMING_VIOLATION, werror::NAMING, text), self.naming_violation())
    }

    pub(crate) fn may_not_add(self, dn: &Dn) -> LdapResult {
        let text = format!("acl: unable to get access to {dn}");
        self.of(plain(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, text), self.no_rights())
    }

    pub(crate) fn may_not_write(self, dn: &Dn) -> LdapResult {
        let text = format!("Object {dn} has no write property access");
        let code = ResultCode::INSUFFICIENT_ACCESS_RIGHTS;
        self.of(samba(code, werror::NO_ACCESS, text), self.no_rights())
    }

    /// A right other than that to write a property is missing.
    pub(crate) fn may_not(self) -> LdapResult {
        let text = "error in module acl: insufficient access rights during LDB_MODIFY (50)";
        self.of(plain(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, text), self.no_rights())
    }

    pub(crate) fn may_not_delete(self, parent: &Dn) -> LdapResult {
        let text = format!("dsdb_access: Access check failed on {parent}");
        self.of(plain(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, text), self.no_rights())
    }

    pub(crate) fn may_not_rename(self, dn: &Dn) -> LdapResult {
        let text = format!("Object {dn} has no wp on name");
        let code = ResultCode::INSUFFICIENT_ACCESS_RIGHTS;
        self.of(samba(code, werror::NO_ACCESS, text), self.no_rights())
    }

    pub(crate) fn unknown_attribute(self, verb: Verb, name: &str, dn: &Dn) -> LdapResult {
        let text = format!("attribute '{name}' on entry '{dn}' was not found in the schema!");
        let code = ResultCode::NO_SUCH_ATTRIBUTE;
        let result = match verb {
            Verb::Modify => plain(code, format!("acl_modify: {text}")),
            _ => samba(code, werror::NO_ATTRIBUTE, format!("objectclass_attrs: {text}")),
        };
        let windows = "00000057: LdapErr: DSID-0C090D8A, comment: Error in attribute conversion \
                       operation, data 0, v4f7c";
        self.of(result, plain(code, windows))
    }

    pub(crate) fn constructed(self, name: &str, dn: &Dn) -> LdapResult {
        let text = format!("objectclass_attrs: attribute '{name}' on entry '{dn}' is constructed!");
        let code = ResultCode::UNDEFINED_ATTRIBUTE_TYPE;
        self.of(
            samba(code, 0x200c, text),
            self.attribute(ResultCode::CONSTRAINT_VIOLATION, win32::OWNED_BY_SYSTEM, name),
        )
    }

    pub(crate) fn back_link(self, name: &str, dn: &Dn) -> LdapResult {
        let text = format!(
            "objectclass_attrs: attribute '{name}' on entry '{dn}' must not be modified directly, \
             it is a linked attribute"
        );
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.attribute(ResultCode::CONSTRAINT_VIOLATION, win32::OWNED_BY_SYSTEM, name),
        )
    }

    pub(crate) fn system_attribute(self, name: &str, dn: &Dn) -> LdapResult {
        let text = format!(
            "objectclass_attrs: attribute '{name}' on entry '{dn}' can only be modified as system"
        );
        let code = ResultCode::CONSTRAINT_VIOLATION;
        self.of(
            samba(code, werror::CONSTRAINT, text),
            self.attribute(code, win32::OWNED_BY_SYSTEM, name),
        )
    }

    pub(crate) fn instance_type(self) -> LdapResult {
        let text = "instancetype: the 'instanceType' attribute can never be changed!";
        let code = ResultCode::CONSTRAINT_VIOLATION;
        self.of(
            samba(code, werror::CONSTRAINT, text),
            self.attribute(code, win32::OWNED_BY_SYSTEM, "instanceType"),
        )
    }

    pub(crate) fn given_twice(self, name: &str, dn: &Dn) -> LdapResult {
        let text = format!("SINGLE-VALUE attribute {name} on {dn} specified more than once");
        let code = ResultCode::CONSTRAINT_VIOLATION;
        self.of(samba(code, werror::CONSTRAINT, text), self.attribute(code, win32::BAD_VALUE, name))
    }

    /// `replaced`: whether the values were to take the place of others.
    pub(crate) fn too_many_values(self, name: &str, dn: &Dn, replaced: bool) -> LdapResult {
        let text = format!("SINGLE-VALUE attribute {name} on {dn} specified more than once");
        let exists = ResultCode::ATTRIBUTE_OR_VALUE_EXISTS;
        let windows = if replaced {
            self.attribute(ResultCode::CONSTRAINT_VIOLATION, win32::BAD_VALUE, name)
        } else {
            self.attribute(exists, win32::VALUE_EXISTS, name)
        };
        self.of(samba(exists, werror::VALUE_EXISTS, text), windows)
    }

    pub(crate) fn same_value_twice(self, name: &str, value: &[u8], dn: &Dn) -> LdapResult {
        let value = String::from_utf8_lossy(value);
        let text = format!(
            "attribute '{name}': value '{value}' on '{dn}' provided more than once in ADD object"
        );
        let code = ResultCode::ATTRIBUTE_OR_VALUE_EXISTS;
        self.of(plain(code, text), self.attribute(code, win32::VALUE_EXISTS, name))
    }

    /// `place`: where among the attributes of the entry this one stands.
    pub(crate) fn value_exists(self, name: &str, place: usize, dn: &Dn) -> LdapResult {
        let text = format!("attribute '{name}': value #{place} on '{dn}' already exists");
        let code = ResultCode::ATTRIBUTE_OR_VALUE_EXISTS;
        self.of(plain(code, text), self.attribute(code, win32::VALUE_EXISTS, name))
    }

    pub(crate) fn no_such_value(self, name: &str, whole: bool, dn: &Dn) -> LdapResult {
        let text = if whole {
            format!("attribute '{name}': no such attribute for delete on '{dn}'")
        } else {
            format!(
                "attribute '{name}': no matching attribute value while deleting attribute on '{dn}'"
            )
        };
        let code = ResultCode::NO_SUCH_ATTRIBUTE;
        self.of(plain(code, text), self.attribute(code, win32::ATTRIBUTE_NOT_ON_OBJECT, name))
    }

    pub(crate) fn link_exists(self, name: &str, guid: uuid::Uuid) -> LdapResult {
        let code = ResultCode::ENTRY_ALREADY_EXISTS;
        let text = format!("Attribute {name} already exists for target GUID {guid}");
        let windows = "00000562: UpdErr: DSID-031A122A, problem 6005 (ENTRY_EXISTS), data 0";
        self.of(plain(code, text), plain(code, windows))
    }

    /// `guid`: of the entry that is no target; `None` if there is no such entry.
    pub(crate) fn no_such_link(self, name: &str, guid: Option<uuid::Uuid>, dn: &str) -> LdapResult {
        let code = ResultCode::UNWILLING_TO_PERFORM;
        let result = match guid {
            Some(guid) => {
                plain(code, format!("Attribute {name} doesn't exist for target GUID {guid}"))
            }
            None => samba(code, werror::UNWILLING, format!("Unable to find GUID for DN {dn}")),
        };
        // ERROR_MEMBER_NOT_IN_ALIAS.
        self.of(result, self.unwilling(0x561))
    }

    pub(crate) fn bad_value(self, name: &str, dn: &Dn) -> LdapResult {
        let text = format!(
            "objectclass_attrs: attribute '{name}' on entry '{dn}' contains at least one invalid \
             value!"
        );
        let code = ResultCode::INVALID_ATTRIBUTE_SYNTAX;
        self.of(samba(code, 0x200b, text), self.attribute(code, win32::BAD_VALUE, name))
    }

    pub(crate) fn bad_dn_value(self, name: &str, value: &str) -> LdapResult {
        let text = format!("could not parse {value} as a 1.3.6.1.4.1.1466.115.121.1.12 DN");
        self.of(
            plain(ResultCode::INVALID_DN_SYNTAX, text),
            self.attribute(ResultCode::INVALID_ATTRIBUTE_SYNTAX, win32::BAD_VALUE, name),
        )
    }

    /// A value names an entry that is not there.
    pub(crate) fn dangling(self, name: &str) -> LdapResult {
        const STORE: &str = "source4/dsdb/samdb/ldb_modules/extended_dn_store.c";
        let code = ResultCode::CONSTRAINT_VIOLATION;
        let text = format!("Referenced object not found at {STORE}:357:extended_replace_callback");
        self.of(
            samba(code, win32::BAD_NAME_REFERENCE, text),
            self.attribute(code, win32::BAD_NAME_REFERENCE, name),
        )
    }

    pub(crate) fn not_for_class(self, name: &str, dn: &Dn) -> LdapResult {
        let text = format!(
            "objectclass_attrs: attribute '{name}' on entry '{dn}' does not exist in the specified \
             objectclasses!"
        );
        self.of(
            samba(ResultCode::OBJECT_CLASS_VIOLATION, werror::OBJECT_CLASS, text),
            Self::class_violation(win32::NOT_FOR_CLASS),
        )
    }

    /// `verb`: whether the attribute was left out, or taken away.
    pub(crate) fn mandatory(self, verb: Verb, name: &str, dn: &Dn) -> LdapResult {
        let result = match verb {
            Verb::Add => samba(
                ResultCode::OBJECT_CLASS_VIOLATION,
                werror::OBJECT_CLASS,
                format!(
                    "objectclass_attrs: at least one mandatory attribute ('{name}') on entry \
                     '{dn}' wasn't specified!"
                ),
            ),
            _ => samba(
                ResultCode::UNWILLING_TO_PERFORM,
                werror::UNWILLING,
                format!(
                    "objectclass_attrs: delete protected attribute '{name}' on entry '{dn}' \
                     missing!"
                ),
            ),
        };
        self.of(result, Self::class_violation(win32::REQUIRED_MISSING))
    }

    pub(crate) fn guid_given(self) -> LdapResult {
        let text = "replmd_add: it's not allowed to add an object with objectGUID!";
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.unwilling(win32::WILL_NOT),
        )
    }

    pub(crate) fn naming_value(self, dn: &Dn, given: &str) -> LdapResult {
        let (attribute, value) =
            dn.first().map_or_else(Default::default, |first| (first.attribute, first.value));
        let attribute = attribute.to_uppercase();
        let text =
            format!("RDN mismatch on {dn}: {attribute} ({value}) should match one of: ({given})");
        self.of(
            samba(ResultCode::INVALID_DN_SYNTAX, werror::INVALID_DN, text),
            self.naming_violation(),
        )
    }

    /// Only a rename changes a name.
    pub(crate) fn is_name(self, name: &str, dn: &Dn) -> LdapResult {
        let text = |what: &str| {
            format!("Modify of {what} on {dn} not permitted, must use 'rename' operation instead")
        };
        let code = ResultCode::NOT_ALLOWED_ON_RDN;
        let result = match name {
            "name" => samba(code, 0x2016, text("'name'")),
            "distinguishedName" => samba(
                ResultCode::CONSTRAINT_VIOLATION,
                werror::CONSTRAINT,
                text("'distinguishedName'"),
            ),
            name => samba(code, 0x2016, text(&format!("RDN '{}'", name.to_uppercase()))),
        };
        self.of(result, self.not_on_rdn())
    }

    /// Samba 4.22 does not know the increments of RFC 4525.
    pub(crate) fn increment(self) -> LdapResult {
        samba(ResultCode::PROTOCOL_ERROR, 0x2021, "Protocol error. Invalid LDAP_MODIFY_* type")
    }

    pub(crate) fn new_name_unreadable(self, new_rdn: &str, components: usize) -> LdapResult {
        let result = if components > 1 {
            samba(ResultCode::NAMING_VIOLATION, werror::NAMING, "Naming violation")
        } else {
            samba(ResultCode::OTHER, werror::OTHER, "Other")
        };
        self.of(result, self.bad_dn(new_rdn))
    }

    pub(crate) fn old_name_kept(self) -> LdapResult {
        let text = "Unwilling to perform. Old RDN must be deleted";
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.unwilling(win32::WILL_NOT),
        )
    }

    pub(crate) fn new_parent_absent(self, dn: &Dn, windows: LdapResult) -> LdapResult {
        let text = format!("objectclass: Cannot rename {dn}, parent does not exist!");
        self.of(samba(ResultCode::OTHER, werror::OTHER, text), windows)
    }

    pub(crate) fn below_itself(self, dn: &Dn) -> LdapResult {
        let text = format!("objectclass: Cannot rename {dn} to be a child of itself");
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.unwilling(win32::WILL_NOT),
        )
    }

    pub(crate) fn stays_in_system(self, dn: &Dn) -> LdapResult {
        let text = format!(
            "subtree_rename: Cannot move/rename {dn}. Objects under CN=System have to stay under it!"
        );
        self.of(
            samba(ResultCode::OTHER, werror::OTHER, text),
            self.unwilling(win32::CRITICAL_OBJECT),
        )
    }

    pub(crate) fn may_not_be_renamed(self, dn: &Dn) -> LdapResult {
        let text = format!("subtree_rename: Cannot rename {dn}, it isn't permitted!");
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.unwilling(win32::CRITICAL_OBJECT),
        )
    }

    pub(crate) fn may_not_be_deleted(self, dn: &Dn) -> LdapResult {
        let text = format!("objectclass: Cannot delete {dn}, it isn't permitted!");
        self.of(
            samba(ResultCode::UNWILLING_TO_PERFORM, werror::UNWILLING, text),
            self.unwilling(win32::CRITICAL_OBJECT),
        )
    }

    pub(crate) fn context_stays(self) -> LdapResult {
        let text = "error in module acl: Unwilling to perform during LDB_DELETE (53)";
        self.of(
            plain(ResultCode::UNWILLING_TO_PERFORM, text),
            self.unwilling(win32::CRITICAL_OBJECT),
        )
    }

    pub(crate) fn has_children(self, children: usize) -> LdapResult {
        let text = format!(
            "subtree_delete: Unable to delete a non-leaf node (it has {children} children)!"
        );
        self.of(samba(ResultCode::NOT_ALLOWED_ON_NON_LEAF, 0x2015, text), self.not_on_non_leaf())
    }
}
