//! What Samba 4.22 says of a DC's certificates when it gives up, read back from its words
//! (samba-tls-verify.md §10).

use trust_verdict::Class;

/// A refusal, as far as the words tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) class: Class,
    /// GnuTLS status bits, in hex.
    pub(super) status: String,
    /// `tls verify peer`, where it is said.
    pub(super) mode: String,
    /// The name that was verified, where it is said.
    pub(super) peer_name: String,
    /// The line that tells it.
    pub(super) line: String,
}

/// Fragments of lines, and what they mean.
const FRAGMENTS: [(&str, Class); 11] = [
    ("check failed for verify_peer[", Class::Reject),
    ("no hostname available for verify_peer[", Class::Reject),
    ("tstream_tls_sync_setup: GNUTLS ERROR", Class::TlsError),
    ("tstream_tls_verify_peer: GNUTLS ERROR", Class::VerifyError),
    ("tstream_tls_setup_channel_bindings: GNUTLS ERROR", Class::BindingError),
    ("tstream_tls_prepare_gnutls: GNUTLS ERROR", Class::ConfigError),
    ("TLS failed to initialise cafile", Class::ConfigError),
    ("TLS failed to initialise crlfile", Class::ConfigError),
    ("TLS failed to missing crlfile", Class::ConfigError),
    ("TLS: 'tls verify peer = ", Class::ConfigError),
    // All that is said at debug level 0.
    ("Windows cannot verify the digital signature for this file", Class::Reject),
];

/// The first refusal in standard error.
pub(super) fn refusal(stderr: &str) -> Option<Refusal> {
    let refusing = |line: &str| FRAGMENTS.iter().find(|(text, _)| line.contains(text));
    let (line, (_, class)) = stderr.lines().find_map(|line| Some((line, refusing(line)?)))?;
    let status = line.split_once(" status ").map(|(_, rest)| rest.split(' ').next());
    Some(Refusal {
        class: *class,
        status: status.flatten().unwrap_or("0x0").to_owned(),
        mode: bracketed(line, "verify_peer["),
        peer_name: bracketed(line, "peer_name["),
        line: line.to_owned(),
    })
}

/// Entries that `net ads search` says it has found.
pub(super) fn replies(stdout: &str) -> Option<usize> {
    let count = stdout.lines().find_map(|line| line.strip_prefix("Got ")?.strip_suffix(" replies"));
    count?.parse().ok()
}

fn bracketed(line: &str, before: &str) -> String {
    let inside = line.split_once(before).and_then(|(_, rest)| rest.split_once(']'));
    inside.map(|(inside, _)| inside.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `fixtures/samba-client/expired-leaf.json` and others.
    #[test]
    fn a_refusal_is_read_from_its_line() {
        let line = "TLS source4/lib/tls/tls_tstream.c:1313 - check failed for \
                    verify_peer[ca_and_name_if_available] and peer_name[dc1.lab.example] status \
                    0x402 (invalid expired )";
        let found = refusal(&format!("Registered MSG_REQ\n{line}\nads_startup_int: …")).unwrap();
        assert_eq!((found.class, found.status.as_str()), (Class::Reject, "0x402"));
        assert_eq!(found.mode, "ca_and_name_if_available");
        assert_eq!(found.peer_name, "dc1.lab.example");
        assert_eq!(found.line, line);

        let line = "tstream_tls_sync_setup: GNUTLS ERROR: GNUTLS_E_FATAL_ALERT_RECEIVED, NTSTATUS: \
                    NT_STATUS_INTERNAL_ERROR at source4/lib/tls/tls_tstream.c:1877";
        let found = refusal(line).unwrap();
        assert_eq!((found.class, found.status.as_str()), (Class::TlsError, "0x0"));
        assert_eq!(refusal("ads_connect_creds: Operations error"), None);
        assert_eq!(replies("Got 1 replies\n\nobjectSid: S-1\n"), Some(1));
        assert_eq!(replies("search failed"), None);
    }
}
