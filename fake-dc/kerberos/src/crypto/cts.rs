//! AES in CBC mode with ciphertext stealing and a zero initial vector (RFC 3962, section 5).

use aes::{
    Aes128, Aes256,
    cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};

pub(crate) const BLOCK: usize = 16;

/// AES with either length of key.
pub(crate) enum Cipher {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
}

impl Cipher {
    /// `key` has the length of one of the two.
    pub(crate) fn new(key: &[u8]) -> Self {
        match <[u8; 16]>::try_from(key) {
            Ok(key) => Self::Aes128(Box::new(Aes128::new(&key.into()))),
            Err(_) => Self::Aes256(Box::new(
                Aes256::new_from_slice(key).expect("a `Key` has the length of its type"),
            )),
        }
    }

    pub(crate) fn encrypt_block(&self, block: &mut [u8; BLOCK]) {
        match self {
            Self::Aes128(cipher) => cipher.encrypt_block(block.into()),
            Self::Aes256(cipher) => cipher.encrypt_block(block.into()),
        }
    }

    fn decrypt_block(&self, block: &mut [u8; BLOCK]) {
        match self {
            Self::Aes128(cipher) => cipher.decrypt_block(block.into()),
            Self::Aes256(cipher) => cipher.decrypt_block(block.into()),
        }
    }

    /// Encrypts in place. Data shorter than a block stays as it is; a confounder rules that out.
    pub(crate) fn encrypt(&self, data: &mut [u8]) {
        let Some(tail) = tail(data.len()) else { return };
        let mut previous = [0; BLOCK];
        let mut last_but_one = [0; BLOCK];
        for chunk in data.chunks_mut(BLOCK) {
            last_but_one = previous;
            // The last chunk may be short: the rest of its block is zeros.
            previous.iter_mut().zip(&*chunk).for_each(|(block, plain)| *block ^= plain);
            self.encrypt_block(&mut previous);
            chunk.copy_from_slice(&previous[..chunk.len()]);
        }
        if data.len() > BLOCK {
            let (stolen, end) = data[tail..].split_at_mut(BLOCK);
            stolen.copy_from_slice(&previous);
            end.copy_from_slice(&last_but_one[..end.len()]);
        }
    }

    /// Decrypts in place what [`Cipher::encrypt`] made.
    pub(crate) fn decrypt(&self, data: &mut [u8]) {
        let Some(tail) = tail(data.len()) else { return };
        let mut previous = [0; BLOCK];
        let (whole, rest) = data.split_at_mut(tail);
        for chunk in whole.chunks_mut(BLOCK) {
            previous = self.decrypt_chunk(chunk, previous);
        }
        if rest.len() <= BLOCK {
            self.decrypt_chunk(rest, previous);
            return;
        }
        let (stolen, end) = rest.split_at_mut(BLOCK);
        let mut padded = [0; BLOCK];
        padded.copy_from_slice(stolen);
        self.decrypt_block(&mut padded);
        // `padded` is the last plain text, padded with zeros, under the last block but one.
        let mut last_but_one = padded;
        last_but_one[..end.len()].copy_from_slice(end);
        end.iter_mut().zip(padded).for_each(|(byte, mask)| *byte ^= mask);
        stolen.copy_from_slice(&last_but_one);
        self.decrypt_chunk(stolen, previous);
    }

    /// Decrypts one whole block of CBC and returns its cipher text.
    fn decrypt_chunk(&self, chunk: &mut [u8], previous: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut cipher_text = [0; BLOCK];
        cipher_text.copy_from_slice(chunk);
        let mut block = cipher_text;
        self.decrypt_block(&mut block);
        chunk.iter_mut().zip(block.iter().zip(previous)).for_each(|(plain, (block, mask))| {
            *plain = block ^ mask;
        });
        cipher_text
    }
}

/// Where the last two blocks, which trade places, begin: the last may be short.
fn tail(length: usize) -> Option<usize> {
    match length {
        0..BLOCK => None,
        BLOCK => Some(0),
        _ => Some((length.div_ceil(BLOCK) - 2) * BLOCK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let hex: String = hex.split_whitespace().collect();
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    /// RFC 3962, appendix B: the key is "chicken teriyaki".
    #[test]
    fn rfc3962_cts() {
        let plain = b"I would like the General Gau's Chicken, please, and wonton soup.";
        let cases = [
            (17, "c6353568f2bf8cb4d8a580362da7ff7f 97"),
            (31, "fc00783e0efdb2c1d445d4c8eff7ed22 97687268d6ecccc0c07b25e25ecfe5"),
            (32, "39312523a78662d5be7fcbcc98ebf5a8 97687268d6ecccc0c07b25e25ecfe584"),
            (
                47,
                "97687268d6ecccc0c07b25e25ecfe584 b3fffd940c16a18c1b5549d2f838029e
                  39312523a78662d5be7fcbcc98ebf5",
            ),
            (
                48,
                "97687268d6ecccc0c07b25e25ecfe584 9dad8bbb96c4cdc03bc103e1a194bbd8
                  39312523a78662d5be7fcbcc98ebf5a8",
            ),
            (
                64,
                "97687268d6ecccc0c07b25e25ecfe584 39312523a78662d5be7fcbcc98ebf5a8
                  4807efe836ee89a526730dbc2f7bc840 9dad8bbb96c4cdc03bc103e1a194bbd8",
            ),
        ];
        let cipher = Cipher::new(b"chicken teriyaki");
        for (length, expected) in cases {
            let mut data = plain[..length].to_vec();
            cipher.encrypt(&mut data);
            assert_eq!(data, bytes(expected), "{length}");
            cipher.decrypt(&mut data);
            assert_eq!(data, plain[..length]);
        }
    }
}
