//! What must be seen during a step, or after it.

use std::collections::BTreeMap;

use super::{
    CertificateSource, DcRef, DomainRef, ErrorCode, FactKind, HostPath, HostRef,
    InstalledCertificate, Kebab, MessageName, Pattern, Purpose, ReturnedCertificate,
    SessionExpectation, Status, SubjectExpectation, True,
};
use crate::grammar::Spanned;

table! {
    /// What must be seen. "During" means: in facts that the step caused.
    pub struct Expectations {
        /// Domain controllers that answered a host's krbtgt query during the step.
        pub answered_by: Vec<Spanned<HostAndDc>>,
        /// Domain controllers that a host did not connect to during the step.
        pub not_contacted: Vec<Spanned<HostAndDc>>,
        /// Verdicts on the chains that domain controllers showed during the step.
        pub verdicts "verdict": Vec<Spanned<VerdictExpectation>>,
        /// Fields of the hosts' database records after the step.
        pub database: Vec<Spanned<DatabaseField>>,
        /// Objects in the directories of the domains after the step.
        pub directory: Vec<Spanned<DirectoryExpectation>>,
        /// Files on the hosts after the step.
        pub files "file": Vec<Spanned<FileExpectation>>,
        /// What the program printed and how it ended.
        pub output: Option<Spanned<OutputExpectation>>,
        /// Numbers of trusted certificates after the step.
        pub certificates: Vec<Spanned<CertificateCount>>,
        /// Messages that exist after the step.
        pub messages "message": Vec<Spanned<MessageExpectation>>,
        /// What the call returned.
        pub returns: Option<Spanned<Returned>>,
        /// Open sessions after the step.
        pub sessions "session": Vec<Spanned<SessionExpectation>>,
        /// Subjects of the pool after the step.
        pub subjects "subject": Vec<Spanned<SubjectExpectation>>,
        /// What telemetry reads of the pool after the step.
        pub telemetry: Option<Spanned<TelemetryExpectation>>,
        /// Facts that must not have happened during the step.
        pub never: Vec<Spanned<FactExpectation>>,
        /// Facts that must have happened during the step.
        pub seen: Vec<Spanned<FactExpectation>>,
        /// Files to compare with their accepted snapshots after the step.
        pub snapshots "snapshot": Vec<Spanned<Snapshot>>,
        one_of {
            /// How the call ends. Default: with success.
            pub outcome: Outcome = Outcome::Success(True)
        }
    }
}

impl Default for Expectations {
    fn default() -> Self {
        Self {
            answered_by: Vec::new(),
            not_contacted: Vec::new(),
            verdicts: Vec::new(),
            database: Vec::new(),
            directory: Vec::new(),
            files: Vec::new(),
            output: None,
            certificates: Vec::new(),
            messages: Vec::new(),
            returns: None,
            sessions: Vec::new(),
            subjects: Vec::new(),
            telemetry: None,
            never: Vec::new(),
            seen: Vec::new(),
            snapshots: Vec::new(),
            outcome: Outcome::Success(True),
        }
    }
}

choice! {
    /// How the action ends.
    pub enum Outcome: "outcome" {
        /// However it ends will do: only what must always be true is judged.
        any_outcome => AnyOutcome(Spanned<True>),
        /// It succeeds.
        success => Success(True),
        /// The call fails with this error.
        error => Error(Spanned<ErrorExpectation>),
        /// One of the parties of a neighbouring model of trust refuses.
        refused => Refused(Spanned<RefusalExpectation>),
    }
}

table! {
    /// A refusal in a neighbouring model of trust.
    pub struct RefusalExpectation {
        /// Its reason: `wrong-key`.
        pub reason: Spanned<Kebab>,
        /// What is said. Absent: not compared.
        pub words: Option<Pattern>,
    }
}

table! {
    /// A XenAPI failure.
    pub struct ErrorExpectation {
        /// Its code (xapi-flows.md §16).
        pub code: Spanned<ErrorCode>,
        /// All its parameters. Absent: not compared.
        pub params: Option<Vec<Spanned<Pattern>>>,
        /// Whether the code is in the published list. Absent: not compared.
        pub published: Option<bool>,
        /// Whether that list says which parameters the code has. Absent: not compared.
        pub published_params: Option<bool>,
    }
}

choice! {
    /// What a call returned.
    pub enum Returned: "returned value" {
        /// A set of exactly these certificates as PEM, in this order.
        certs => Certs(Vec<CertificateSource>),
        /// A map with these entries among others.
        map => Map(BTreeMap<String, Pattern>),
        /// A map from exactly these certificates as PEM to their purposes; one may recur.
        purposes => Purposes(Vec<ReturnedCertificate>),
        /// A reference.
        reference => Reference(Pattern),
        /// A set of exactly these texts or references, in any order.
        set => Set(Vec<Pattern>),
        /// A text.
        text => Text(Pattern),
    }
}

table! {
    /// A host and a domain controller.
    pub struct HostAndDc {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The domain controller.
        pub dc: Spanned<DcRef>,
    }
}

table! {
    /// What a host concludes about the chain that a domain controller shows it.
    pub struct VerdictExpectation {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The domain controller.
        pub dc: Spanned<DcRef>,
        /// The conclusion.
        pub class: VerdictClass,
        /// GnuTLS status bits, such as `0x42`. Absent: not compared.
        pub status: Option<Status>,
    }
}

words! {
    /// Class of a verdict (samba-tls-verify.md).
    pub enum VerdictClass: "verdict class" {
        /// The chain is trusted.
        Accept = "accept",
        /// The chain or the name is refused.
        Reject = "reject",
        /// The handshake fails.
        TlsError = "tls_error",
        /// The chain cannot be judged.
        VerifyError = "verify_error",
        /// The channel binding cannot be computed.
        BindingError = "binding_error",
        /// The host's own TLS files or settings cannot be used.
        ConfigError = "config_error",
    }
}

table! {
    /// A field of a host's database record.
    pub struct DatabaseField {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Name of the field; a dot leads into a map: `external_auth_configuration.ldaps`.
        pub field: Spanned<String>,
        one_of {
            /// What it must be.
            pub state: FieldState
        }
    }
}

choice! {
    /// State of a database field.
    pub enum FieldState: "state of the field" {
        /// The field has this value, written as text.
        is => Is(Pattern),
        /// The map has no such key.
        absent => Absent(True),
    }
}

table! {
    /// Objects of a domain's directory, as its administrator finds them.
    pub struct DirectoryExpectation {
        /// The domain.
        pub domain: Spanned<DomainRef>,
        /// Which objects, in the form of RFC 4515: `(sAMAccountName=HOST1$)`.
        pub filter: Spanned<String>,
        one_of {
            /// What must be found.
            pub state: DirectoryState
        }
    }
}

choice! {
    /// What must be found in a directory.
    pub enum DirectoryState: "state of the directory" {
        /// There is such an object.
        exists => Exists(True),
        /// There is none.
        absent => Absent(True),
        /// There is exactly one, and each of these attributes has such a value.
        attributes => Attributes(BTreeMap<String, Pattern>),
    }
}

table! {
    /// A file on a host.
    pub struct FileExpectation {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Absolute path on the host.
        pub path: Spanned<HostPath>,
        one_of {
            /// What it must be.
            pub state: FileState
        }
    }
}

choice! {
    /// State of a file.
    pub enum FileState: "state of the file" {
        /// It exists.
        exists => Exists(True),
        /// It does not exist.
        absent => Absent(True),
        /// It holds exactly this.
        equals => Equals(String),
        /// This text occurs in it.
        contains => Contains(String),
        /// It exists, and this text does not occur in it.
        lacks => Lacks(String),
        /// It holds exactly these certificates as PEM, in any order.
        certs => Certs(Vec<CertificateSource>),
        /// Its permission bits, in octal: `0644`.
        mode => Mode(String),
    }
}

table! {
    /// What a program printed and how it ended. What is absent is not compared.
    pub struct OutputExpectation {
        /// Its exit status: 0 is success, `net` fails with 255.
        pub exit: Option<u32>,
        /// A text on standard output.
        pub stdout_contains: Option<String>,
        /// A text on standard error.
        pub stderr_contains: Option<String>,
    }
}

table! {
    /// A number of trusted certificates.
    pub struct CertificateCount {
        /// Count the files in this host's store. Absent: count the records of the pool.
        pub host: Option<Spanned<HostRef>>,
        /// CA certificates or pinned ones.
        pub store: CertificateStore = CertificateStore::Ca,
        /// Their purpose. Absent: those for general use.
        pub purpose: Option<Purpose>,
        /// How many there are.
        pub count: u32,
    }
}

words! {
    /// Kind of a trusted certificate (xapi-flows.md §2.1).
    pub enum CertificateStore: "certificate store" {
        /// CA certificates.
        Ca = "ca",
        /// Pinned leaf certificates.
        Pinned = "pinned",
        /// Legacy CAs, which have no purpose.
        Legacy = "legacy",
    }
}

table! {
    /// A message of the toolstack.
    pub struct MessageExpectation {
        /// Its name.
        pub name: Spanned<MessageName>,
        /// Its priority: 1 is the most urgent.
        pub priority: Option<u32>,
        /// A text in its body.
        pub body_contains: Option<String>,
        /// The object that it is about. Absent: not compared.
        pub about: Option<MessageObject>,
        /// How many there are; 0 for none. Absent: at least one.
        pub count: Option<u32>,
    }
}

choice! {
    /// The object of a message: its class and its uuid.
    pub enum MessageObject: "object of the message" {
        /// A certificate of the pool.
        certificate => Certificate(Spanned<InstalledCertificate>),
        /// A host.
        host => Host(Spanned<HostRef>),
    }
}

table! {
    /// What telemetry reads of the pool (xapi-flows.md §1.3).
    pub struct TelemetryExpectation {
        /// How many hosts have AD enabled.
        pub ad_enabled: u32,
        /// How many hosts have LDAPS enabled.
        pub ldaps_enabled: u32,
    }
}

table! {
    /// A fact of the ledger.
    pub struct FactExpectation {
        /// Kind of the fact, such as `ldap.request`.
        pub kind: Spanned<FactKind>,
        /// The host it happened to, or that caused it.
        pub host: Option<Spanned<HostRef>>,
        /// The domain controller it happened to.
        pub dc: Option<Spanned<DcRef>>,
        /// Fields of the fact and what they must be.
        pub fields: BTreeMap<String, Pattern>,
    }
}

table! {
    /// A file that is compared with its accepted snapshot.
    pub struct Snapshot {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Absolute path on the host.
        pub path: Spanned<HostPath>,
    }
}
