//! The types of the language. Each declaration gives the type, its reader and its schema.

mod expectation;
mod step;
mod texts;
mod values;
mod world;

pub use expectation::{
    CertificateCount, CertificateStore, DatabaseField, ErrorExpectation, Expectations,
    FactExpectation, FieldState, FileExpectation, FileState, HostAndDc, MessageExpectation,
    Outcome, OutputExpectation, Snapshot, VerdictClass, VerdictExpectation,
};
pub use step::{
    Action, AdsSearch, CertificateSource, ClearFaults, ClockAction, DcAction, DeleteFile,
    DisableExternalAuth, EditFile, EnableExternalAuth, FileAction, FileContent, HostCall,
    HostSetLdaps, InstallTrustedCertificate, InstalledCertificate, NetCommand, NoParameters,
    PoolCall, PoolSetLdaps, Purpose, RestartXapi, SetFaults, Step, UninstallTrustedCertificate,
    WriteFile, XapiAction,
};
pub use texts::{
    DcName, DcRef, DnsName, DomainName, DomainRef, ErrorCode, FactKind, FaultId, HostName,
    HostPath, HostRef, Kebab, MessageName, QuirkName, RelativePath, StepName, StepRef,
};
pub use values::{Advance, AuthConfig, Password, Pattern, Status, Time, True, Version};
pub use world::{Dc, Domain, Host, InitialFile, Profile, Scenario, World};
