//! Who signed what, whose key is whose, and which identifiers were made from keys.
//!
//! These relations are what a verdict depends on, so they are found in the original, and the
//! clone is made to have the same.

use std::collections::{BTreeMap, BTreeSet};

use ground::Seed;
use rand::Rng as _;

use crate::{
    algorithm::Hash,
    clone::{
        garble,
        new_key::{self, NewKey},
        public_key::{Algorithm, PublicKey},
        signed::Signed,
    },
    der::Element,
    oid,
};

/// Who made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// A key of the input, but the signature does not hold.
    Broken(usize),
    /// A key that is not in the input: that of an issuer nobody gave.
    Absent(usize),
    /// A key of the input.
    Known(usize),
    /// Nobody can tell: an algorithm or an encoding that is not understood.
    Untold,
}

/// How a structure is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signing {
    pub(super) maker: Maker,
    algorithm: Option<Algorithm>,
}

/// id-Ed448 (RFC 8410) as it stands in DER.
const ED448: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x71];

/// An issuer that nobody gave, as far as its signatures show it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct AbsentIssuer {
    name: Vec<u8>,
    id: Option<Vec<u8>>,
    shape: PublicKey,
}

/// All keys and identifiers, old and new.
pub(super) struct Relations {
    seed: Seed,
    /// Old and new.
    keys: Vec<(PublicKey, NewKey)>,
    /// Places among `keys`.
    numbers: BTreeMap<PublicKey, usize>,
    /// How many keys of each type and size were drawn.
    drawn: BTreeMap<String, usize>,
    /// All keys of the input: none of them may be a new one.
    old: BTreeSet<PublicKey>,
    /// The keys of issuers that nobody gave.
    absent: BTreeMap<AbsentIssuer, usize>,
    /// How each structure of the input is signed.
    signings: BTreeMap<Vec<u8>, Signing>,
    /// Octets that were made from a key, and what the clone has in their place.
    replaced: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Shorter key identifiers are made from no key.
const IDENTIFIER_MIN: usize = 8;

impl Relations {
    pub(super) fn new(seed: &Seed) -> Self {
        Self {
            seed: seed.child("clone"),
            keys: Vec::new(),
            numbers: BTreeMap::new(),
            drawn: BTreeMap::new(),
            old: BTreeSet::new(),
            absent: BTreeMap::new(),
            signings: BTreeMap::new(),
            replaced: Vec::new(),
        }
    }

    /// Gives every key a new one.
    pub(super) fn add_keys(&mut self, certificates: &[Signed]) {
        let infos: Vec<&Element> = certificates.iter().filter_map(Signed::key).collect();
        self.old.extend(infos.iter().map(|info| PublicKey::of(info)));
        for info in infos {
            let key = PublicKey::of(info);
            if self.numbers.contains_key(&key) {
                continue;
            }
            let new_key = self.draw(&key);
            let mut new = info.clone();
            if let Some(bits) = new.at_mut(&[1]) {
                bits.set_content(new_key.bits());
            }
            self.numbers.insert(key.clone(), self.keys.len());
            self.keys.push((key, new_key));
            for (old, new) in new_key::derived(info).into_iter().zip(new_key::derived(&new)) {
                if old.len() > 20 {
                    self.replace(old[..20].to_vec(), new[..20].to_vec());
                }
                self.replace(old, new);
            }
        }
    }

    /// A new key like `old`, and unlike every key of the input: those of our own chains come from
    /// the same pool.
    fn draw(&mut self, old: &PublicKey) -> NewKey {
        let drawn = self.drawn.entry(old.to_string()).or_default();
        loop {
            let new = NewKey::like(old, &self.seed, *drawn);
            *drawn += 1;
            let is_old = |old: &PublicKey| match old {
                // It may be one of ours that goes by the name of another algorithm.
                PublicKey::Unknown { bits, .. } => *bits == new.bits(),
                known => known.bits().is_some_and(|bits| bits == new.bits()),
            };
            if !self.old.iter().any(is_old) {
                return new;
            }
        }
    }

    /// Finds out who signed. All keys must have been added.
    pub(super) fn add_signing(&mut self, signed: &Signed, certificates: &[Signed]) {
        let signing = self.find_signing(signed, certificates);
        self.signings.insert(signed.to_bytes(), signing);
    }

    /// How a structure of the input is signed.
    pub(super) fn signing(&self, signed: &Signed) -> Signing {
        let untold = Signing { maker: Maker::Untold, algorithm: None };
        self.signings.get(&signed.to_bytes()).copied().unwrap_or(untold)
    }

    /// The key that would have to sign and cannot be made anew, if it is so.
    pub(super) fn beyond(&self, signed: &Signed, certificates: &[Signed]) -> Option<String> {
        let key = match self.signing(signed).maker {
            Maker::Absent(_) => return None,
            Maker::Broken(number) | Maker::Known(number) => &self.keys[number],
            Maker::Untold => {
                let algorithm = signed.algorithms()[0].to_bytes();
                let is_ed448 = garble::find(&algorithm, ED448).is_some();
                let issuer = certificates.iter().find(|it| it.subject() == signed.issuer());
                return issuer.filter(|_| is_ed448).map(|_| "Ed448".to_owned());
            }
        };
        (!key.1.signs()).then(|| key.0.to_string())
    }

    fn find_signing(&mut self, signed: &Signed, certificates: &[Signed]) -> Signing {
        let [beside, inside] = signed.algorithms();
        let algorithms = [Algorithm::of(beside), Algorithm::of(inside)];
        let content = signed.signature();
        let Some(signature) = content.strip_prefix(&[0]) else {
            return Signing { maker: Maker::Untold, algorithm: None };
        };
        let message = signed.body().to_bytes();
        let issuer = signed.issuer();
        // Whoever has the issuer's name is asked first.
        let namesakes: Vec<usize> = certificates
            .iter()
            .filter(|certificate| certificate.subject() == issuer)
            .filter_map(|certificate| self.number_of(certificate))
            .collect();
        let all = 0..self.keys.len();
        for algorithm in algorithms.into_iter().flatten() {
            for number in namesakes.iter().copied().chain(all.clone()) {
                if self.keys[number].0.made(signature, algorithm, &message) {
                    return Signing { maker: Maker::Known(number), algorithm: Some(algorithm) };
                }
            }
        }
        let Some(algorithm) = algorithms[0] else {
            return Signing { maker: Maker::Untold, algorithm: None };
        };
        let maker = self.broken(signed, signature, algorithm, certificates).or_else(|| {
            let shape = new_key::maker(algorithm, signature)?;
            Some(Maker::Absent(self.absent(signed, shape, certificates)))
        });
        Signing { maker: maker.unwrap_or(Maker::Untold), algorithm: Some(algorithm) }
    }

    /// The key that should have made a signature, and could have by its size.
    fn broken(
        &self,
        signed: &Signed,
        signature: &[u8],
        algorithm: Algorithm,
        certificates: &[Signed],
    ) -> Option<Maker> {
        let wanted = authority_key_id(signed);
        certificates
            .iter()
            .filter(|certificate| certificate.subject() == signed.issuer())
            .filter(|certificate| match (&wanted, subject_key_id(certificate)) {
                (Some(wanted), Some(found)) => *wanted == found,
                _ => true,
            })
            .filter_map(|certificate| self.number_of(certificate))
            .find(|&number| {
                let key = &self.keys[number].0;
                let size = key.signature_size();
                key.fits(algorithm) && size.is_none_or(|size| size == signature.len())
            })
            .map(Maker::Broken)
    }

    /// The key of an issuer that nobody gave: one for each name and key identifier.
    fn absent(&mut self, signed: &Signed, shape: PublicKey, certificates: &[Signed]) -> usize {
        let id = authority_key_id(signed);
        let issuer = AbsentIssuer { name: signed.issuer(), id: id.clone(), shape: shape.clone() };
        if let Some(number) = self.absent.get(&issuer) {
            return *number;
        }
        let number = self.keys.len();
        let new = self.draw(&shape);
        // An identifier that somebody in the input goes by is that one's.
        let taken = certificates.iter().any(|certificate| subject_key_id(certificate) == id);
        if let Some(id) = id.filter(|id| !taken && id.len() >= IDENTIFIER_MIN) {
            let identifier = new_key::identifier(&new.bits(), id.len());
            self.replace(id, identifier);
        }
        // It has no public key that anything could be found by.
        let bits = number.to_be_bytes().to_vec();
        let name = PublicKey::Unknown { algorithm: b"absent".to_vec(), bits };
        self.keys.push((name, new));
        self.absent.insert(issuer, number);
        number
    }

    /// Looks through the key identifiers for forms of the usual digests that are cut short, and
    /// keeps those that were made from no key.
    pub(super) fn add_identifiers(&mut self, signed: &[&Signed]) {
        let found: Vec<Vec<u8>> = signed
            .iter()
            .flat_map(|signed| [subject_key_id(signed), authority_key_id(signed)])
            .flatten()
            .filter(|id| id.len() >= IDENTIFIER_MIN)
            .collect();
        for id in found {
            let long = self.replaced.iter().find(|(old, _)| old.starts_with(&id));
            let pair = long.map(|(_, new)| (id.clone(), new[..id.len()].to_vec()));
            if let Some((old, new)) = pair {
                for in_case in [hex_lower, hex_upper] {
                    self.replace(in_case(&old).into_bytes(), in_case(&new).into_bytes());
                }
                self.replace(old, new);
            }
        }
    }

    /// Key identifiers that were made from no key of the input.
    pub(super) fn free_identifiers(&self, signed: &[&Signed]) -> Vec<Vec<u8>> {
        signed
            .iter()
            .flat_map(|signed| [subject_key_id(signed), authority_key_id(signed)])
            .flatten()
            .filter(|id| id.len() >= IDENTIFIER_MIN)
            .filter(|id| !self.replaced.iter().any(|(old, _)| old == id))
            .collect()
    }

    /// Has `new` stand where `old` stood, unless something does already.
    pub(super) fn replace(&mut self, old: Vec<u8>, new: Vec<u8>) {
        let known = self.replaced.iter().any(|(known, _)| *known == old);
        if !known && old != new && old.len() >= IDENTIFIER_MIN {
            self.replaced.push((old, new));
        }
    }

    /// As [`Relations::replace`], also where something stands already.
    pub(super) fn settle(&mut self, old: Vec<u8>, new: Vec<u8>) {
        self.replaced.retain(|(known, _)| *known != old);
        self.replace(old, new);
    }

    /// The octets with everything that was made from a key exchanged.
    pub(super) fn exchanged(&self, octets: &[u8]) -> Vec<u8> {
        let mut octets = octets.to_vec();
        for (old, new) in &self.replaced {
            let mut from = 0;
            while let Some(at) = octets.get(from..).and_then(|rest| garble::find(rest, old)) {
                octets[from + at..from + at + old.len()].copy_from_slice(new);
                from += at + old.len();
            }
        }
        octets
    }

    /// The new key of a certificate.
    pub(super) fn new_key(&self, certificate: &Signed) -> Option<&NewKey> {
        Some(&self.keys[self.number_of(certificate)?].1)
    }

    pub(super) fn number_of(&self, certificate: &Signed) -> Option<usize> {
        self.numbers.get(&PublicKey::of(certificate.key()?)).copied()
    }

    /// The content of the BIT STRING of a signature on `body` that stands for that of `original`.
    /// `None` if the new key cannot make it.
    pub(super) fn sign(&self, original: &Signed, body: &[u8]) -> Option<Vec<u8>> {
        let signing = self.signing(original);
        let sign = |number: usize| self.keys[number].1.sign(signing.algorithm?, body);
        let made = match signing.maker {
            Maker::Known(number) | Maker::Absent(number) => sign(number)?,
            Maker::Broken(number) => {
                let mut signature = sign(number)?;
                *signature.last_mut()? ^= 1;
                signature
            }
            Maker::Untold => {
                let content = original.signature();
                let octets = content.get(1..).unwrap_or_default();
                let mut noise = self.noise(&original.to_bytes(), octets.len());
                // Nothing, or zeros, is nobody's signature.
                if octets.iter().all(|&octet| octet == 0) {
                    noise.fill(0);
                }
                return Some([content.get(..1).unwrap_or_default(), &noise].concat());
            }
        };
        Some([&[0], made.as_slice()].concat())
    }

    /// Octets that belong to `original` and tell nothing of it.
    pub(super) fn noise(&self, original: &[u8], count: usize) -> Vec<u8> {
        let digest = Hash::Sha256.digest(original);
        let mut noise = vec![0; count];
        self.seed.stream(&format!("noise for {}", hex_lower(&digest))).fill_bytes(&mut noise);
        noise
    }
}

pub(super) fn subject_key_id(signed: &Signed) -> Option<Vec<u8>> {
    Some(Element::parse(&signed.extension(oid::SUBJECT_KEY_ID)?)?.content())
}

pub(super) fn authority_key_id(signed: &Signed) -> Option<Vec<u8>> {
    let value = Element::parse(&signed.extension(oid::AUTHORITY_KEY_ID)?)?;
    value.children().iter().find(|field| field.tag() == 0x80).map(Element::content)
}

pub(super) fn hex_lower(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn hex_upper(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}
