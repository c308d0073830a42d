//! A simulated XenServer host: its root directory, its database, the calls of xapi that deal with
//! trusted certificates and external authentication, and a model of the Samba client.
//!
//! The two halves meet as on a real host, through files and command lines only. xapi ([`Pool`])
//! writes `smb.conf` and the bundles below a [`HostRoot`] and runs [`Programs`]; [`samba`] reads
//! those files and goes out on the [`Network`]. This crate knows neither scenarios nor the fake
//! DC.

mod certificate;
mod database;
pub mod datamodel;
mod error;
mod error_codes;
pub mod estate;
pub mod facts;
mod hosts_file;
mod identity;
mod medium;
mod network;
mod probe;
mod profile;
pub mod programs;
mod published_errors;
mod quirks;
pub mod real;
mod reference;
mod report;
mod root;
pub mod samba;
pub mod smb_conf;
mod telemetry;
mod trust_store;
mod xapi;
mod xapi_conf;

pub use database::{
    AuthConfiguration, Certificate, CertificateType, HostRecord, Message, MessageClass, PoolRecord,
    Purpose, Records, Session, Subject, Task, TaskStatus, UnknownPurpose,
};
pub use datamodel::{Role, UnknownRole};
pub use error::HostError;
pub use error_codes::{CodeGroup, ErrorCode, error_codes};
pub use estate::{Circumstance, Estate, UnknownCircumstance};
pub use ground::WaitingRoom;
pub use medium::{Carried, Medium, MediumStream, SharedMedium};
pub use network::{Network, Patience, SharedNetwork};
pub use probe::ProbeFailure;
pub use profile::{Profile, UnknownProfile};
pub use programs::{Credentials, Output, Programs, Running, SambaCommand, Server, Wbinfo};
pub use published_errors::{published_errors, publishes_parameters};
pub use quirks::{Quirk, Quirks, UnknownQuirk};
pub use reference::Reference;
pub use report::Report;
pub use root::{Entry, HostRoot};
pub use telemetry::Telemetry;
pub use trust_store::{ConsumerTrust, GENERAL_BUNDLE, LDAPS_BUNDLE, PeerCheck, consumer_trust};
pub use xapi::{
    AuthConfig, Call, CallResult, DownloadVariant, Due, Duties, Duty, ExchangeCall, ExtAuthSetting,
    Host, HostConfig, HostCreation, JoinParameters, Liveness, LockName, Pool, PoolConfig,
    PoolOperation, RemotePool, Rig, Stuck, Timekeeper, Wanted,
};
pub use xapi_conf::{EncryptionTypes, IgnoredItem, XapiConf};
pub use xenapi_client::ApiError;
