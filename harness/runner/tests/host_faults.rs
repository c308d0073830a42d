//! What somebody has done to a host, met by its Samba client and judged by its xapi.

use runner::{
    catalogue::{Attempt, explain},
    host_faults,
};

/// Each fault with the class of the verdict and the code of xapi.
const EXPECTED: &[(&str, &str, Option<&str>)] = &[
    ("anchor.right-root-in-wrong-purpose", "config_error", Some("AUTH_NO_TRUSTED_CERTS")),
    ("anchor.empty-bundle", "config_error", Some("AUTH_SET_LDAPS_FAILED")),
    ("anchor.bundle-missing", "config_error", Some("AUTH_NO_TRUSTED_CERTS")),
    ("anchor.bundle-holds-leaf", "reject", Some("AUTH_INVALID_TRUSTED_CERTS")),
    ("anchor.bundle-holds-intermediate-only", "accept", None),
    ("anchor.bundle-broken-pem", "config_error", Some("AUTH_SET_LDAPS_FAILED")),
    ("anchor.bundle-mixed-good-and-broken", "config_error", Some("AUTH_SET_LDAPS_FAILED")),
    ("anchor.trusted-by-system-store-only", "accept", Some("AUTH_NO_TRUSTED_CERTS")),
    ("anchor.self-signed-leaf-in-bundle", "accept", None),
    ("time.host-clock-behind", "reject", Some("AUTH_INVALID_TRUSTED_CERTS")),
    ("time.host-clock-ahead", "reject", Some("AUTH_INVALID_TRUSTED_CERTS")),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_host_is_met_by_its_client() {
    let known: Vec<&str> = host_faults::catalogue().map(|info| info.id).collect();
    assert_eq!(known, EXPECTED.iter().map(|(id, ..)| *id).collect::<Vec<_>>());
    for (id, class, code) in EXPECTED {
        let explained = explain(id).await.unwrap();
        let as_xapi = |attempt: &&Attempt| {
            attempt.way.wrapping == "ldaps" && attempt.way.mode == "ca_and_name_if_available"
        };
        let attempt = explained.attempts.iter().find(as_xapi).unwrap();
        let conclusion = &attempt.conclusion;
        assert_eq!(conclusion.class.as_deref(), Some(*class), "{id}: {conclusion:?}");
        assert_eq!(conclusion.xapi.map(|xapi| xapi.code), *code, "{id}: {conclusion:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_is_as_wrong_as_the_value_says() {
    for (fault, class) in [
        ("time.host-clock-behind:29d", "accept"),
        ("time.host-clock-behind:31d", "reject"),
        ("time.host-clock-ahead:334d", "accept"),
        ("time.host-clock-ahead:336d", "reject"),
    ] {
        let explained = explain(fault).await.unwrap();
        let strict = explained.attempts.iter().find(|a| a.way.mode == "ca_only").unwrap();
        assert_eq!(strict.conclusion.class.as_deref(), Some(class), "{fault}");
    }
}
