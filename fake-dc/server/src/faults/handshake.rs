//! Family `handshake`: what goes wrong between the TCP connection and the first LDAP message.

mod alert_on_hello;
mod close_after_certificate;
mod close_on_hello;
mod garbage;
mod http_on_636;
mod no_common_cipher;
mod no_common_group;
mod plain_ldap_on_636;
mod reset_on_hello;
mod stall_after_server_hello;
mod starttls_accepted_then_closed;
mod starttls_refused;
mod tls13_only;
mod tls_on_389;

use super::ServerFault;

/// What clients who want TLS meet at a DC that has no certificate it can use: port 636 resets when
/// the ClientHello has come, and StartTLS is refused. Reports from the field agree on both
/// (`openssl s_client` ends with `errno=104`; `Error initializing SSL/TLS`).
pub(crate) const WITHOUT_CERTIFICATE: &[&dyn ServerFault] =
    &[&reset_on_hello::ResetOnHello, &starttls_refused::StartTlsRefused];

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    &tls13_only::Tls13Only,
    &no_common_cipher::NoCommonCipher,
    &no_common_group::NoCommonGroup,
    &alert_on_hello::AlertOnHello,
    &close_on_hello::CloseOnHello,
    &close_after_certificate::CloseAfterCertificate,
    &reset_on_hello::ResetOnHello,
    &stall_after_server_hello::StallAfterServerHello,
    &garbage::Garbage,
    &plain_ldap_on_636::PlainLdapOn636,
    &http_on_636::HttpOn636,
    &tls_on_389::TlsOn389,
    &starttls_refused::StartTlsRefused,
    &starttls_accepted_then_closed::StartTlsAcceptedThenClosed,
];
