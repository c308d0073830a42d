//! The five kinds of data that a client brings, and the two ways in: from memory and from a file.

use std::{
    fmt, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::{
    error::{DataCause, DataError},
    pem::{self, Block},
    trusted::{Entry, TrustedServers},
};

/// What a piece of data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataKind {
    /// Certificates of CAs that servers are believed by.
    CaCertificate,
    /// What those CAs have revoked.
    CaRevocationList,
    /// The client's secret key.
    ClientKey,
    /// The client's certificate, its own first, those that lead to its CA behind it.
    ClientCertificate,
    /// Certificates of servers that have been accepted permanently.
    TrustedServers,
}

impl DataKind {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::CaCertificate,
        Self::CaRevocationList,
        Self::ClientKey,
        Self::ClientCertificate,
        Self::TrustedServers,
    ];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CaCertificate => "CA certificate",
            Self::CaRevocationList => "CA revocation list",
            Self::ClientKey => "client key",
            Self::ClientCertificate => "client certificate",
            Self::TrustedServers => "list of trusted servers",
        }
    }

    /// The labels of its PEM blocks; the first is the usual one.
    pub(super) const fn labels(self) -> &'static [&'static str] {
        match self {
            Self::CaRevocationList => &["X509 CRL"],
            Self::ClientKey => &["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"],
            Self::CaCertificate | Self::ClientCertificate | Self::TrustedServers => {
                &["CERTIFICATE", "X509 CERTIFICATE"]
            }
        }
    }
}

impl fmt::Display for DataKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a piece of data comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// The application's memory.
    Memory,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Memory => f.write_str("memory"),
        }
    }
}

/// Bytes in DER, and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) der: Vec<u8>,
    pub(super) origin: Origin,
}

/// A key, which `Debug` does not show.
pub(super) struct Key {
    pub(super) der: PrivateKeyDer<'static>,
    pub(super) origin: Origin,
}

/// All that a client brings to a connection. Nothing is looked for anywhere: what is not added is
/// not there.
///
/// CA certificates, revocation lists and trusted servers add up; a second client key or client
/// certificate takes the place of the first.
#[derive(Debug, Default)]
pub struct CertData {
    pub(super) cas: Vec<Item>,
    pub(super) crls: Vec<Item>,
    pub(super) key: Option<Key>,
    pub(super) certificates: Vec<Item>,
    pub(super) trusted: TrustedServers,
}

/// Most bytes that are read of one piece of data.
pub const DATA_BYTES_MAX: usize = 4 << 20;

impl CertData {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes data from memory: PEM, or base64 of DER.
    ///
    /// # Errors
    ///
    /// It is not what it should be. Nothing of it is taken.
    pub fn add(&mut self, kind: DataKind, data: &str) -> Result<(), DataError> {
        let error = |cause| DataError { kind, origin: Origin::Memory, cause };
        if data.len() > DATA_BYTES_MAX {
            return Err(error(DataCause::TooLarge { limit: DATA_BYTES_MAX }));
        }
        self.take(kind, &Origin::Memory, data).map_err(error)
    }

    /// Takes data from a file with the same contents.
    ///
    /// The file of [`DataKind::TrustedServers`] need not be there yet: it is where permanent
    /// acceptances are written to from now on. Others may write to it, too.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not what it should be. Nothing of it is taken.
    pub fn add_file(&mut self, kind: DataKind, path: impl AsRef<Path>) -> Result<(), DataError> {
        self.add_file_called(kind, path.as_ref(), path.as_ref())
    }

    /// The same with the name by which errors call the file: what it is elsewhere, such as below the root of a
    /// simulated machine.
    ///
    /// # Errors
    ///
    /// As [`CertData::add_file`].
    pub fn add_file_called(
        &mut self,
        kind: DataKind,
        path: &Path,
        called: &Path,
    ) -> Result<(), DataError> {
        let origin = Origin::File(called.to_owned());
        let error = |cause| DataError { kind, origin: origin.clone(), cause };
        let text = match read(path) {
            Err(DataCause::Unreadable(missing))
                if kind == DataKind::TrustedServers
                    && missing.kind() == io::ErrorKind::NotFound =>
            {
                self.trusted.set_file(path, called);
                return Ok(());
            }
            read => read.map_err(error)?,
        };
        self.take(kind, &origin, &text).map_err(error)?;
        if kind == DataKind::TrustedServers {
            self.trusted.set_file(path, called);
        }
        Ok(())
    }

    fn take(&mut self, kind: DataKind, origin: &Origin, text: &str) -> Result<(), DataCause> {
        if kind == DataKind::TrustedServers {
            let entries = trusted_entries(text)?;
            // Those of a file are read anew for each connection.
            if *origin == Origin::Memory {
                self.trusted.add(entries);
            }
            return Ok(());
        }
        let found = wanted(kind, text)?;
        if found.is_empty() {
            return Err(DataCause::Empty);
        }
        if kind == DataKind::ClientKey {
            let [(block, der)] = <[_; 1]>::try_from(found)
                .map_err(|found| DataCause::SeveralKeys { found: found.len() })?;
            let der = PrivateKeyDer::try_from(der)
                .map_err(|_| DataCause::NotA { block, reason: "no form of key".to_owned() })?;
            self.key = Some(Key { der, origin: origin.clone() });
            return Ok(());
        }
        for (block, der) in &found {
            let checked = match kind {
                DataKind::CaRevocationList => whole(CertificateRevocationList::from_der(der)),
                _ => whole(X509Certificate::from_der(der)),
            };
            checked.map_err(|reason| DataCause::NotA { block: *block, reason })?;
        }
        let items = found.into_iter().map(|(_, der)| Item { der, origin: origin.clone() });
        match kind {
            DataKind::CaCertificate => self.cas.extend(items),
            DataKind::CaRevocationList => self.crls.extend(items),
            _ => self.certificates = items.collect(),
        }
        Ok(())
    }

    /// The client's own certificates, as TLS shows them.
    pub(super) fn own_certificates(&self) -> Vec<CertificateDer<'static>> {
        self.certificates.iter().map(|item| item.der.clone().into()).collect()
    }
}

/// Entries of a list of trusted servers; there may be none.
pub(super) fn trusted_entries(text: &str) -> Result<Vec<Entry>, DataCause> {
    let kind = DataKind::TrustedServers;
    let read = |number: usize, line, before: &str, der: Vec<u8>| {
        let place = Place { block: number, line };
        whole(X509Certificate::from_der(&der))
            .map_err(|reason| DataCause::NotA { block: place, reason })?;
        Ok(Entry::read(before, der))
    };
    let blocks = blocks(text)?;
    if blocks.is_empty() {
        return match bare(text) {
            None if text.trim().is_empty() => Ok(Vec::new()),
            None => Err(DataCause::NoBlock),
            Some(der) => Ok(vec![read(1, 1, "", der)?]),
        };
    }
    let mut entries = Vec::new();
    for (number, block) in (1..).zip(blocks) {
        if !kind.labels().contains(&block.label) {
            return Err(DataCause::OtherBlocks { found: vec![block.label.to_owned()] });
        }
        let place = Place { block: number, line: block.line };
        let der = block.der.map_err(|_| DataCause::NotBase64(place))?;
        entries.push(read(number, block.line, block.before, der)?);
    }
    Ok(entries)
}

/// A block, as people find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number among all blocks, from 1.
    pub block: usize,
    /// The line on which it begins, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {} (line {})", self.block, self.line)
    }
}

/// The blocks of the wanted kind. Others may stand between them: many keep key and certificates in
/// one file.
fn wanted(kind: DataKind, text: &str) -> Result<Vec<(Place, Vec<u8>)>, DataCause> {
    let blocks = blocks(text)?;
    if blocks.is_empty() {
        return match bare(text) {
            None if text.trim().is_empty() => Err(DataCause::Empty),
            None => Err(DataCause::NoBlock),
            Some(der) => Ok(vec![(Place { block: 1, line: 1 }, der)]),
        };
    }
    let mut found = Vec::new();
    for (number, block) in (1..).zip(&blocks) {
        let place = Place { block: number, line: block.line };
        if kind.labels().contains(&block.label) {
            let der = block.der.clone().map_err(|_| DataCause::NotBase64(place))?;
            found.push((place, der));
        } else if kind == DataKind::ClientKey && block.label == "ENCRYPTED PRIVATE KEY" {
            return Err(DataCause::EncryptedKey(place));
        }
    }
    if found.is_empty() {
        let mut labels: Vec<_> = blocks.iter().map(|block| block.label.to_owned()).collect();
        labels.dedup();
        return Err(DataCause::OtherBlocks { found: labels });
    }
    Ok(found)
}

fn blocks(text: &str) -> Result<Vec<Block<'_>>, DataCause> {
    pem::blocks(text)
        .map_err(|unclosed| DataCause::Unclosed { label: unclosed.label, line: unclosed.line })
}

/// Text without blocks, as base64 of DER.
fn bare(text: &str) -> Option<Vec<u8>> {
    pem::from_base64(text)
}

fn whole<T, E: fmt::Display>(parsed: Result<(&[u8], T), E>) -> Result<(), String> {
    match parsed {
        Ok(([], _)) => Ok(()),
        Ok((rest, _)) => Err(format!("{} bytes too many", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}

/// The text of a file of reasonable size.
pub(super) fn read(path: &Path) -> Result<String, DataCause> {
    let file = fs::File::open(path).map_err(DataCause::Unreadable)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(DATA_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(DataCause::Unreadable)?;
    if bytes.len() > DATA_BYTES_MAX {
        return Err(DataCause::TooLarge { limit: DATA_BYTES_MAX });
    }
    String::from_utf8(bytes).map_err(|_| DataCause::NotText)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(*** from {})", self.origin)
    }
}
