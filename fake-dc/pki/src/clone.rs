//! A customer's chain under new keys: as right or as wrong as the original, and nobody's secret.
//!
//! A trust problem is reproduced best with the very certificates that have it, but their private
//! keys stay where they are. A clone has everything of the original that does not depend on a
//! key: names, serial numbers, dates, every octet of every extension, the types and sizes of the
//! keys, the signature algorithms, order and repeats. What depends on a key is made anew, and the
//! relations between them are kept: which certificate's key made which signature, which do not
//! hold, which certificates share a key, which key identifiers are those of which keys. So a
//! client concludes about the clone what it concludes about the original.
//!
//! ```text
//! original                      clone
//! root   (key A) ─ in bundle    root   (key a) ─ in bundle      A, a: same type and size
//!   └ issuing CA (key B)          └ issuing CA (key b)          SKI = SHA-1(B) → SHA-1(b)
//!       └ dc1    (key C)              └ dc1    (key c)          AKI of dc1 follows it
//! ```
//!
//! With [`CloneOptions::scrubbing_names`] every name of the customer's own is exchanged for an
//! invented one, everywhere alike; the [`ScrubMap`] turns it back and stays with the customer.
//!
//! ```
//! use fake_dc_pki::{DcIdentity, PemFile, Pki, clone::{CloneOptions, Original}};
//! use ground::{Seed, Timestamp};
//!
//! let pki = Pki::new(&Seed::new(1), Timestamp::from_unix(1_787_277_600), "corp.example")?;
//! let dc1 = DcIdentity::new("dc1", "corp.example", [127, 0, 1, 11].into());
//! let (chain, root) = (pki.chain(&dc1, &[])?.to_pem(), pki.root_pem().to_owned());
//!
//! let clone = Original::from_pem(&PemFile::new("chain.pem", &chain))?
//!     .trusted_by(&PemFile::new("bundle.pem", &root))
//!     .clone_with(&CloneOptions::new(Seed::new(7)).scrubbing_names())?;
//!
//! assert_eq!(clone.chain().certificates.len(), 2);
//! assert_ne!(clone.host_name().as_deref(), Some("dc1.corp.example"));
//! # Ok::<(), fake_dc_pki::PkiError>(())
//! ```
//!
//! What stays as it is: what cannot be read as a certificate, unless it holds a key (then its
//! outline stays and the key becomes noise); keys and signatures of unknown algorithms become
//! noise. Serial numbers, dates and signed certificate timestamps stay even when names are
//! exchanged: a certificate of a public CA can be found by them.

use std::collections::BTreeSet;

use ground::Seed;
use rustls_pki_types::CertificateDer;

use crate::{
    algorithm::Hash,
    chain::Chain,
    crl::Crls,
    der::Element,
    error::{PemError, PkiError},
    key::{KeyChoice, KeyOwner, PrivateKey, SigningKey},
    pem_file::PemFile,
};

mod account;
mod bundle;
mod garble;
mod input;
mod new_key;
mod old_algorithms;
mod public_key;
mod relations;
mod scrub;
mod signed;

pub use account::ClonedCertificate;
pub use scrub::{ScrubMap, ScrubMapError};

use bundle::Bundle;
use relations::Relations;
use scrub::Scrubber;
use signed::{Kind, Signed};

/// A real chain, and what its client trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// What errors call it.
    name: String,
    /// In the order of the wire.
    certificates: Vec<Vec<u8>>,
    trusted: Vec<Bundle>,
    revoked: Vec<Bundle>,
}

impl Original {
    /// The chain in the text of `openssl s_client -showcerts`: the certificates of the section
    /// `Certificate chain`, whatever else the text holds.
    ///
    /// # Errors
    ///
    /// [`PkiError::Pem`] names file, line and cause, also when `-showcerts` was forgotten.
    pub fn from_showcerts(file: &PemFile<'_>) -> Result<Self, PkiError> {
        Self::read(file, input::showcerts)
    }

    /// The chain in a PEM file, leaf first, with any text around the blocks.
    ///
    /// # Errors
    ///
    /// [`PkiError::Pem`] names file, block, line and cause.
    pub fn from_pem(file: &PemFile<'_>) -> Result<Self, PkiError> {
        Self::read(file, input::pem)
    }

    /// The chain in a PKCS#7 file, in PEM or DER, such as Windows exports as `.p7b` and `openssl
    /// crl2pkcs7 -nocrl` writes. Such a file has no order: the one certificate in it that issued
    /// no other becomes the first.
    ///
    /// # Errors
    ///
    /// [`PkiError::Pem`] names file and cause.
    pub fn from_pkcs7(file: &PemFile<'_>) -> Result<Self, PkiError> {
        Self::read(file, input::pkcs7)
    }

    /// One certificate in DER, or several in a row.
    ///
    /// # Errors
    ///
    /// [`PkiError::Pem`] names file and cause.
    pub fn from_der(file: &PemFile<'_>) -> Result<Self, PkiError> {
        Self::read(file, input::der)
    }

    /// The chain in a file of any of these forms, told by its looks.
    ///
    /// # Errors
    ///
    /// As of the form that the file looks like.
    pub fn from_file(file: &PemFile<'_>) -> Result<Self, PkiError> {
        Self::read(file, input::any)
    }

    /// The certificates of a handshake, as the server sent them. Errors call them `name`.
    pub fn from_handshake(name: &str, certificates: &[CertificateDer<'_>]) -> Self {
        let certificates = certificates.iter().map(|it| it.as_ref().to_vec()).collect();
        Self { name: name.to_owned(), certificates, trusted: Vec::new(), revoked: Vec::new() }
    }

    fn read(
        file: &PemFile<'_>,
        reader: impl Fn(&PemFile<'_>) -> Result<Vec<Vec<u8>>, PemError>,
    ) -> Result<Self, PkiError> {
        let certificates = reader(&PemFile::new(file.name(), &input::unmarked(file.content())))?;
        let name = file.name().to_owned();
        Ok(Self { name, certificates, trusted: Vec::new(), revoked: Vec::new() })
    }

    /// With a file of certificates that the client trusts. It is cloned as it is, broken blocks
    /// included; text around the blocks is left out, and so are private keys. May be called for
    /// several files.
    #[must_use]
    pub fn trusted_by(mut self, file: &PemFile<'_>) -> Self {
        self.trusted.push(Bundle::read(file.content()));
        self
    }

    /// With a file of revocation lists, as [`Original::trusted_by`].
    #[must_use]
    pub fn revoked_by(mut self, file: &PemFile<'_>) -> Self {
        self.revoked.push(Bundle::read(file.content()));
        self
    }

    /// Makes the clone. The same original and options give the same bytes.
    ///
    /// # Errors
    ///
    /// [`PkiError::KeyBeyondClone`]: a certificate is signed by a key of a type or size that
    /// cannot be made anew.
    pub fn clone_with(&self, options: &CloneOptions) -> Result<ClonedChain, PkiError> {
        Cloning::new(self, options)?.finish()
    }

    /// Every structure of the input, and whether it should be a revocation list.
    fn structures(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let sent = self.certificates.iter().map(|bytes| (bytes.as_slice(), false));
        let bundles = self.trusted.iter().chain(&self.revoked);
        sent.chain(bundles.flat_map(Bundle::structures))
    }
}

/// How to clone.
#[derive(Clone, Debug)]
pub struct CloneOptions {
    seed: Seed,
    names: Names,
}

#[derive(Clone, Debug)]
enum Names {
    Exchange(Option<ScrubMap>),
    Keep,
    Restore(ScrubMap),
}

impl CloneOptions {
    /// With keys from this seed, and all names as they are.
    pub fn new(seed: Seed) -> Self {
        Self { seed, names: Names::Keep }
    }

    /// With every name of the customer's own exchanged for an invented one: words in subjects and
    /// issuers, DNS names, mail addresses, principals, URLs, IP addresses, the GUIDs, SIDs and
    /// template identifiers of a forest, key identifiers that are made from no key.
    #[must_use]
    pub fn scrubbing_names(mut self) -> Self {
        self.names = Names::Exchange(None);
        self
    }

    /// As [`CloneOptions::scrubbing_names`], with the inventions of an earlier clone, so that
    /// the chains of several DCs fit together.
    #[must_use]
    pub fn scrubbing_names_by(mut self, map: ScrubMap) -> Self {
        self.names = Names::Exchange(Some(map));
        self
    }

    /// With the real names where `map` put invented ones.
    #[must_use]
    pub fn restoring_names(mut self, map: &ScrubMap) -> Self {
        self.names = Names::Restore(map.inverse());
        self
    }
}

/// The clone of an [`Original`].
#[derive(Clone, Debug)]
pub struct ClonedChain {
    chain: Chain,
    key_fits: bool,
    trusted: Vec<Vec<u8>>,
    revoked: Vec<Vec<u8>>,
    map: Option<ScrubMap>,
    account: Vec<ClonedCertificate>,
}

impl ClonedChain {
    /// What a server shows, and the key of its leaf.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Whether the key is that of the leaf. A leaf that is no certificate, or whose key is of an
    /// unknown type, has no key: the handshake with it fails whoever serves it.
    pub fn key_fits(&self) -> bool {
        self.key_fits
    }

    /// The files of [`Original::trusted_by`], in that order.
    pub fn trusted(&self) -> &[Vec<u8>] {
        &self.trusted
    }

    /// The files of [`Original::revoked_by`], in that order.
    pub fn revoked(&self) -> &[Vec<u8>] {
        &self.revoked
    }

    /// What stands for which name, if names were exchanged.
    pub fn map(&self) -> Option<&ScrubMap> {
        self.map.as_ref()
    }

    /// What became of the certificates of the wire, in order.
    pub fn account(&self) -> &[ClonedCertificate] {
        &self.account
    }

    /// The name that the leaf is for: the first in its SAN that a host can have, else its CN.
    pub fn host_name(&self) -> Option<String> {
        account::host_name(&Signed::certificate(self.chain.certificates.first()?)?)
    }
}

/// A clone in the making.
struct Cloning<'a> {
    original: &'a Original,
    relations: Relations,
    certificates: Vec<Signed>,
    map: Option<ScrubMap>,
    /// Whether the map turns inventions into names.
    restores: bool,
}

impl<'a> Cloning<'a> {
    fn new(original: &'a Original, options: &CloneOptions) -> Result<Self, PkiError> {
        let structures: BTreeSet<(&[u8], bool)> = original.structures().collect();
        let mut relations = Relations::new(&options.seed);
        let (mut certificates, mut lists) = (Vec::new(), Vec::new());
        // In the order of the input, so that the first key is that of the leaf.
        for (bytes, is_list) in original.structures() {
            match Signed::read(bytes, is_list) {
                Some(list) if list.kind() == Kind::RevocationList => lists.push(list),
                Some(certificate) if !certificates.contains(&certificate) => {
                    certificates.push(certificate);
                }
                _ => {}
            }
        }
        relations.add_keys(&certificates);
        let all: Vec<&Signed> = certificates.iter().chain(&lists).collect();
        relations.add_identifiers(&all);
        for signed in &all {
            relations.add_signing(signed, &certificates);
        }
        let map = match &options.names {
            Names::Keep => None,
            Names::Restore(map) => Some(map.clone()),
            Names::Exchange(map) => {
                let known = map
                    .clone()
                    .unwrap_or_else(|| ScrubMap::new(secret(&options.seed, &structures)));
                Some(collected(known, &structures, &relations))
            }
        };
        if let Some(map) = &map {
            for id in relations.free_identifiers(&all) {
                let new = Scrubber::new(map).identifier(&id);
                relations.replace(id, new);
            }
        }
        let restores = matches!(options.names, Names::Restore(_));
        Ok(Self { original, relations, certificates, map, restores })
    }

    fn finish(mut self) -> Result<ClonedChain, PkiError> {
        self.check()?;
        self.follow_fingerprints();
        let sent: Vec<Vec<u8>> =
            self.original.certificates.iter().map(|bytes| self.other(bytes, false)).collect();
        let leaf = self.original.certificates.first().and_then(|it| Signed::certificate(it));
        let key =
            leaf.as_ref().and_then(|leaf| self.relations.new_key(leaf)?.private_key(leaf.key()?));
        let write = |bundles: &[Bundle]| -> Vec<Vec<u8>> {
            let other = |bytes: &[u8], is_list| self.other(bytes, is_list);
            bundles.iter().map(|bundle| bundle.write(other)).collect()
        };
        let certificates: Vec<_> = sent.iter().cloned().map(CertificateDer::from).collect();
        let account = account::account(&self.original.certificates, &sent, &self.relations);
        Ok(ClonedChain {
            key_fits: key.is_some(),
            trusted: write(&self.original.trusted),
            revoked: write(&self.original.revoked),
            chain: Chain {
                key: key.map_or_else(no_key, Ok)?,
                anchor: None,
                crls: Crls::default(),
                planned: None,
                certificates,
            },
            map: self.map.filter(|_| !self.restores),
            account,
        })
    }

    /// The first certificate that cannot be signed as it was, if there is one.
    fn check(&self) -> Result<(), PkiError> {
        for (place, bytes) in self.original.certificates.iter().enumerate() {
            let Some(signed) = Signed::certificate(bytes) else { continue };
            if let Some(key) = self.relations.beyond(&signed, &self.certificates) {
                let certificate = format!("certificate {} of {}", place + 1, self.original.name);
                return Err(PkiError::KeyBeyondClone { certificate, key });
            }
        }
        Ok(())
    }

    /// The clone of one structure.
    fn other(&self, bytes: &[u8], is_list: bool) -> Vec<u8> {
        let read = Signed::read(bytes, is_list);
        let mut scrubber = self.map.as_ref().map(Scrubber::new);
        let Some(original) = read else {
            let noise = |count| self.relations.noise(bytes, count);
            let garbled = garble::entry(bytes, &noise, scrubber.as_mut());
            return self.relations.exchanged(&garbled);
        };
        let mut clone = original.clone();
        if let Some(scrubber) = &mut scrubber {
            scrubber.signed(&mut clone);
        }
        self.exchange_identifiers(&mut clone);
        if let (Some(new), Some(info)) = (self.relations.new_key(&original), clone.key_mut())
            && let Some(bits) = info.at_mut(&[1])
        {
            bits.set_content(new.bits());
        }
        let body = clone.body().to_bytes();
        let signature = self.relations.sign(&original, &body).unwrap_or_else(|| {
            let signature = original.signature();
            let octets = signature.get(1..).unwrap_or_default().len();
            [vec![0], self.relations.noise(bytes, octets)].concat()
        });
        clone.set_signature(signature);
        clone.to_bytes()
    }

    fn exchange_identifiers(&self, clone: &mut Signed) {
        let mut extensions: Vec<&mut Element> = clone.extensions_mut().iter_mut().collect();
        for extension in &mut extensions {
            self.exchange_in_value(extension);
        }
        if clone.kind() == Kind::RevocationList {
            for extension in clone.entry_extensions_mut() {
                self.exchange_in_value(extension);
            }
        }
        let behind = self.relations.exchanged(clone.behind());
        // Behind a certificate may stand another one.
        let noise = |count| self.relations.noise(&behind, count);
        clone.set_behind(garble::entry(&behind, &noise, None));
    }

    fn exchange_in_value(&self, extension: &mut Element) {
        if let Some(value) = extension.children_mut().and_then(|parts| parts.last_mut()) {
            let exchanged = self.relations.exchanged(&value.content());
            if exchanged != value.content() {
                value.set_content(exchanged);
            }
        }
    }

    /// AD CS puts the fingerprint of a CA's previous certificate into its next one
    /// (szOID_CERTSRV_PREVIOUS_CERT_HASH), so that clones are made until none changes.
    fn follow_fingerprints(&mut self) {
        let originals: Vec<Vec<u8>> = self.certificates.iter().map(Signed::to_bytes).collect();
        let named = |bytes: &[u8]| {
            let digest = Hash::Sha1.digest(bytes);
            self.certificates.iter().any(|it| {
                it.extension(PREVIOUS_CERTIFICATE).is_some_and(|value| value.ends_with(&digest))
            })
        };
        let mut named: Vec<&Vec<u8>> = originals.iter().filter(|bytes| named(bytes)).collect();
        // The oldest one names none, so each round settles one at least.
        named.reverse();
        for _ in 0..named.len() {
            for bytes in &named {
                let clone = self.other(bytes, false);
                self.relations.settle(Hash::Sha1.digest(bytes), Hash::Sha1.digest(&clone));
            }
        }
    }
}

/// szOID_CERTSRV_PREVIOUS_CERT_HASH.
const PREVIOUS_CERTIFICATE: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 21, 2];

/// What the inventions are drawn from: of the seed, and of everything that is in the input, so
/// that whoever does not have the original cannot try names.
fn secret(seed: &Seed, structures: &BTreeSet<(&[u8], bool)>) -> String {
    let input: Vec<u8> = structures.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
    let digest = relations::hex_lower(&Hash::Sha256.digest(&input));
    seed.uuid(&format!("scrubbing of {digest}")).to_string() + &digest[..32]
}

/// The map with an invention for everything of the input.
fn collected(
    map: ScrubMap,
    structures: &BTreeSet<(&[u8], bool)>,
    relations: &Relations,
) -> ScrubMap {
    let mut collector = Scrubber::new(&map);
    let mut signed = Vec::new();
    for &(bytes, is_list) in structures {
        match Signed::read(bytes, is_list) {
            Some(read) => {
                collector.signed(&mut read.clone());
                signed.push(read);
            }
            None => {
                let noise = |count| relations.noise(bytes, count);
                garble::entry(bytes, &noise, Some(&mut collector));
            }
        }
    }
    for id in relations.free_identifiers(&signed.iter().collect::<Vec<_>>()) {
        collector.identifier(&id);
    }
    collector.learned()
}

/// A key for a leaf that has none; no certificate of any clone is of this key.
fn no_key() -> Result<PrivateKey, PkiError> {
    let owner = KeyOwner::Named("a clone without a key".to_owned());
    let key = SigningKey::choose(&Seed::new(0), &KeyChoice::new(owner))?;
    Ok(key.to_private_key())
}
