//! The calls by their real names, with their parameters.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value, json};

use crate::{
    MessageClass, Reference,
    xapi::{ExchangeCall, ExtAuthSetting, HostCreation, JoinParameters},
};

/// The `config` map of the external authentication calls. `Debug` hides the password.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AuthConfig(pub BTreeMap<String, String>);

impl AuthConfig {
    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn without_secrets(&self) -> BTreeMap<&str, &str> {
        let shown = |key: &str| key != "pass";
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), if shown(key) { value.as_str() } else { "***" }))
            .collect()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for AuthConfig {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.without_secrets()).finish()
    }
}

/// A call of xapi. `pool: None` stands for the pool's own reference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// `auth.get_group_membership`.
    AuthGetGroupMembership {
        /// SID of a user.
        subject_identifier: String,
    },
    /// `auth.get_subject_identifier`.
    AuthGetSubjectIdentifier {
        /// Name of an account, in any form.
        subject_name: String,
    },
    /// `auth.get_subject_information_from_identifier`.
    AuthGetSubjectInformationFromIdentifier {
        /// SID of an account.
        subject_identifier: String,
    },
    /// A call that moves certificates between pools.
    Exchange(ExchangeCall),
    /// `host.certificate_sync`, which hosts of a pool use among each other.
    HostCertificateSync {
        /// The host.
        host: Reference,
    },
    /// `host.copy_primary_host_certs`, which a member asks the coordinator for.
    HostCopyPrimaryHostCerts {
        /// The member.
        host: Reference,
    },
    /// `host.create`, by which a host that joins makes itself known.
    HostCreate(HostCreation),
    /// `host.disable_external_auth`.
    HostDisableExternalAuth {
        /// The host.
        host: Reference,
        /// `user` and `pass` of an account that may remove the machine account.
        config: AuthConfig,
        /// Clean up even if external authentication is off.
        force: bool,
    },
    /// `host.enable_external_auth`.
    HostEnableExternalAuth {
        /// The host.
        host: Reference,
        /// Keys of xapi-flows.md §6.1.
        config: AuthConfig,
        /// The domain.
        service_name: String,
        /// `AD`.
        auth_type: String,
    },
    /// `host.external_auth_set_ldaps`.
    HostExternalAuthSetLdaps {
        /// The host.
        host: Reference,
        /// LDAPS, or LDAP.
        ldaps: bool,
        /// landed only: go through it even if nothing would change.
        force: Option<bool>,
    },
    /// `host.get_server_certificate`.
    HostGetServerCertificate {
        /// The host.
        host: Reference,
    },
    /// `message.create`.
    MessageCreate {
        /// Name of the message.
        name: String,
        /// 1 (critical) to 5 (informational).
        priority: i64,
        /// Class of the object it is about.
        class: MessageClass,
        /// Uuid of that object.
        obj_uuid: String,
        /// Text.
        body: String,
    },
    /// `message.destroy`.
    MessageDestroy {
        /// The message.
        message: Reference,
    },
    /// `message.destroy_many`.
    MessageDestroyMany {
        /// The messages.
        messages: Vec<Reference>,
    },
    /// `pool.certificate_install`.
    PoolCertificateInstall {
        /// Name of the file.
        name: String,
        /// PEM text.
        certificate: String,
    },
    /// `pool.certificate_list`.
    PoolCertificateList,
    /// `pool.certificate_sync`.
    PoolCertificateSync,
    /// `pool.certificate_uninstall`.
    PoolCertificateUninstall {
        /// Name of the file.
        name: String,
    },
    /// `pool.crl_install`.
    PoolCrlInstall {
        /// Name of the file.
        name: String,
        /// What it holds.
        crl: String,
    },
    /// `pool.crl_list`.
    PoolCrlList,
    /// `pool.crl_uninstall`.
    PoolCrlUninstall {
        /// Name of the file.
        name: String,
    },
    /// `pool.detect_nonhomogeneous_external_auth`.
    PoolDetectNonhomogeneousExternalAuth {
        /// The pool.
        pool: Option<Reference>,
    },
    /// `pool.disable_external_auth`.
    PoolDisableExternalAuth {
        /// The pool.
        pool: Option<Reference>,
        /// `user` and `pass` of an account that may remove machine accounts.
        config: AuthConfig,
    },
    /// `pool.eject`.
    PoolEject {
        /// The member that leaves.
        host: Reference,
    },
    /// `pool.enable_external_auth`.
    PoolEnableExternalAuth {
        /// The pool.
        pool: Option<Reference>,
        /// Keys of xapi-flows.md §6.1.
        config: AuthConfig,
        /// The domain.
        service_name: String,
        /// `AD`.
        auth_type: String,
    },
    /// `pool.external_auth_set_ldaps`.
    PoolExternalAuthSetLdaps {
        /// The pool.
        pool: Option<Reference>,
        /// LDAPS, or LDAP.
        ldaps: bool,
        /// landed only: go through it even if nothing would change.
        force: Option<bool>,
    },
    /// `pool.initial_auth`: the secret that the hosts of the pool share.
    PoolInitialAuth,
    /// `pool.install_ca_certificate`.
    PoolInstallCaCertificate {
        /// Name of the file.
        name: String,
        /// PEM text.
        certificate: String,
    },
    /// `pool.install_trusted_certificate`.
    PoolInstallTrustedCertificate {
        /// The pool.
        pool: Option<Reference>,
        /// An authority, or a server's own certificate.
        ca: bool,
        /// PEM text.
        certificate: String,
        /// Words of the purpose enumeration.
        purpose: Vec<String>,
    },
    /// `pool.join` or `pool.join_force`.
    PoolJoin(JoinParameters),
    /// `pool.set_ext_auth_max_threads` and its like.
    PoolSetExtAuth {
        /// What is set, and to what.
        setting: ExtAuthSetting,
    },
    /// `pool.uninstall_ca_certificate`.
    PoolUninstallCaCertificate {
        /// Name of the file.
        name: String,
        /// Go on if there is no such file.
        force: bool,
    },
    /// `pool.uninstall_trusted_certificate`.
    PoolUninstallTrustedCertificate {
        /// The pool.
        pool: Option<Reference>,
        /// The certificate.
        certificate: Reference,
    },
    /// `session.get_all_subject_identifiers`.
    SessionGetAllSubjectIdentifiers,
    /// `subject.add_to_roles`.
    SubjectAddToRoles {
        /// The subject.
        subject: Reference,
        /// The role.
        role: Reference,
    },
    /// `subject.create`.
    SubjectCreate {
        /// SID of an account.
        subject_identifier: String,
    },
    /// `subject.destroy`.
    SubjectDestroy {
        /// The subject.
        subject: Reference,
    },
    /// `subject.remove_from_roles`.
    SubjectRemoveFromRoles {
        /// The subject.
        subject: Reference,
        /// The role.
        role: Reference,
    },
}

impl Call {
    /// The real name, such as `pool.install_trusted_certificate`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AuthGetGroupMembership { .. } => "auth.get_group_membership",
            Self::AuthGetSubjectIdentifier { .. } => "auth.get_subject_identifier",
            Self::AuthGetSubjectInformationFromIdentifier { .. } => {
                "auth.get_subject_information_from_identifier"
            }
            Self::Exchange(call) => call.name(),
            Self::HostCertificateSync { .. } => "host.certificate_sync",
            Self::HostCopyPrimaryHostCerts { .. } => "host.copy_primary_host_certs",
            Self::HostCreate(_) => "host.create",
            Self::HostDisableExternalAuth { .. } => "host.disable_external_auth",
            Self::HostEnableExternalAuth { .. } => "host.enable_external_auth",
            Self::HostExternalAuthSetLdaps { .. } => "host.external_auth_set_ldaps",
            Self::HostGetServerCertificate { .. } => "host.get_server_certificate",
            Self::MessageCreate { .. } => "message.create",
            Self::MessageDestroy { .. } => "message.destroy",
            Self::MessageDestroyMany { .. } => "message.destroy_many",
            Self::PoolCertificateInstall { .. } => "pool.certificate_install",
            Self::PoolCertificateList => "pool.certificate_list",
            Self::PoolCertificateSync => "pool.certificate_sync",
            Self::PoolCertificateUninstall { .. } => "pool.certificate_uninstall",
            Self::PoolCrlInstall { .. } => "pool.crl_install",
            Self::PoolCrlList => "pool.crl_list",
            Self::PoolCrlUninstall { .. } => "pool.crl_uninstall",
            Self::PoolDetectNonhomogeneousExternalAuth { .. } => {
                "pool.detect_nonhomogeneous_external_auth"
            }
            Self::PoolDisableExternalAuth { .. } => "pool.disable_external_auth",
            Self::PoolEject { .. } => "pool.eject",
            Self::PoolEnableExternalAuth { .. } => "pool.enable_external_auth",
            Self::PoolExternalAuthSetLdaps { .. } => "pool.external_auth_set_ldaps",
            Self::PoolInitialAuth => "pool.initial_auth",
            Self::PoolInstallCaCertificate { .. } => "pool.install_ca_certificate",
            Self::PoolInstallTrustedCertificate { .. } => "pool.install_trusted_certificate",
            Self::PoolJoin(JoinParameters { force: false, .. }) => "pool.join",
            Self::PoolJoin(JoinParameters { force: true, .. }) => "pool.join_force",
            Self::PoolSetExtAuth { setting } => setting.call(),
            Self::PoolUninstallCaCertificate { .. } => "pool.uninstall_ca_certificate",
            Self::SessionGetAllSubjectIdentifiers => "session.get_all_subject_identifiers",
            Self::SubjectAddToRoles { .. } => "subject.add_to_roles",
            Self::SubjectCreate { .. } => "subject.create",
            Self::SubjectDestroy { .. } => "subject.destroy",
            Self::SubjectRemoveFromRoles { .. } => "subject.remove_from_roles",
            Self::PoolUninstallTrustedCertificate { .. } => "pool.uninstall_trusted_certificate",
        }
    }

    /// The `pool` parameter, if the call has one that was given.
    pub(crate) const fn pool(&self) -> Option<&Reference> {
        match self {
            Self::Exchange(call) => call.pool(),
            Self::PoolDetectNonhomogeneousExternalAuth { pool }
            | Self::PoolDisableExternalAuth { pool, .. }
            | Self::PoolEnableExternalAuth { pool, .. }
            | Self::PoolExternalAuthSetLdaps { pool, .. }
            | Self::PoolInstallTrustedCertificate { pool, .. }
            | Self::PoolUninstallTrustedCertificate { pool, .. } => pool.as_ref(),
            _ => None,
        }
    }

    /// The parameters for the ledger: no secret, no PEM text.
    pub(crate) fn parameters(&self) -> Map<String, Value> {
        let parameters = match self {
            Self::AuthGetGroupMembership { subject_identifier }
            | Self::AuthGetSubjectInformationFromIdentifier { subject_identifier }
            | Self::SubjectCreate { subject_identifier } => {
                json!({ "subject_identifier": subject_identifier })
            }
            Self::AuthGetSubjectIdentifier { subject_name } => {
                json!({ "subject_name": subject_name })
            }
            Self::Exchange(call) => call.parameters(),
            Self::SessionGetAllSubjectIdentifiers => Value::Null,
            Self::SubjectAddToRoles { subject, role }
            | Self::SubjectRemoveFromRoles { subject, role } => {
                json!({ "self": subject, "role": role })
            }
            Self::SubjectDestroy { subject } => json!({ "self": subject }),
            Self::PoolSetExtAuth { setting } => json!({ "value": setting.value() }),
            Self::HostDisableExternalAuth { host, config, force } => {
                json!({ "host": host, "config": config.without_secrets(), "force": force })
            }
            Self::HostEnableExternalAuth { host, config, service_name, auth_type } => json!({
                "host": host,
                "config": config.without_secrets(),
                "service_name": service_name,
                "auth_type": auth_type,
            }),
            Self::HostExternalAuthSetLdaps { host, ldaps, force } => {
                json!({ "host": host, "ldaps": ldaps, "force": force })
            }
            Self::MessageCreate { name, priority, class, obj_uuid, .. } => json!({
                "name": name,
                "priority": priority,
                "cls": class.name(),
                "obj_uuid": obj_uuid,
            }),
            Self::MessageDestroy { message } => json!({ "self": message }),
            Self::MessageDestroyMany { messages } => json!({ "messages": messages }),
            Self::HostCertificateSync { host }
            | Self::HostCopyPrimaryHostCerts { host }
            | Self::HostGetServerCertificate { host }
            | Self::PoolEject { host } => json!({ "host": host }),
            Self::HostCreate(creation) => {
                json!({ "uuid": creation.uuid, "name_label": creation.name_label })
            }
            Self::PoolJoin(join) => json!({
                "master_address": join.master_address,
                "master_username": join.master_username,
            }),
            Self::PoolCertificateList
            | Self::PoolCertificateSync
            | Self::PoolCrlList
            | Self::PoolDetectNonhomogeneousExternalAuth { .. }
            | Self::PoolInitialAuth => Value::Null,
            Self::PoolCertificateInstall { name, .. }
            | Self::PoolCertificateUninstall { name }
            | Self::PoolCrlInstall { name, .. }
            | Self::PoolCrlUninstall { name }
            | Self::PoolInstallCaCertificate { name, .. } => json!({ "name": name }),
            Self::PoolDisableExternalAuth { config, .. } => {
                json!({ "config": config.without_secrets() })
            }
            Self::PoolEnableExternalAuth { config, service_name, auth_type, .. } => json!({
                "config": config.without_secrets(),
                "service_name": service_name,
                "auth_type": auth_type,
            }),
            Self::PoolExternalAuthSetLdaps { ldaps, force, .. } => {
                json!({ "ldaps": ldaps, "force": force })
            }
            Self::PoolInstallTrustedCertificate { ca, purpose, .. } => {
                json!({ "ca": ca, "purpose": purpose })
            }
            Self::PoolUninstallCaCertificate { name, force } => {
                json!({ "name": name, "force": force })
            }
            Self::PoolUninstallTrustedCertificate { certificate, .. } => {
                json!({ "certificate": certificate })
            }
        };
        match parameters {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

/// What a call returns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallResult {
    /// A map of texts.
    Map(BTreeMap<String, String>),
    /// A reference.
    Reference(Reference),
    /// A map of sets of texts in order, whose keys may repeat (xapi-flows.md §5.4).
    SetsByKey(Vec<(String, Vec<String>)>),
    /// A text.
    Text(String),
    /// A set of texts.
    Texts(Vec<String>),
    /// Nothing but success.
    Void,
}
