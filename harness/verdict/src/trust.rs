//! The files a client trusts, and how GnuTLS loads them (samba-tls-verify.md §4).
//!
//! Reading files is the caller's business: a [`TrustFiles`] holds their contents.

use serde::Serialize;

use crate::{
    certificate::Certificate, pem, reason::AnchorRef, status::GnutlsError, subject::subject_text,
};

/// Everything `tls cafile`, `tls ca directories`, `tls trust system cas` and `tls crlfile` name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustFiles {
    /// `tls cafile`, if set.
    pub cafile: Option<PemFile>,
    /// The existing directories of `tls ca directories`.
    pub ca_directories: Vec<TrustDirectory>,
    /// The system's bundle, if `tls trust system cas = yes`.
    pub system_cas: Option<PemFile>,
    /// `tls crlfile`, if set.
    pub crlfile: Option<PemFile>,
}

/// A configured path and what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemFile {
    /// The path as configured: it appears in messages.
    pub path: String,
    /// What is there.
    pub content: FileContent,
}

impl PemFile {
    /// A file with this content.
    pub fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), content: FileContent::Bytes(bytes.into()) }
    }

    /// A path where nothing is.
    pub fn missing(path: impl Into<String>) -> Self {
        Self { path: path.into(), content: FileContent::Missing }
    }

    fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            FileContent::Bytes(bytes) => Some(bytes),
            FileContent::Directory | FileContent::Missing => None,
        }
    }
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileContent {
    /// A file that can be read.
    Bytes(Vec<u8>),
    /// A directory.
    Directory,
    /// Nothing.
    Missing,
}

/// One entry of `tls ca directories`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustDirectory {
    /// The path as configured.
    pub path: String,
    /// Names and contents of its files, in the order the directory lists them.
    pub files: Vec<(String, Vec<u8>)>,
}

/// A certificate of the trust set.
#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    pub(crate) certificate: Certificate,
    file: String,
    line: usize,
}

impl Anchor {
    pub(crate) fn reference(&self) -> AnchorRef {
        AnchorRef {
            subject: subject_text(&self.certificate.subject),
            fingerprint: self.certificate.fingerprint(),
            file: self.file.clone(),
            line: self.line,
        }
    }
}

/// A file that cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct BadFile {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) error: GnutlsError,
}

/// The loaded trust set.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustSet {
    pub(crate) anchors: Vec<Anchor>,
}

impl TrustSet {
    /// Loads system bundle, directories and CA file, in Samba's order.
    pub(crate) fn load(files: &TrustFiles) -> Result<Self, BadFile> {
        let mut set = Self::default();
        // A system bundle that cannot be loaded is no error to Samba.
        if let Some(system) = &files.system_cas
            && let Ok(anchors) = read(&system.path, system.bytes().unwrap_or_default())
        {
            set.add(anchors);
        }
        for directory in &files.ca_directories {
            for (name, bytes) in &directory.files {
                let path = format!("{}/{name}", directory.path.trim_end_matches('/'));
                if let Ok(anchors) = read(&path, bytes) {
                    set.add(anchors);
                }
            }
        }
        if let Some(file) = &files.cafile {
            set.add(read(&file.path, file.bytes().unwrap_or_default())?);
        }
        Ok(set)
    }

    /// Anchors with the given subject.
    pub(crate) fn with_subject(&self, subject: &[u8]) -> Vec<&Anchor> {
        self.anchors.iter().filter(|anchor| anchor.certificate.subject == subject).collect()
    }

    /// Whether some anchor is the issuer of `certificate`. Anchors are found by the hash of their
    /// subject: here names must be equal byte for byte.
    pub(crate) fn knows_issuer_of(&self, certificate: &Certificate) -> bool {
        let anchors = self.with_subject(&certificate.issuer);
        anchors.iter().any(|anchor| certificate.is_issued_by(&anchor.certificate))
    }

    /// The anchor that is this very certificate.
    pub(crate) fn twin(&self, der: &[u8]) -> Option<&Anchor> {
        self.anchors.iter().find(|anchor| anchor.certificate.der == der)
    }

    /// A certificate that is there already keeps its place.
    fn add(&mut self, anchors: Vec<Anchor>) {
        for anchor in anchors {
            let known = |other: &Anchor| other.certificate.der == anchor.certificate.der;
            if !self.anchors.iter().any(known) {
                self.anchors.push(anchor);
            }
        }
    }
}

/// All certificates of one file, or its first fault.
fn read(path: &str, bytes: &[u8]) -> Result<Vec<Anchor>, BadFile> {
    let blocks = pem::certificates(bytes);
    let mut anchors = Vec::with_capacity(blocks.len());
    for block in blocks {
        let bad = |error| BadFile { path: path.to_owned(), line: block.line, error };
        let der = block.der.map_err(|error| bad(error.into()))?;
        let certificate = Certificate::parse(&der).map_err(bad)?;
        anchors.push(Anchor { certificate, file: path.to_owned(), line: block.line });
    }
    Ok(anchors)
}
