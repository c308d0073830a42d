//! A KDC and its clients, in one executable: each file is a subject.

#[path = "../common/mod.rs"]
mod common;
mod garbage;
mod gss;
mod kdc;
mod keytab;
