//! The types of the language. Each declaration gives the type, its reader and its schema.

mod accounts;
mod action;
mod background;
mod calls;
mod certificates;
mod client;
mod directory;
mod exchange;
mod expectation;
mod external_auth;
mod fault;
mod files;
mod joining;
mod liveness;
mod net;
mod ordered;
mod pinned;
mod step;
mod texts;
mod trusted_certificates;
mod values;
mod wbinfo;
mod world;
mod xenapi;

pub use accounts::{
    AdAccount, AuthCall, ChangeDomain, DomainAction, HostProgram, Login, Logout, OfAccount,
    RenewCa, SessionCall, SessionExpectation, SetNumber, SetSwitch, SubjectCall,
    SubjectExpectation, SubjectName, SubjectRole, SubjectState,
};
pub use action::{Action, ClockAction, RestartXapi, XapiAction};
pub use background::{BackgroundAction, InBackground};
pub use calls::{HostAction, NoParameters, PoolCall};
pub use certificates::{
    BeginOperation, EndOperation, HostOnly, InstallCaCertificate, InstallCrl, MakeDirectory,
    NamedFile, PoolOperation, RotatePoolSecret, UninstallCaCertificate,
};
pub use client::{ClientAction, ClientJoin};
pub use directory::{
    ClientCertificates, PkiAction, PkiAnswer, PkiApplication, PkiConnect, PkiConnectAtOnce,
    PkiData, PkiDirectory, PkiEnrol, PkiFetchList, PkiHolder, PkiInsertProxy, PkiOwner, PkiPeer,
    PkiProxied, PkiRenew, PkiRenewed, PkiReplaceKey, PkiRevoke, PkiServer,
};
pub use exchange::{
    DownloadTrustedCertificate, DownloadTrustedCertificates, DownloadVariant,
    ExchangeCaCertificates, ExchangeCertificates, ExchangeCrls, ExchangeTrustedCertificates,
    PurposedCertificate, RemotePool, RemoteSession, ReturnedCertificate, SyncTrustedCertificates,
    WantedCertificates,
};
pub use expectation::{
    CertificateCount, CertificateStore, DatabaseField, DirectoryExpectation, DirectoryState,
    ErrorExpectation, Expectations, FactExpectation, FieldState, FileExpectation, FileState,
    HostAndDc, MessageExpectation, MessageObject, Outcome, OutputExpectation, Returned, Snapshot,
    TelemetryExpectation, VerdictClass, VerdictExpectation,
};
pub use external_auth::{
    DisableExternalAuth, EnableExternalAuth, HostDisableExternalAuth, HostEnableExternalAuth,
    HostSetLdaps, PoolSetLdaps,
};
pub use fault::{
    ClearHostFaults, ClearRouteFaults, DcAction, DcFaults, DcOnly, EnrolCertificate, RouteAction,
    SetHostFaults, SetRouteFaults,
};
pub use files::{DeleteFile, EditFile, FileAction, FileContent, WriteFile};
pub use joining::{Circumstance, JoinPool};
pub use liveness::{Liveness, SetLiveness};
pub use net::{AdsSearch, LookupKdc, NetCommand};
pub use ordered::{
    AlterAppliance, ApplianceDeed, CallApi, ChainPart, CloudAction, CloudWorld, ConfigureCloud,
    ConsoleProtocol, CopyTemplate, Download, NewConsole, NewStorage, OfAppliance, OfTemplate,
    SetUpScript, UploadCertificate, UploadableChain, UploadedKey, ViewConsole,
};
pub use pinned::{
    AgentOnly, Deploy, Enrol, GivenFingerprint, Guess, InsertProxy, ManagerAndAgent, ManagerOnly,
    PinnedAction, PinnedAgent, PinnedCa, PinnedLayer, PinnedManager, PinnedMigration, Present,
    PresentedCertificate, PresentedKey, Report, SetManagerClock, SetSecondLayer, TwoAgents, Visit,
};
pub use step::Step;
pub use texts::{
    AgentRef, ApplianceRef, CallName, CallRef, ChainRef, DcFault, DcName, DcRef, DnsName,
    DomainName, DomainRef, EarlierStep, ErrorCode, FactKind, HostFault, HostName, HostPath,
    HostRef, Kebab, ManagerRef, MessageName, PkiDirectoryRef, PkiServerRef, QuirkName, ReadingRef,
    RelativePath, RouteFault, SessionRef, StepName, StepRef,
};
pub use trusted_certificates::{
    CertificateSource, InstallTrustedCertificate, InstalledCertificate, Purpose,
    UninstallTrustedCertificate,
};
pub use values::{Advance, AuthConfig, NoDuration, Password, Pattern, Status, Time, True, Version};
pub use wbinfo::{
    WbinfoCommand, WbinfoDomain, WbinfoHost, WbinfoLogin, WbinfoName, WbinfoSid, WbinfoUid,
};
pub use world::{
    Dc, Domain, DomainTrust, Host, InitialFile, Licence, Profile, Route, Scenario, TrustDirection,
    TrustKind, World,
};
pub use xenapi::{Account, Argument, Caller, XenapiAction, XenapiCall};
