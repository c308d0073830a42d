//! LDAP messages and bytes, in one executable: each file is a subject.

mod captures;
mod differential;
#[path = "../generate/mod.rs"]
mod generate;
mod limits;
mod properties;
