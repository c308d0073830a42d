//! The words of Samba 4.22.11 for a verdict (samba-tls-verify.md §10), and what xapi makes of
//! them (xapi-flows.md §6.6).

use serde::Serialize;

use crate::verdict::{Cause, Verdict};

/// Debug level from which the lines of the TLS code appear.
const TLS_LINES: u8 = 1;
/// Debug level from which a refused LDAP URI is told.
const URI_LINE: u8 = 2;

/// What `net` prints and returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Words {
    /// Lines on stderr of `net ads search`, without the constant lines that surround them at
    /// debug level 2.
    pub stderr: Vec<String>,
    /// Text of the last error; empty if there is none.
    pub last: String,
    /// Exit status of `net`.
    pub exit: i32,
    /// What `net ads join` prints on stdout instead of joining; none if TLS is no obstacle.
    pub join: Option<String>,
    /// The tag xapi finds in stderr.
    pub xapi: XapiTag,
}

/// Tags of xapi's AD plugin that follow from TLS, found as fragments of stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum XapiTag {
    /// No error.
    None,
    /// None of the fragments: `AUTH_SERVICE_ERROR`.
    Generic,
    /// The verification said no: `AUTH_INVALID_TRUSTED_CERTS`.
    InvalidTrustedCerts,
    /// The handshake failed: `AUTH_SETUP_TLS_CONNECTION`.
    TlsSetupFailed,
}

impl XapiTag {
    /// Searches stderr the way xapi 26.16 does, as far as TLS is concerned.
    pub fn of_stderr(stderr: &str) -> Self {
        const FRAGMENTS: [(&str, XapiTag); 2] = [
            (
                "Windows cannot verify the digital signature for this file",
                XapiTag::InvalidTrustedCerts,
            ),
            ("tstream_tls_sync_setup: GNUTLS ERROR", XapiTag::TlsSetupFailed),
        ];
        let found = FRAGMENTS.iter().find(|(fragment, _)| stderr.contains(fragment));
        found.map_or(Self::Generic, |(_, tag)| *tag)
    }

    /// The code of a direct plugin call; none without an error.
    pub const fn error_code(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Generic => Some("AUTH_SERVICE_ERROR"),
            Self::InvalidTrustedCerts => Some("AUTH_INVALID_TRUSTED_CERTS"),
            Self::TlsSetupFailed => Some("AUTH_SETUP_TLS_CONNECTION"),
        }
    }

    /// The suffix xapi appends to the codes of enable and disable; empty for the generic error.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None | Self::Generic => "",
            Self::InvalidTrustedCerts => "_INVALID_TRUSTED_CERTS",
            Self::TlsSetupFailed => "_SETUP_TLS_CONNECTION",
        }
    }
}

impl Verdict {
    /// What the programs print at a debug level (`-d`).
    pub fn words(&self, debug_level: u8) -> Words {
        if self.cause == Cause::Accepted {
            return Words {
                stderr: Vec::new(),
                last: String::new(),
                exit: 0,
                join: None,
                xapi: XapiTag::None,
            };
        }
        let last = self.ntstatus.text().to_owned();
        let (level, line) = self.detail();
        let mut stderr = Vec::new();
        if debug_level >= level {
            stderr.push(line);
        }
        stderr.push(format!("ads_startup_int: ads_connect_creds: {last}"));
        let xapi = XapiTag::of_stderr(&stderr.join("\n"));
        let join = format!("Failed to join domain: failed to connect to AD: {last}");
        Words { stderr, last, exit: 255, join: Some(join), xapi }
    }

    /// The first line, and the debug level it needs.
    fn detail(&self) -> (u8, String) {
        let mode = self.mode;
        let peer = self.peer.as_ref().map_or("", |peer| peer.as_str());
        let at = |line: u16| format!("source4/lib/tls/tls_tstream.c:{line}");
        let gnutls = |function: &str, line: u16| {
            let error = self.gnutls.map_or("", |error| error.name());
            let status = self.ntstatus;
            format!("{function}: GNUTLS ERROR: {error}, NTSTATUS: {status} at {}", at(line))
        };
        match &self.cause {
            Cause::Accepted => (u8::MAX, String::new()),
            Cause::BadCafile { path, error, .. } => {
                (0, format!("TLS failed to initialise cafile {path} - {}", error.text()))
            }
            Cause::BadCrlfile { path, error } => {
                (0, format!("TLS failed to initialise crlfile {path} - {}", error.text()))
            }
            Cause::Binding(_) => (TLS_LINES, gnutls("tstream_tls_setup_channel_bindings", 916)),
            Cause::CheckFailed => {
                let (status, words) = (self.status, self.status.samba_words());
                let line = format!(
                    "TLS {} - check failed for verify_peer[{mode}] and peer_name[{peer}] status \
                     {status} ({words})",
                    at(1313)
                );
                (TLS_LINES, line)
            }
            Cause::Handshake(_) => (TLS_LINES, gnutls("tstream_tls_sync_setup", 1877)),
            Cause::NoHostname => {
                let line = format!(
                    "TLS {} - no hostname available for verify_peer[{mode}] and peer_name[{peer}]",
                    at(1294)
                );
                (TLS_LINES, line)
            }
            Cause::NoTrustSource => {
                let line = format!(
                    "TLS: 'tls verify peer = {mode}' requires 'tls trust system cas', 'tls ca \
                     directories' or 'tls cafile'"
                );
                (0, line)
            }
            Cause::PeerUri { uri } => {
                let line = format!(
                    "Could not initialize connection for LDAP server '{uri}': Bad parameter to an \
                     ldap routine"
                );
                (URI_LINE, line)
            }
            Cause::Prepare(_) => (TLS_LINES, gnutls("tstream_tls_prepare_gnutls", 1234)),
            Cause::StrictWithoutCrl { path } => {
                let line = format!(
                    "TLS failed to missing crlfile {path} - with 'tls verify peer = {mode}'"
                );
                (0, line)
            }
            Cause::Verify(_) => (TLS_LINES, gnutls("tstream_tls_verify_peer", 1305)),
        }
    }
}
