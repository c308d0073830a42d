//! What hosts record in the ledger.
//!
//! No field holds a secret. Kinds and field names are part of the event format.

use ground::fact;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Duty, LockName, PoolOperation, Profile};

/// The kinds of all facts below.
pub const KINDS: &[&str] = &[
    PoolCreated::KIND,
    CallBegan::KIND,
    CallEnded::KIND,
    HostTurn::KIND,
    DutyBegan::KIND,
    SmbConfWritten::KIND,
    TrustStoreChanged::KIND,
    CertificatesMissing::KIND,
    CertificateCheckFailed::KIND,
    OperationBegan::KIND,
    OperationEnded::KIND,
    DatabaseWritten::KIND,
    MessageCreated::KIND,
    MessageDestroyed::KIND,
    ProbePinged::KIND,
    AccountAsked::KIND,
    AccountDefaulted::KIND,
    WinbindAwaited::KIND,
    HookRan::KIND,
    HostRestarted::KIND,
    HostMoved::KIND,
    HostStranded::KIND,
    JoinRefused::KIND,
    JoinStep::KIND,
    SessionOpened::KIND,
    SessionClosed::KIND,
    SessionsRevalidated::KIND,
    SessionKept::KIND,
    SessionValidated::KIND,
    SubjectsRefreshed::KIND,
    SubjectNotRefreshed::KIND,
    LockWaiting::KIND,
    LockTaken::KIND,
    ProgramHeld::KIND,
    XapiConfIgnored::KIND,
];

/// A pool was set up.
#[derive(Clone, Debug, Serialize)]
pub struct PoolCreated {
    /// Name of the pool.
    pub pool: String,
    /// Which xapi it runs.
    pub profile: Profile,
    /// Names of its hosts, the coordinator first.
    pub hosts: Vec<String>,
    /// Names of the quirks that differ from the profile's defaults.
    pub switched_quirks: Vec<&'static str>,
}
fact!(PoolCreated, "pool.created");

/// A call begins, at the pool or on one host.
#[derive(Clone, Debug, Serialize)]
pub struct CallBegan {
    /// Real name: `pool.external_auth_set_ldaps`.
    pub call: &'static str,
    /// Name of the host, for a call of one host.
    pub host: Option<String>,
    /// Parameters without secrets.
    pub parameters: Map<String, Value>,
}
fact!(CallBegan, "xapi.call");

/// A call has ended.
#[derive(Clone, Debug, Serialize)]
pub struct CallEnded {
    /// Real name.
    pub call: &'static str,
    /// Error code; `None` is success.
    pub error: Option<String>,
    /// Parameters of the error.
    pub params: Vec<String>,
}
fact!(CallEnded, "xapi.result");

/// During a call of the pool one host takes its turn, without a call of its own.
#[derive(Clone, Debug, Serialize)]
pub struct HostTurn {
    /// Name of the host.
    pub host: String,
    /// `copy-certificates`, `sync-certificates` or `refresh-smb-conf`.
    pub task: &'static str,
}
fact!(HostTurn, "xapi.turn");

/// A host begins something that it does by itself (xapi-flows.md §18).
#[derive(Clone, Debug, Serialize)]
pub struct DutyBegan {
    /// Name of the host.
    pub host: String,
    /// What.
    pub duty: Duty,
}
fact!(DutyBegan, "xapi.duty");

/// The Samba configuration of a host was written.
#[derive(Clone, Debug, Serialize)]
pub struct SmbConfWritten {
    /// Whether it is the joined form.
    pub joined: bool,
    /// The LDAPS choice, in the joined form.
    pub ldaps: Option<bool>,
    /// The path that is named as CA file or directory, in the joined form.
    pub trust: Option<String>,
}
fact!(SmbConfWritten, "smb-conf.written");

/// What happened to a file of a trust store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileChange {
    /// It is gone.
    Removed,
    /// It is new or has new content.
    Written,
}

/// A file of a trust store changed.
#[derive(Clone, Debug, Serialize)]
pub struct TrustStoreChanged {
    /// Path on the host.
    pub path: String,
    /// What happened.
    pub change: FileChange,
}
fact!(TrustStoreChanged, "trust-store.changed");

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordChange {
    /// One field has a new value.
    Changed,
    /// The record is new.
    Created,
    /// The record is gone.
    Destroyed,
}

/// A host lacks certificates that the database names (xapi-flows.md §2.5).
#[derive(Clone, Debug, Serialize)]
pub struct CertificatesMissing {
    /// The directory.
    pub directory: String,
    /// Names of the files that are not there.
    pub names: Vec<String>,
}
fact!(CertificatesMissing, "certificates.missing");

/// The daily look at the ends of certificates broke off (xapi-flows.md §15).
#[derive(Clone, Debug, Serialize)]
pub struct CertificateCheckFailed {
    /// Why.
    pub error: String,
}
fact!(CertificateCheckFailed, "certificates.check-failed");

/// An operation of the pool has begun: others wait, or fail (xapi-flows.md §17).
#[derive(Clone, Debug, Serialize)]
pub struct OperationBegan {
    /// The operation.
    pub operation: PoolOperation,
    /// Reference of its task.
    pub task: String,
    /// For how many seconds it had to wait for others.
    pub waited_seconds: i64,
}
fact!(OperationBegan, "pool.operation-began");

/// An operation of the pool has ended.
#[derive(Clone, Debug, Serialize)]
pub struct OperationEnded {
    /// The operation.
    pub operation: PoolOperation,
    /// Reference of its task.
    pub task: String,
}
fact!(OperationEnded, "pool.operation-ended");

/// The pool database was written.
#[derive(Clone, Debug, Serialize)]
pub struct DatabaseWritten {
    /// What happened.
    pub change: RecordChange,
    /// Class of the record.
    pub class: &'static str,
    /// Its reference.
    pub object: String,
    /// The field; `None` for a whole record.
    pub field: Option<String>,
    /// The new value, or the whole new record.
    pub value: Value,
}
fact!(DatabaseWritten, "database.written");

/// A message was created.
#[derive(Clone, Debug, Serialize)]
pub struct MessageCreated {
    /// Name: `EXTAUTH_INIT_IN_HOST_FAILED`.
    pub name: String,
    /// 1 (critical) to 5 (informational).
    pub priority: i64,
    /// Class of the object it is about.
    pub class: &'static str,
    /// Body text.
    pub body: String,
}
fact!(MessageCreated, "message.created");

/// A message was destroyed.
#[derive(Clone, Debug, Serialize)]
pub struct MessageDestroyed {
    /// Name: `EXTAUTH_INIT_IN_HOST_FAILED`.
    pub name: String,
    /// 1 (critical) to 5 (informational).
    pub priority: i64,
    /// Class of the object it was about.
    pub class: &'static str,
}
fact!(MessageDestroyed, "message.destroyed");

/// A DC was asked for the account KRBTGT (xapi-flows.md §6.5).
#[derive(Clone, Debug, Serialize)]
pub struct ProbePinged {
    /// Address of the DC.
    pub address: String,
    /// `success`, or the tag of the failure.
    pub outcome: &'static str,
}
fact!(ProbePinged, "probe.ping");

/// A DC is asked for an account that winbind does not know (xapi-flows.md §10.2).
#[derive(Clone, Debug, Serialize)]
pub struct AccountAsked {
    /// Name of the DC.
    pub dc: String,
    /// The filter as xapi writes it.
    pub filter: String,
}
fact!(AccountAsked, "account.asked");

/// An LDAP(S) query about a user failed, and harmless values stand in its place (xapi-flows.md
/// §11.3): a line of the log.
#[derive(Clone, Debug, Serialize)]
pub struct AccountDefaulted {
    /// Name of the user.
    pub user: String,
    /// Name of the DC, or of the domain if no DC had been found.
    pub dc: String,
    /// Its domain.
    pub domain: String,
    /// What went wrong.
    pub cause: String,
    /// Level of the line: `debug` in the released toolstack, `warn` in the design.
    pub level: &'static str,
}
fact!(AccountDefaulted, "account.defaulted");

/// xapi waited for winbind.
#[derive(Clone, Debug, Serialize)]
pub struct WinbindAwaited {
    /// Whether `wbinfo -n KRBTGT` succeeded in the end.
    pub ready: bool,
}
fact!(WinbindAwaited, "winbind.awaited");

/// The extauth hook ran: the host's login configuration follows its membership.
#[derive(Clone, Debug, Serialize)]
pub struct HookRan {
    /// `after-extauth-enable`, `before-extauth-disable` or `xapi-start`.
    pub reason: &'static str,
}
fact!(HookRan, "extauth.hook");

/// xapi of a host was restarted.
#[derive(Clone, Debug, Serialize)]
pub struct HostRestarted {
    /// Name of the host.
    pub host: String,
}
fact!(HostRestarted, "host.restarted");

/// A host is in another pool from now on.
#[derive(Clone, Debug, Serialize)]
pub struct HostMoved {
    /// Name of the host.
    pub host: String,
    /// Name of the pool that it was in.
    pub from: String,
    /// Name of the pool that it is in.
    pub to: String,
}
fact!(HostMoved, "host.moved");

/// A host has started as a member of a pool that has no record of it: pushing the record when it
/// joined is best effort (xapi-flows.md §12.1 step 13). It is of no use until somebody mends that.
#[derive(Clone, Debug, Serialize)]
pub struct HostStranded {
    /// Name of the host.
    pub host: String,
    /// Name of the host that it takes for its coordinator.
    pub coordinator: String,
    /// Name of the pool of that host.
    pub pool: String,
    /// The code that all its calls end with.
    pub error: String,
    /// How to mend it.
    pub remedy: String,
}
fact!(HostStranded, "host.stranded");

/// A pre-check keeps a host from joining a pool (xapi-flows.md §12.2).
#[derive(Clone, Debug, Serialize)]
pub struct JoinRefused {
    /// Number of the check in the table.
    pub check: u8,
    /// Error code.
    pub error: String,
}
fact!(JoinRefused, "join.refused");

/// A step of `pool.join` begins (xapi-flows.md §12.1).
#[derive(Clone, Debug, Serialize)]
pub struct JoinStep {
    /// Number of the step in the table.
    pub step: u8,
    /// What is done.
    pub what: &'static str,
}
fact!(JoinStep, "join.step");

/// Somebody waits for a lock (xapi-flows.md §17). A lock that is free is taken without a word.
#[derive(Clone, Debug, Serialize)]
pub struct LockWaiting {
    /// The lock.
    pub lock: LockName,
    /// Who waits.
    pub task: &'static str,
    /// Who holds it.
    pub held_by: Vec<&'static str>,
}
fact!(LockWaiting, "lock.waiting");

/// Somebody who has waited for a lock has it.
#[derive(Clone, Debug, Serialize)]
pub struct LockTaken {
    /// The lock.
    pub lock: LockName,
    /// Who waited.
    pub task: &'static str,
}
fact!(LockTaken, "lock.taken");

/// A program does not begin until somebody lets it go.
#[derive(Clone, Debug, Serialize)]
pub struct ProgramHeld {
    /// Its name: `systemctl restart winbind`.
    pub program: &'static str,
}
fact!(ProgramHeld, "program.held");
/// A value of xapi.conf means nothing; the default holds (smb-conf.md §6).
#[derive(Clone, Debug, Serialize)]
pub struct XapiConfIgnored {
    /// The item.
    pub item: &'static str,
    /// The text.
    pub value: String,
}
fact!(XapiConfIgnored, "xapi-conf.ignored");

/// Somebody has logged in.
#[derive(Clone, Debug, Serialize)]
pub struct SessionOpened {
    /// Name of the account.
    pub user: String,
    /// Whether it is `root`.
    pub is_local_superuser: bool,
}
fact!(SessionOpened, "session.opened");

/// A session has ended before its time.
#[derive(Clone, Debug, Serialize)]
pub struct SessionClosed {
    /// Name of the account.
    pub user: String,
    /// Why.
    pub reason: &'static str,
}
fact!(SessionClosed, "session.closed");

/// The coordinator looks at the sessions that came in through AD (xapi-flows.md §11.2).
#[derive(Clone, Debug, Serialize)]
pub struct SessionsRevalidated {
    /// How many there are.
    pub sessions: usize,
}
fact!(SessionsRevalidated, "sessions.revalidated");

/// A session was due, and goes on as it is: its time of validation stays.
#[derive(Clone, Debug, Serialize)]
pub struct SessionKept {
    /// Name of the account.
    pub user: String,
    /// Why nothing was found out about it.
    pub reason: String,
}
fact!(SessionKept, "session.kept");

/// A session was due, and its account is still let in.
#[derive(Clone, Debug, Serialize)]
pub struct SessionValidated {
    /// Name of the account.
    pub user: String,
    /// Whether it is another subject now that lets it in.
    pub subject_changed: bool,
}
fact!(SessionValidated, "session.validated");

/// The coordinator asks AD about every subject (xapi-flows.md §11.4).
#[derive(Clone, Debug, Serialize)]
pub struct SubjectsRefreshed {
    /// How many there are.
    pub subjects: usize,
}
fact!(SubjectsRefreshed, "subjects.refreshed");

/// AD said nothing of a subject, or it could not be stored: a line of the log.
#[derive(Clone, Debug, Serialize)]
pub struct SubjectNotRefreshed {
    /// SID of the subject.
    pub sid: String,
    /// What went wrong.
    pub cause: String,
}
fact!(SubjectNotRefreshed, "subject.not-refreshed");
