//! The pool database: typed records in one file under the coordinator's root.

mod differences;
mod records;
mod store;

pub(crate) use records::reads_as_true;
pub use records::{
    AuthConfiguration, Certificate, CertificateType, HostRecord, Message, MessageClass, PoolRecord,
    Purpose, Records, Session, Subject, Task, TaskStatus, UnknownPurpose,
};
pub(crate) use store::{Database, Draft};
