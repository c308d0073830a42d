//! Why there is no LDAP connection to a DC, in Samba's words.

use trust_verdict::Verdict;

use super::{console::Console, ldap::LdapError};

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConnectError {
    /// What `ads_errstr` says.
    pub(super) text: String,
    /// Whether the account was refused, which a join meets before it speaks LDAP.
    pub(super) account_refused: bool,
}

impl ConnectError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), account_refused: false }
    }

    /// No name server knows the server's name.
    pub(super) fn unknown_server() -> Self {
        Self::new("The object was not found.")
    }
}

/// The words for a DC that fell silent after TLS.
pub(super) fn lost(error: &LdapError, console: &mut Console) -> ConnectError {
    note_end(error, console);
    ConnectError::new("Time limit exceeded")
}

/// The line for a TLS connection that did not end as it should.
pub(super) fn note_end(error: &LdapError, console: &mut Console) {
    let (wanted, text) = match error {
        LdapError::Cut => (8, "The TLS connection was non-properly terminated."),
        LdapError::Reset { wanted } => (*wanted, "Error in the pull function."),
        LdapError::Closed | LdapError::Malformed(_) | LdapError::TimedOut => return,
    };
    console.debug(1, &format!("tstream_tls_sync_read: TLS gnutls_record_recv({wanted}) - {text}"));
}

/// Prints the words of a verdict against the DC, without the line that `net ads search` adds.
pub(super) fn speak(verdict: &Verdict, console: &mut Console) -> ConnectError {
    let words = verdict.words(console.level());
    if let Some((_search, detail)) = words.stderr.split_last() {
        detail.iter().for_each(|line| console.error(line));
    }
    ConnectError::new(words.last)
}
