//! Tests of a fake domain from outside, in one executable: each file is a subject. Those that count
//! the whole process's panics, memory or descriptors have executables of their own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod adcli;
mod behind;
mod binary;
mod certificates;
mod chains;
mod cldap;
mod client_certificates;
mod clone;
#[path = "../common/mod.rs"]
mod common;
mod control;
mod discovery_faults;
mod dns;
mod faults;
mod garbage;
mod gssapi;
mod kdc;
mod kerberos_faults;
mod kerberos_transcript;
mod ldap;
mod ldap_changes;
mod ldap_faults;
mod ldap_policy;
mod ledger;
mod mit;
#[path = "../named_dcs/mod.rs"]
mod named_dcs;
mod net;
mod openldap;
mod pac;
#[path = "../programs/mod.rs"]
mod programs;
mod renewals;
mod routes;
mod scope;
#[path = "../served/mod.rs"]
mod served;
mod served_chains;
mod trusts;
