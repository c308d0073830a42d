//! Cipher suites of TLS 1.2 that notice whether a record could be decrypted.
//!
//! rustls has one error for such a record and for a Finished message that is wrong. GnuTLS has two,
//! and Samba makes two different NT statuses of them. In TLS 1.3, which xapi does not offer, both count
//! as the former.

use std::{cell::Cell, sync::LazyLock};

use rustls::{
    ConnectionTrafficSecrets, Error, SupportedCipherSuite, Tls12CipherSuite,
    crypto::{
        aws_lc_rs::ALL_CIPHER_SUITES,
        cipher::{
            AeadKey, InboundOpaqueMessage, InboundPlainMessage, KeyBlockShape, MessageDecrypter,
            MessageEncrypter, Tls12AeadAlgorithm, UnsupportedOperationError,
        },
    },
};

thread_local! {
    /// Whether the last record that rustls decrypted on this thread, on which it is called, was sound.
    static SOUND: Cell<bool> = const { Cell::new(false) };
}

/// Begins anew: to be said before rustls is given records.
pub(super) fn begin() {
    SOUND.set(false);
}

/// Whether a record was decrypted since then, and none failed after it.
pub(super) fn is_sound() -> bool {
    SOUND.get()
}

/// The same suite, watched if it is one of TLS 1.2.
pub(super) fn suite(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    // rustls wants suites that live for ever; there are six.
    static WATCHED: LazyLock<Vec<&'static Tls12CipherSuite>> = LazyLock::new(|| {
        let known = ALL_CIPHER_SUITES.iter().filter_map(|suite| match suite {
            SupportedCipherSuite::Tls12(suite) => Some(watch(suite)),
            SupportedCipherSuite::Tls13(_) => None,
        });
        known.collect()
    });
    let watched = WATCHED.iter().find(|known| known.common.suite == suite.suite());
    watched.map_or(suite, |watched| SupportedCipherSuite::Tls12(watched))
}

fn watch(suite: &Tls12CipherSuite) -> &'static Tls12CipherSuite {
    let aead_alg = Box::leak(Box::new(Watched(suite.aead_alg)));
    Box::leak(Box::new(Tls12CipherSuite {
        common: rustls::crypto::CipherSuiteCommon {
            suite: suite.common.suite,
            hash_provider: suite.common.hash_provider,
            confidentiality_limit: suite.common.confidentiality_limit,
        },
        prf_provider: suite.prf_provider,
        kx: suite.kx,
        sign: suite.sign,
        aead_alg,
    }))
}

struct Watched(&'static dyn Tls12AeadAlgorithm);

impl Tls12AeadAlgorithm for Watched {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        self.0.encrypter(key, iv, extra)
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(WatchedDecrypter(self.0.decrypter(key, iv)))
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.0.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv, explicit)
    }
}

struct WatchedDecrypter(Box<dyn MessageDecrypter>);

impl MessageDecrypter for WatchedDecrypter {
    fn decrypt<'a>(
        &mut self,
        message: InboundOpaqueMessage<'a>,
        number: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let decrypted = self.0.decrypt(message, number);
        SOUND.set(decrypted.is_ok());
        decrypted
    }
}
