//! Records and fields of xapi-flows.md §1 that the calls use.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    sync::Arc,
};

use ground::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Circumstance, Estate, PoolOperation, Reference};

/// What a trusted certificate is for; no purpose at all means "general".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Connections to a licence server.
    Licensing,
    /// LDAPS connections to DCs.
    Ldaps,
}

impl Purpose {
    /// The whole enumeration.
    pub const ALL: [Self; 2] = [Self::Licensing, Self::Ldaps];

    /// The name on the wire and in paths.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Licensing => "licensing",
            Self::Ldaps => "ldaps",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Purpose {
    type Err = UnknownPurpose;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.name() == text)
            .ok_or_else(|| UnknownPurpose { name: text.to_owned() })
    }
}

/// A word that is no purpose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown purpose `{name}`; the purposes are `licensing` and `ldaps`")]
pub struct UnknownPurpose {
    name: String,
}

/// Type of a certificate record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateType {
    /// An authority: a trusted certificate if the name is empty, else a legacy CA.
    Ca,
    /// A host's certificate for clients.
    Host,
    /// A host's certificate for the pool.
    HostInternal,
    /// A server's own certificate.
    Pinned,
}

impl CertificateType {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ca => "ca",
            Self::Host => "host",
            Self::HostInternal => "host_internal",
            Self::Pinned => "pinned",
        }
    }
}

/// Class `Certificate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Reference.
    pub reference: Reference,
    /// Also the stem of the file's name.
    pub uuid: Uuid,
    /// File name of a legacy CA; empty otherwise.
    pub name: String,
    /// What kind of certificate.
    #[serde(rename = "type")]
    pub kind: CertificateType,
    /// The host whose certificate it is, or the null reference.
    pub host: Reference,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
    /// Upper-case hex with colons. The deprecated field `fingerprint` has the same value.
    pub fingerprint_sha256: String,
    /// Upper-case hex with colons.
    pub fingerprint_sha1: String,
    /// Purposes; none means general.
    pub purpose: BTreeSet<Purpose>,
}

impl Certificate {
    /// Whether this is a trusted certificate in the sense of xapi-flows.md §0.2.
    pub fn is_trusted(&self) -> bool {
        matches!(self.kind, CertificateType::Ca | CertificateType::Pinned) && self.name.is_empty()
    }

    /// Name of the file of a trusted certificate.
    pub fn file_name(&self) -> String {
        format!("{}.pem", self.uuid)
    }
}

/// The map `external_auth_configuration`.
pub type AuthConfiguration = BTreeMap<String, String>;

/// Class `host`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// Reference.
    pub reference: Reference,
    /// Uuid.
    pub uuid: Uuid,
    /// Name for people.
    pub name_label: String,
    /// Host name, without domain or with it.
    pub hostname: String,
    /// Management address.
    pub address: String,
    /// Description for people.
    pub name_description: String,
    /// Whether it may run virtual machines.
    pub enabled: bool,
    /// Whether it verifies its peers in the pool.
    pub tls_verification_enabled: bool,
    /// Whatever clients keep there.
    pub other_config: BTreeMap<String, String>,
    /// Words that people put on it.
    pub tags: BTreeSet<String>,
    /// Name of its licence.
    pub edition: String,
    /// Reference of its metrics, a class that is not modelled.
    pub metrics: Reference,
    /// Empty, or `AD` when joined.
    pub external_auth_type: String,
    /// Domain as the caller gave it.
    pub external_auth_service_name: String,
    /// Keys of xapi-flows.md §1.3.
    pub external_auth_configuration: AuthConfiguration,
}

impl HostRecord {
    /// The key `ldaps`: true only if its value, lower-cased, is `true`.
    pub fn ldaps(&self) -> bool {
        self.external_auth_configuration.get("ldaps").is_some_and(|value| reads_as_true(value))
    }
}

/// The rule by which the `ldaps` values are read.
pub(crate) fn reads_as_true(value: &str) -> bool {
    value.to_lowercase() == "true"
}

/// Class `pool`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolRecord {
    /// Reference.
    pub reference: Reference,
    /// Uuid.
    pub uuid: Uuid,
    /// Name for people.
    pub name_label: String,
    /// Description for people.
    pub name_description: String,
    /// The coordinator.
    pub master: Reference,
    /// Whatever clients keep there.
    pub other_config: BTreeMap<String, String>,
    /// Words that people put on it.
    pub tags: BTreeSet<String>,
    /// Whether high availability is on.
    pub ha_enabled: bool,
    /// How it is set up.
    pub ha_configuration: BTreeMap<String, String>,
    /// Whether work is balanced among the hosts.
    pub wlb_enabled: bool,
    /// Whether the balancer's certificate is verified.
    pub wlb_verify_cert: bool,
    /// Whether hosts verify each other.
    pub tls_verification_enabled: bool,
    /// Whether a rotation of the pool secret has begun and not ended.
    pub is_psr_pending: bool,
    /// How many AD logins are worked on at once.
    pub ext_auth_max_threads: u32,
    /// How many local logins are worked on at once.
    pub local_auth_max_threads: u32,
    /// Whether an AD login that succeeded is remembered for a while.
    pub ext_auth_cache_enabled: bool,
    /// How many such logins are remembered.
    pub ext_auth_cache_size: u32,
    /// For how many seconds.
    pub ext_auth_cache_expiry: u32,
    /// What keeps its hosts from joining others, or others from joining it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub circumstances: BTreeSet<Circumstance>,
    /// What is going on, by the references of tasks. In memory only: filled in when the database is
    /// looked at.
    #[serde(skip)]
    pub current_operations: BTreeMap<Reference, PoolOperation>,
    /// What may begin now. In memory only, as above.
    #[serde(skip)]
    pub allowed_operations: Vec<PoolOperation>,
}

/// Class `session`. It lives in memory only: whoever knows the reference has it, so `Debug` hides
/// that.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Reference: whoever knows it has the session. `Debug` prints stars.
    pub reference: Reference,
    /// Uuid.
    pub uuid: Uuid,
    /// Whether it is one of `root`.
    pub is_local_superuser: bool,
    /// Whether a client certificate opened it.
    pub client_certificate: bool,
    /// Whether it is one of another host of the pool, which may make internal calls.
    pub pool: bool,
    /// The subject through which an AD account came in, or the null reference.
    pub subject: Reference,
    /// SID of an AD account; empty for `root`.
    pub auth_user_sid: String,
    /// Name of the account.
    pub auth_user_name: String,
    /// When the account was last found to be good.
    pub validation_time: Timestamp,
    /// When it was last used.
    pub last_active: Timestamp,
    /// Permissions that the roles of its subjects give: names of methods in lower case.
    pub rbac_permissions: Arc<BTreeSet<String>>,
    /// What the client calls itself.
    pub originator: String,
}

impl Session {
    /// Whether it may send `message`, a name in lower case that is in the data model's table.
    pub fn permits(&self, message: &str) -> bool {
        self.is_local_superuser || self.rbac_permissions.contains(message)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("is_local_superuser", &self.is_local_superuser)
            .field("auth_user_name", &self.auth_user_name)
            .finish_non_exhaustive()
    }
}

/// Class `subject`: an AD account that may log in, or a group whose members may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Reference.
    pub reference: Reference,
    /// Uuid.
    pub uuid: Uuid,
    /// SID.
    pub subject_identifier: String,
    /// What AD said of it (xapi-flows.md §11.5).
    pub other_config: BTreeMap<String, String>,
    /// References of its roles.
    pub roles: Vec<Reference>,
}

/// Class of the object that a message is about (xenapi-wire.md §7.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MessageClass {
    /// A certificate.
    Certificate,
    /// A host.
    Host,
    /// The pool.
    Pool,
    /// A proxy of provisioning services.
    #[serde(rename = "PVS_proxy")]
    PvsProxy,
    /// A storage repository.
    #[serde(rename = "SR")]
    Sr,
    /// A virtual disk.
    #[serde(rename = "VDI")]
    Vdi,
    /// A virtual machine.
    #[serde(rename = "VM")]
    Vm,
    /// A protection policy.
    #[serde(rename = "VMPP")]
    Vmpp,
    /// A snapshot schedule.
    #[serde(rename = "VMSS")]
    Vmss,
}

impl MessageClass {
    /// The whole enumeration.
    pub const ALL: [Self; 9] = [
        Self::Certificate,
        Self::Host,
        Self::Pool,
        Self::PvsProxy,
        Self::Sr,
        Self::Vdi,
        Self::Vm,
        Self::Vmpp,
        Self::Vmss,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "Certificate",
            Self::Host => "Host",
            Self::Pool => "Pool",
            Self::PvsProxy => "PVS_proxy",
            Self::Sr => "SR",
            Self::Vdi => "VDI",
            Self::Vm => "VM",
            Self::Vmpp => "VMPP",
            Self::Vmss => "VMSS",
        }
    }
}

/// Class `message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Reference.
    pub reference: Reference,
    /// Uuid.
    pub uuid: Uuid,
    /// Name, such as `EXTAUTH_INIT_IN_HOST_FAILED`.
    pub name: String,
    /// 1 critical, 2 major, 3 warning, 4 minor, 5 informational; clients may give any number.
    pub priority: i64,
    /// Class of the object it is about.
    #[serde(rename = "cls")]
    pub class: MessageClass,
    /// Uuid of that object.
    pub obj_uuid: Uuid,
    /// When it was created.
    pub timestamp: Timestamp,
    /// Text.
    pub body: String,
}

/// How far a task has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskStatus {
    /// It was cancelled.
    Cancelled,
    /// Somebody wants it cancelled.
    Cancelling,
    /// It failed.
    Failure,
    /// It goes on.
    Pending,
    /// It succeeded.
    Success,
}

impl TaskStatus {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Cancelling => "cancelling",
            Self::Failure => "failure",
            Self::Pending => "pending",
            Self::Success => "success",
        }
    }

    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Failure | Self::Success)
    }
}

/// Class `task` (xenapi-wire.md §9). It lives in memory only, as in xapi (`PersistNothing`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Reference.
    pub reference: Reference,
    /// Uuid.
    pub uuid: Uuid,
    /// Name of the method, or what its creator calls it.
    pub name_label: String,
    /// Description for people.
    pub name_description: String,
    /// How far it has come.
    pub status: TaskStatus,
    /// When it began.
    pub created: Timestamp,
    /// When it ended; the epoch before.
    pub finished: Timestamp,
    /// The result in XML-RPC value form; empty without one.
    pub result: String,
    /// Code and parameters of the failure.
    pub error_info: Vec<String>,
    /// The host that it runs on.
    pub resident_on: Reference,
    /// SID of the account whose session began it; empty for `root`.
    pub auth_user_sid: String,
    /// What was asked of it (`cancel`, `destroy`), by the references of the tasks that asked.
    pub current_operations: BTreeMap<Reference, &'static str>,
}

impl Task {
    /// 1 once it has ended.
    pub fn progress(&self) -> f64 {
        if self.status.is_final() { 1.0 } else { 0.0 }
    }
}

/// Everything in the database, each class in order of creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// Records created so far: their identities are drawn by this number.
    pub(crate) created: u64,
    /// The pool.
    pub pool: PoolRecord,
    /// Its hosts.
    pub hosts: Vec<HostRecord>,
    /// Certificates of every kind.
    pub certificates: Vec<Certificate>,
    /// Messages.
    pub messages: Vec<Message>,
    /// Accounts and groups that may log in.
    pub subjects: Vec<Subject>,
}

impl Records {
    /// The host that people call `name`.
    pub fn host_named(&self, name: &str) -> Option<&HostRecord> {
        self.hosts.iter().find(|host| host.name_label == name)
    }

    /// What the pool has that is in no record.
    pub fn estate(&self) -> Estate {
        Estate::of(self)
    }

    /// The host behind a reference.
    pub fn host(&self, reference: &Reference) -> Option<&HostRecord> {
        self.hosts.iter().find(|host| host.reference == *reference)
    }
}
