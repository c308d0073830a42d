//! Family `handshake`: what goes wrong between the TCP connection and the first LDAP message.
//!
//! Drawings say who sends what; what is wrong is in brackets.

mod alert_after_certificate;
mod alert_on_hello;
mod alternates;
mod bad_finished;
mod bad_signature;
mod cbc_only;
mod client_certificate_requested;
mod client_certificate_required;
mod close_after_certificate;
mod close_before_hello;
mod close_on_hello;
mod damaged_record;
mod depends_on_sni;
mod differs_per_port;
mod ecdsa_suites_only;
mod empty_certificate_list;
mod garbage;
mod http_on_636;
mod huge_certificate_list;
mod key_mismatch;
mod no_certificate;
mod no_common_cipher;
mod no_common_group;
mod no_extended_master_secret;
mod oversized_record;
mod plain_ldap_on_636;
mod requires_sni;
mod reset_after_server_hello;
mod reset_on_hello;
mod rotates_mid_run;
mod sha1_signature;
mod slow_drip;
mod stall_after_server_hello;
mod stall_on_hello;
mod starttls_accepted_then_closed;
mod starttls_injected_data;
mod starttls_refused;
mod starttls_unanswered;
mod static_rsa_only;
mod tls10_only;
mod tls11_only;
mod tls13_only;
mod tls_on_389;
mod unoffered_cipher;
mod unoffered_group;
mod wrong_version;

use super::ServerFault;

/// What clients who want TLS meet at a DC that has no certificate it can use: port 636 resets when
/// the ClientHello has come, and StartTLS is refused. Reports from the field agree on both
/// (`openssl s_client` ends with `errno=104`; `Error initializing SSL/TLS`).
pub(crate) const WITHOUT_CERTIFICATE: &[&dyn ServerFault] = &[&no_certificate::NoCertificate];

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    &tls10_only::Tls10Only,
    &tls11_only::Tls11Only,
    &tls13_only::Tls13Only,
    &static_rsa_only::StaticRsaOnly,
    &cbc_only::CbcOnly,
    &ecdsa_suites_only::EcdsaSuitesOnly,
    &no_common_cipher::NoCommonCipher,
    &no_common_group::NoCommonGroup,
    &unoffered_cipher::UnofferedCipher,
    &unoffered_group::UnofferedGroup,
    &wrong_version::WrongVersion,
    &no_extended_master_secret::NoExtendedMasterSecret,
    &alert_on_hello::AlertOnHello::USUAL,
    &alert_after_certificate::AlertAfterCertificate::USUAL,
    &close_before_hello::CloseBeforeHello,
    &close_on_hello::CloseOnHello,
    &close_after_certificate::CloseAfterCertificate,
    &reset_on_hello::ResetOnHello,
    &reset_after_server_hello::ResetAfterServerHello,
    &stall_on_hello::StallOnHello,
    &slow_drip::SlowDrip::USUAL,
    &stall_after_server_hello::StallAfterServerHello,
    &key_mismatch::KeyMismatch,
    &bad_signature::BadSignature,
    &sha1_signature::Sha1Signature,
    &bad_finished::BadFinished,
    &damaged_record::DamagedRecord,
    &oversized_record::OversizedRecord,
    &no_certificate::NoCertificate,
    &empty_certificate_list::EmptyCertificateList,
    &huge_certificate_list::HugeCertificateList,
    &depends_on_sni::DependsOnSni,
    &requires_sni::RequiresSni,
    &rotates_mid_run::RotatesMidRun::USUAL,
    &alternates::Alternates,
    &differs_per_port::DiffersPerPort::USUAL,
    &client_certificate_requested::ClientCertificateRequested,
    &client_certificate_required::ClientCertificateRequired,
    &garbage::Garbage,
    &plain_ldap_on_636::PlainLdapOn636,
    &http_on_636::HttpOn636,
    &tls_on_389::TlsOn389,
    &starttls_refused::StartTlsRefused,
    &starttls_unanswered::StartTlsUnanswered,
    &starttls_accepted_then_closed::StartTlsAcceptedThenClosed,
    &starttls_injected_data::StartTlsInjectedData,
];
