//! What xapi's data model says of every message: who may send it, and whether it has an
//! asynchronous form (xenapi-wire.md §§5–9; xen-api, `ocaml/idl/datamodel*.ml`).
//!
//! The wire asks this table before it lets a session in; a login asks it what a role permits.

use std::{collections::BTreeSet, fmt, str::FromStr};

use md5::{Digest as _, Md5};
use uuid::Uuid;

use crate::{ApiError, Reference};

/// A role, in falling order of power (xenapi-wire.md §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything that the local superuser may do over the API.
    PoolAdmin,
    /// Resources of hosts and of the pool.
    PoolOperator,
    /// Virtual machines and templates, and where they run.
    VmPowerAdmin,
    /// Virtual machines and templates.
    VmAdmin,
    /// Use of virtual machines.
    VmOperator,
    /// Whoever comes with a client certificate. Internal: no subject can have it.
    ClientCert,
    /// Reading.
    ReadOnly,
}

impl Role {
    /// All roles, the most powerful first.
    pub const ALL: [Self; 7] = [
        Self::PoolAdmin,
        Self::PoolOperator,
        Self::VmPowerAdmin,
        Self::VmAdmin,
        Self::VmOperator,
        Self::ClientCert,
        Self::ReadOnly,
    ];

    /// Field `name_label`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PoolAdmin => "pool-admin",
            Self::PoolOperator => "pool-operator",
            Self::VmPowerAdmin => "vm-power-admin",
            Self::VmAdmin => "vm-admin",
            Self::VmOperator => "vm-operator",
            Self::ClientCert => "client-cert",
            Self::ReadOnly => "read-only",
        }
    }

    /// Field `name_description`.
    pub const fn description(self) -> &'static str {
        match self {
            Self::PoolAdmin => {
                "The Pool Administrator role has full access to all features and settings, \
                 including accessing Dom0 and managing subjects, roles and external authentication"
            }
            Self::PoolOperator => {
                "The Pool Operator role manages host- and pool-wide resources, including setting \
                 up storage, creating resource pools and managing patches, high availability (HA) \
                 and workload balancing (WLB)"
            }
            Self::VmPowerAdmin => {
                "The VM Power Administrator role has full access to VM and template management and \
                 can choose where to start VMs and use the dynamic memory control and VM snapshot \
                 features"
            }
            Self::VmAdmin => "The VM Administrator role can manage VMs and templates",
            Self::VmOperator => "The VM Operator role can use VMs and interact with VM consoles",
            Self::ClientCert => {
                "The Client Certificate role has access to functionality granted to those who \
                 authenticate using a client certificate"
            }
            Self::ReadOnly => "The Read-Only role can log in with basic read-only access",
        }
    }

    /// Field `uuid`, the same in every pool: the MD5 of the name.
    pub fn uuid(self) -> Uuid {
        digest(self.name())
    }

    /// Its reference, the same in every pool.
    pub fn reference(self) -> Reference {
        self.uuid().into()
    }

    /// The role behind a reference.
    pub fn from_reference(reference: &Reference) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.reference() == *reference)
    }

    /// Whether only xapi itself gives it.
    pub const fn is_internal(self) -> bool {
        matches!(self, Self::ClientCert)
    }

    /// What it permits: field `rbac_permissions` of a session of such an account, names of messages
    /// in lower case. The getters of all classes are not among them: every role may read.
    pub fn permissions(self) -> BTreeSet<String> {
        let permitted = TABLE.iter().filter(|message| message.is_permitted_to(self));
        permitted.map(|message| message.name.to_lowercase()).collect()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| UnknownRole { name: text.to_owned() })
    }
}

/// A word that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role `{name}`; the roles are {}", Role::ALL.map(Role::name).join(", "))]
pub struct UnknownRole {
    name: String,
}

/// Class `role`: one of the roles, or one of the permissions, which xapi keeps as roles without
/// parts. The same in every pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRecord {
    /// Reference.
    pub reference: Reference,
    /// Uuid.
    pub uuid: Uuid,
    /// Name of the role, or of the message in lower case.
    pub name_label: String,
    /// Description for people.
    pub name_description: &'static str,
    /// Permissions of a role.
    pub subroles: Vec<Reference>,
    /// Whether only xapi itself gives it.
    pub is_internal: bool,
}

/// All records of the class `role`: permissions, then roles. The permissions are those of the
/// messages that the table below has.
pub fn role_records() -> Vec<RoleRecord> {
    let permissions = TABLE.iter().filter(|message| message.least.is_some());
    let permissions = permissions.map(|message| RoleRecord {
        reference: message.permission().into(),
        uuid: message.permission(),
        name_label: message.name.to_lowercase(),
        name_description: "A basic permission",
        subroles: Vec::new(),
        is_internal: true,
    });
    let roles = Role::ALL.into_iter().map(|role| RoleRecord {
        reference: role.reference(),
        uuid: role.uuid(),
        name_label: role.name().to_owned(),
        name_description: role.description(),
        subroles: TABLE
            .iter()
            .filter(|message| message.is_permitted_to(role))
            .map(|message| message.permission().into())
            .collect(),
        is_internal: role.is_internal(),
    });
    permissions.chain(roles).collect()
}

/// A message of the data model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Real name: `pool.install_trusted_certificate`.
    pub name: &'static str,
    /// The least role that may send it; the more powerful ones may, too. `None`: only the local
    /// superuser and other hosts.
    least: Option<Role>,
    /// Whether client certificates may, although it is beyond their place in the order.
    client_cert: bool,
    /// Whether `Async.` may stand before its name.
    pub asynchronous: bool,
}

impl Message {
    /// The message of this name, unless it is one that merely reads.
    pub fn find(name: &str) -> Option<&'static Self> {
        TABLE.iter().find(|message| message.name == name)
    }

    /// The messages that do more than read, in order of names.
    pub fn all() -> &'static [Self] {
        TABLE
    }

    /// The roles that may send it, the most powerful first.
    pub fn roles(&self) -> impl Iterator<Item = Role> + '_ {
        Role::ALL.into_iter().filter(|role| self.is_permitted_to(*role))
    }

    /// Uuid of the permission to send it: the MD5 of its name.
    fn permission(&self) -> Uuid {
        digest(self.name)
    }

    fn is_permitted_to(&self, role: Role) -> bool {
        self.least.is_some_and(|least| role <= least)
            || (self.client_cert && role == Role::ClientCert)
    }

    const fn with_async(mut self) -> Self {
        self.asynchronous = true;
        self
    }

    const fn with_client_cert(mut self) -> Self {
        self.client_cert = true;
        self
    }
}

/// `RBAC_PERMISSION_DENIED [permission, text]` for the message of this name, whatever its case. The
/// order of the roles in the text could not be confirmed.
pub fn permission_denied(name: &str) -> ApiError {
    let name = name.to_lowercase();
    let message = TABLE.iter().find(|message| message.name.to_lowercase() == name);
    let roles: Vec<_> =
        message.iter().flat_map(|message| message.roles()).map(Role::name).collect();
    let text = format!(
        "No permission in user session. (Roles with this permission: {})",
        roles.join(", ")
    );
    ApiError::new("RBAC_PERMISSION_DENIED", [name, text])
}

fn digest(name: &str) -> Uuid {
    Uuid::from_bytes(Md5::digest(name).into())
}

const fn internal(name: &'static str) -> Message {
    Message { name, least: None, client_cert: false, asynchronous: true }
}

const fn by(least: Role, name: &'static str) -> Message {
    Message { name, least: Some(least), client_cert: false, asynchronous: false }
}

use Role::{PoolAdmin, PoolOperator, ReadOnly};

/// xenapi-wire.md §§6, 7 and 9, in order of names.
const TABLE: &[Message] = &[
    by(ReadOnly, "auth.get_group_membership"),
    by(ReadOnly, "auth.get_subject_identifier"),
    by(ReadOnly, "auth.get_subject_information_from_identifier"),
    internal("host.certificate_sync"),
    internal("host.copy_primary_host_certs"),
    by(PoolOperator, "host.create"),
    by(PoolAdmin, "host.disable_external_auth"),
    by(PoolAdmin, "host.enable_external_auth"),
    by(PoolAdmin, "host.external_auth_set_ldaps"),
    by(ReadOnly, "host.get_server_certificate").with_async(),
    by(PoolOperator, "message.create"),
    by(PoolOperator, "message.destroy"),
    by(PoolOperator, "message.destroy_many").with_async(),
    by(PoolOperator, "pool.certificate_install").with_async(),
    by(PoolOperator, "pool.certificate_list").with_async(),
    by(PoolOperator, "pool.certificate_sync").with_async(),
    by(PoolOperator, "pool.certificate_uninstall").with_async(),
    by(PoolOperator, "pool.crl_install").with_async(),
    by(PoolOperator, "pool.crl_list").with_async(),
    by(PoolOperator, "pool.crl_uninstall").with_async(),
    by(PoolOperator, "pool.detect_nonhomogeneous_external_auth"),
    by(PoolAdmin, "pool.disable_external_auth"),
    by(PoolOperator, "pool.download_trusted_certificate").with_client_cert().with_async(),
    by(PoolOperator, "pool.download_trusted_certificates").with_client_cert().with_async(),
    by(PoolOperator, "pool.eject").with_async(),
    by(PoolAdmin, "pool.enable_external_auth"),
    by(PoolOperator, "pool.exchange_ca_certificates_on_join").with_async(),
    by(PoolOperator, "pool.exchange_certificates_on_join").with_async(),
    by(PoolOperator, "pool.exchange_crls_on_join").with_async(),
    by(PoolOperator, "pool.exchange_trusted_certificates_on_join").with_client_cert().with_async(),
    by(PoolAdmin, "pool.external_auth_set_ldaps"),
    by(PoolOperator, "pool.initial_auth").with_async(),
    by(PoolOperator, "pool.install_ca_certificate").with_client_cert().with_async(),
    by(PoolOperator, "pool.install_trusted_certificate").with_client_cert().with_async(),
    by(PoolOperator, "pool.join").with_async(),
    by(PoolOperator, "pool.join_force").with_async(),
    by(PoolOperator, "pool.set_ext_auth_cache_enabled").with_async(),
    by(PoolOperator, "pool.set_ext_auth_cache_expiry").with_async(),
    by(PoolOperator, "pool.set_ext_auth_cache_size").with_async(),
    by(PoolOperator, "pool.set_ext_auth_max_threads").with_async(),
    by(PoolOperator, "pool.sync_trusted_certificates_from").with_client_cert().with_async(),
    by(PoolOperator, "pool.uninstall_ca_certificate").with_client_cert().with_async(),
    by(PoolOperator, "pool.uninstall_trusted_certificate").with_client_cert().with_async(),
    by(ReadOnly, "session.get_all_subject_identifiers").with_async(),
    by(ReadOnly, "session.logout"),
    by(PoolOperator, "session.logout_subject_identifier").with_async(),
    by(PoolAdmin, "subject.add_to_roles"),
    by(PoolAdmin, "subject.create").with_async(),
    by(PoolAdmin, "subject.destroy").with_async(),
    by(PoolAdmin, "subject.remove_from_roles"),
    by(ReadOnly, "task.cancel").with_async(),
    by(ReadOnly, "task.create"),
    by(ReadOnly, "task.destroy"),
    // No message: what it takes to cancel or destroy a task of somebody else.
    by(PoolOperator, "task.destroy/any"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_nothing_twice() {
        assert!(TABLE.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn a_role_may_do_all_that_a_weaker_one_may() {
        for pair in Role::ALL.windows(2).filter(|pair| pair[1] != Role::ClientCert) {
            let (stronger, weaker) = (pair[0].permissions(), pair[1].permissions());
            if pair[0] != Role::ClientCert {
                assert!(weaker.is_subset(&stronger), "{} {}", pair[0], pair[1]);
            }
        }
        assert!(ReadOnly.permissions().contains("auth.get_subject_identifier"));
        assert!(!ReadOnly.permissions().contains("message.create"));
        assert!(PoolOperator.permissions().contains("pool.install_trusted_certificate"));
        assert!(!PoolOperator.permissions().contains("pool.enable_external_auth"));
        assert!(Role::ClientCert.permissions().contains("pool.install_trusted_certificate"));
        assert!(!Role::ClientCert.permissions().contains("pool.join"));
        assert!(!PoolAdmin.permissions().contains("host.certificate_sync"));
    }

    #[test]
    fn roles_are_found_by_name_and_reference() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(Role::from_reference(&role.reference()), Some(role));
        }
        // The constant `rbac_pool_admin_uuid` of xapi.
        assert_eq!(PoolAdmin.uuid().to_string(), "0165f154-ba3e-034e-6b27-5d271af109ba");
        assert!("admin".parse::<Role>().unwrap_err().to_string().contains("read-only"));
    }
}
