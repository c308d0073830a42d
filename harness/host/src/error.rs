//! What can go wrong with a simulated host itself, as opposed to what a call of xapi answers.

use std::{io, path::PathBuf};

/// A host could not be built, or its root directory could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A path of a host that is not absolute, or that holds `..`.
    #[error("path `{path}` of a host is not absolute or holds `..`")]
    Path {
        /// The path as given.
        path: String,
    },
    /// A path that leads out of the root directory through a symbolic link.
    #[error("path `{path}` leaves the host's root directory: it resolves to `{}`", .target.display())]
    Escape {
        /// The path as given.
        path: String,
        /// Where the link leads.
        target: PathBuf,
    },
    /// A file or directory below a root could not be used.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried: `read`, `write`, ...
        action: &'static str,
        /// The path as the host sees it.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl HostError {
    /// Whether this says that a file is absent.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}
