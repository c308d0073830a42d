//! The encryption types aes256-cts-hmac-sha1-96 and aes128-cts-hmac-sha1-96 (RFC 3961, RFC 3962),
//! and rc4-hmac (RFC 4757).

mod cts;
mod fold;
mod rc4_hmac;

use std::fmt;

use ground::{Secret, Stream};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::Rng as _;
use sha1::Sha1;

use self::{cts::Cipher, fold::fold};
use crate::error::Error;

/// The number of an encryption type, known or not (IANA "Kerberos Encryption Type Numbers").
pub type EtypeNumber = i32;

/// An encryption type of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Etype {
    /// aes128-cts-hmac-sha1-96.
    Aes128,
    /// aes256-cts-hmac-sha1-96.
    Aes256,
    /// rc4-hmac, whose key is the NT hash of the password.
    Rc4,
}

impl Etype {
    /// All, the strongest first: the order in which a DC chooses ([MS-KILE] 3.3.5.7).
    pub const ALL: [Self; 3] = [Self::Aes256, Self::Aes128, Self::Rc4];

    /// Those of RFC 3962, the strongest first.
    pub const AES: [Self; 2] = [Self::Aes256, Self::Aes128];

    /// The type of that number.
    pub const fn from_number(number: EtypeNumber) -> Option<Self> {
        match number {
            17 => Some(Self::Aes128),
            18 => Some(Self::Aes256),
            23 => Some(Self::Rc4),
            _ => None,
        }
    }

    /// Its number.
    pub const fn number(self) -> EtypeNumber {
        match self {
            Self::Aes128 => 17,
            Self::Aes256 => 18,
            Self::Rc4 => 23,
        }
    }

    /// The number of its keyed checksum: hmac-sha1-96-aes128, hmac-sha1-96-aes256 or hmac-md5.
    pub const fn checksum_number(self) -> i32 {
        match self {
            Self::Aes128 => 15,
            Self::Aes256 => 16,
            Self::Rc4 => -138,
        }
    }

    /// How long its keyed checksum is.
    pub(crate) const fn checksum_bytes(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes256 => CHECKSUM_BYTES,
            Self::Rc4 => rc4_hmac::CHECKSUM_BYTES,
        }
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 | Self::Rc4 => 16,
            Self::Aes256 => 32,
        }
    }
}

/// What a key is used for, so that no message can stand for another (RFC 4120, section 7.5.1;
/// RFC 4121, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage(pub(crate) u32);

impl Usage {
    pub(crate) const TIMESTAMP: Self = Self(1);
    pub(crate) const TICKET: Self = Self(2);
    pub(crate) const AS_REP: Self = Self(3);
    pub(crate) const TGS_REQ_CHECKSUM: Self = Self(6);
    pub(crate) const TGS_REQ_AUTHENTICATOR: Self = Self(7);
    pub(crate) const TGS_REP: Self = Self(8);
    pub(crate) const TGS_REP_SUBKEY: Self = Self(9);
    pub(crate) const AP_REQ_AUTHENTICATOR: Self = Self(11);
    pub(crate) const AP_REP: Self = Self(12);
    pub(crate) const KRB_PRIV: Self = Self(13);
    /// Of a PAC's signatures ([MS-PAC] 2.8.2).
    pub(crate) const PAC: Self = Self(17);
    pub(crate) const AS_REQ_CHECKSUM: Self = Self(56);
    pub(crate) const ACCEPTOR_SEAL: Self = Self(22);
    pub(crate) const ACCEPTOR_SIGN: Self = Self(23);
    pub(crate) const INITIATOR_SEAL: Self = Self(24);
    pub(crate) const INITIATOR_SIGN: Self = Self(25);

    fn constant(self, purpose: u8) -> [u8; 5] {
        let [a, b, c, d] = self.0.to_be_bytes();
        [a, b, c, d, purpose]
    }
}

/// Bytes of a checksum of AES, in a message or on its own.
pub(crate) const CHECKSUM_BYTES: usize = 12;

/// Iterations of a key from a password when nobody asks for another number (RFC 3962, section 4).
pub const DEFAULT_ROUNDS: u32 = 4_096;

/// A key and its encryption type. `Debug` hides the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    etype: Etype,
    bytes: Vec<u8>,
}

impl Key {
    /// The key with these bytes; `None` if their number is not that of the type.
    pub fn new(etype: Etype, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == etype.key_bytes()).then(|| Self { etype, bytes: bytes.to_vec() })
    }

    /// The key of a password (string-to-key, RFC 3962, section 4; RFC 4757, section 2, which has
    /// neither salt nor rounds).
    ///
    /// ```
    /// use fake_dc_kerberos::{DEFAULT_ROUNDS, Etype, Key};
    /// use ground::Secret;
    ///
    /// let alice = Secret::new("Passw0rd!Lab1");
    /// let key = Key::from_password(Etype::Aes256, &alice, "CORP.EXAMPLEalice", DEFAULT_ROUNDS);
    /// assert_eq!(format!("{key:?}"), "Key(Aes256, ***)");
    /// ```
    pub fn from_password(etype: Etype, password: &Secret, salt: &str, rounds: u32) -> Self {
        if etype == Etype::Rc4 {
            return Self { etype, bytes: rc4_hmac::nt_hash(password.expose()) };
        }
        let mut bytes = vec![0; etype.key_bytes()];
        let password = password.expose().as_bytes();
        pbkdf2::pbkdf2_hmac::<Sha1>(password, salt.as_bytes(), rounds, &mut bytes);
        Self { etype, bytes }.derive(b"kerberos")
    }

    /// A key drawn at random.
    pub fn random(etype: Etype, random: &mut Stream) -> Self {
        let mut bytes = vec![0; etype.key_bytes()];
        random.fill_bytes(&mut bytes);
        Self { etype, bytes }
    }

    /// Its encryption type.
    pub const fn etype(&self) -> Etype {
        self.etype
    }

    /// The key itself, for the one place that must write it.
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn encrypt(&self, usage: Usage, plain: &[u8], random: &mut Stream) -> Vec<u8> {
        if self.etype == Etype::Rc4 {
            return rc4_hmac::encrypt(&self.bytes, usage, plain, random);
        }
        let mut data = vec![0; CONFOUNDER_BYTES];
        random.fill_bytes(&mut data);
        data.extend_from_slice(plain);
        let checksum = self.hmac(usage.constant(0x55), &[&data]);
        self.derive(&usage.constant(0xaa)).cipher().encrypt(&mut data);
        data.extend_from_slice(&checksum);
        data
    }

    /// The plain text of `protected`, which errors call `what`.
    pub(crate) fn decrypt(
        &self,
        usage: Usage,
        protected: &[u8],
        what: &'static str,
    ) -> Result<Vec<u8>, Error> {
        if self.etype == Etype::Rc4 {
            return rc4_hmac::decrypt(&self.bytes, usage, protected, what);
        }
        let data_bytes = protected.len().saturating_sub(CHECKSUM_BYTES);
        if data_bytes < CONFOUNDER_BYTES {
            let missing = CONFOUNDER_BYTES + CHECKSUM_BYTES - protected.len();
            return Err(Error::Truncated { what, missing });
        }
        let (data, checksum) = protected.split_at(data_bytes);
        let mut data = data.to_vec();
        self.derive(&usage.constant(0xaa)).cipher().decrypt(&mut data);
        if !same(&self.hmac(usage.constant(0x55), &[&data]), checksum) {
            return Err(Error::Integrity { what });
        }
        data.drain(..CONFOUNDER_BYTES);
        Ok(data)
    }

    pub(crate) fn checksum(&self, usage: Usage, parts: &[&[u8]]) -> Vec<u8> {
        match self.etype {
            Etype::Rc4 => rc4_hmac::checksum(&self.bytes, usage, parts),
            Etype::Aes128 | Etype::Aes256 => self.hmac(usage.constant(0x99), parts).to_vec(),
        }
    }

    pub(crate) fn verify(&self, usage: Usage, parts: &[&[u8]], checksum: &[u8]) -> bool {
        same(&self.checksum(usage, parts), checksum)
    }

    fn hmac(&self, constant: [u8; 5], parts: &[&[u8]]) -> [u8; CHECKSUM_BYTES] {
        let key = self.derive(&constant);
        let mut mac = Hmac::<Sha1>::new_from_slice(&key.bytes).expect("HMAC takes any key length");
        for part in parts {
            mac.update(part);
        }
        let full = mac.finalize().into_bytes();
        std::array::from_fn(|index| full[index])
    }

    /// DK of RFC 3961, section 5.1. Random-to-key is the identity for AES.
    fn derive(&self, constant: &[u8]) -> Self {
        let cipher = self.cipher();
        let mut block: [u8; cts::BLOCK] = fold(constant);
        let mut bytes = Vec::with_capacity(self.bytes.len());
        while bytes.len() < self.bytes.len() {
            cipher.encrypt_block(&mut block);
            bytes.extend_from_slice(&block);
        }
        Self { etype: self.etype, bytes }
    }

    fn cipher(&self) -> Cipher {
        Cipher::new(&self.bytes)
    }
}

const CONFOUNDER_BYTES: usize = 16;

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, ***)", self.etype)
    }
}

/// Compares without telling by its duration where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use ground::Seed;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 3962, appendix B.
    #[test]
    fn rfc3962_string_to_key() {
        let long = "X".repeat(64);
        let longer = "X".repeat(65);
        let cases = [
            (
                "password",
                "ATHENA.MIT.EDUraeburn",
                1,
                "42263c6e89f4fc28b8df68ee09799f15",
                "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161",
            ),
            (
                "password",
                "ATHENA.MIT.EDUraeburn",
                2,
                "c651bf29e2300ac27fa469d693bdda13",
                "a2e16d16b36069c135d5e9d2e25f896102685618b95914b467c67622225824ff",
            ),
            (
                "password",
                "ATHENA.MIT.EDUraeburn",
                1200,
                "4c01cd46d632d01e6dbe230a01ed642a",
                "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a",
            ),
            (
                &long,
                "pass phrase equals block size",
                1200,
                "59d1bb789a828b1aa54ef9c2883f69ed",
                "89adee3608db8bc71f1bfbfe459486b05618b70cbae22092534e56c553ba4b34",
            ),
            (
                &longer,
                "pass phrase exceeds block size",
                1200,
                "cb8005dc5f90179a7f02104c0018751d",
                "d78c5c9cb872a8c9dad4697f0bb5b2d21496c82beb2caeda2112fceea057401b",
            ),
            (
                "\u{1d11e}",
                "EXAMPLE.COMpianist",
                50,
                "f149c1f2e154a73452d43e7fe62a56e5",
                "4b6d9839f84406df1f09cc166db4b83c571848b784a3d6bdc346589a3e393f9e",
            ),
        ];
        for (password, salt, rounds, aes128, aes256) in cases {
            let password = Secret::new(password);
            let key = |etype| hex(Key::from_password(etype, &password, salt, rounds).expose());
            assert_eq!(key(Etype::Aes128), aes128, "{salt} {rounds}");
            assert_eq!(key(Etype::Aes256), aes256, "{salt} {rounds}");
        }
    }

    #[test]
    fn what_is_encrypted_decrypts_and_nothing_else_does() {
        let mut random = Seed::new(1).stream("keys");
        for (etype, longer) in [(Etype::Aes256, 28), (Etype::Aes128, 28), (Etype::Rc4, 24)] {
            let key = Key::random(etype, &mut random);
            let other = Key::random(etype, &mut random);
            for length in [0, 1, 15, 16, 17, 31, 32, 33, 500] {
                let plain: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
                let mut protected = key.encrypt(Usage(7), &plain, &mut random);
                assert_eq!(protected.len(), plain.len() + longer);
                assert_eq!(key.decrypt(Usage(7), &protected, "test"), Ok(plain));
                let refused = Err(Error::Integrity { what: "test" });
                assert_eq!(key.decrypt(Usage(8), &protected, "test"), refused);
                assert_eq!(other.decrypt(Usage(7), &protected, "test"), refused);
                protected[3] ^= 1;
                assert_eq!(key.decrypt(Usage(7), &protected, "test"), refused);
            }
        }
        let key = Key::random(Etype::Aes256, &mut random);
        let missing = Err(Error::Truncated { what: "test", missing: 1 });
        assert_eq!(key.decrypt(Usage(7), &[0; 27], "test"), missing);
    }
}
