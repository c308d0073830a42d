//! What a fuzzer's bytes mean, for the fuzz targets and for the test that replays the corpus.
//!
//! An input is a list of records: a kind octet, a length of two octets (big-endian, cut to what is
//! left) and so many octets. Certificates of the trust set are given in DER, for base64 would hide
//! them from the fuzzer; the file they are read from is made here.

#![allow(dead_code, reason = "each user uses a part of it")]

use ground::Timestamp;
use trust_verdict::{
    Client, ClientConfig, PeerName, PemFile, Presented, SAMBA_PRIORITY, TlsVersion, TrustFiles,
    Verdict, VerifyPeer,
};

pub(crate) const ANCHOR: u8 = 0;
pub(crate) const CAFILE: u8 = 1;
pub(crate) const CRL: u8 = 2;
pub(crate) const CRLFILE: u8 = 3;
pub(crate) const MODE: u8 = 4;
pub(crate) const PEER: u8 = 5;
pub(crate) const PRIORITY: u8 = 6;
pub(crate) const SENT: u8 = 7;
const KINDS: u8 = 8;

/// 2026-08-21.
const NOW: i64 = 1_787_277_623;

/// Judges the input and asks the verdict everything it can tell.
pub(crate) fn judge(bytes: &[u8]) {
    let input = Input::parse(bytes);
    for tls in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let verdict = input.judge(tls);
        assert_eq!(verdict.is_accept(), verdict.words(2).stderr.is_empty());
        assert_eq!(verdict.is_accept(), verdict.reasons.is_empty());
        assert!(!verdict.explain().is_empty());
        serde_json::to_string(&verdict).expect("a verdict is data");
    }
}

/// Reads the input as evidence.
pub(crate) fn evidence(bytes: &[u8]) {
    if let Ok(presented) = Presented::from_bytes(bytes, TlsVersion::Tls12) {
        assert!(!presented.certificates.is_empty());
    }
}

/// One record.
pub(crate) fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short record");
    [&[kind][..], &length.to_be_bytes(), content].concat()
}

#[derive(Debug)]
struct Input {
    cafile: Vec<u8>,
    crlfile: Option<Vec<u8>>,
    mode: VerifyPeer,
    peer: String,
    priority: String,
    sent: Vec<Vec<u8>>,
}

impl Input {
    fn parse(mut bytes: &[u8]) -> Self {
        let mut input = Self {
            cafile: Vec::new(),
            crlfile: None,
            mode: VerifyPeer::CaAndName,
            peer: "dc1.ad.example.test".to_owned(),
            priority: SAMBA_PRIORITY.to_owned(),
            sent: Vec::new(),
        };
        while let [kind, high, low, rest @ ..] = bytes {
            let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
            let (content, rest) = rest.split_at(length);
            input.take(kind % KINDS, content);
            bytes = rest;
        }
        input
    }

    fn take(&mut self, kind: u8, content: &[u8]) {
        let text = || String::from_utf8_lossy(content).into_owned();
        match kind {
            ANCHOR => self.cafile.extend(pem("CERTIFICATE", content)),
            CAFILE => self.cafile.extend(content),
            CRL => self.crlfile.get_or_insert_default().extend(pem("X509 CRL", content)),
            CRLFILE => self.crlfile.get_or_insert_default().extend(content),
            MODE => {
                let number = usize::from(content.first().copied().unwrap_or_default());
                self.mode = VerifyPeer::ALL[number % VerifyPeer::ALL.len()];
            }
            PEER => self.peer = text(),
            PRIORITY => self.priority = text(),
            _ => self.sent.push(content.to_vec()),
        }
    }

    fn judge(&self, tls: TlsVersion) -> Verdict {
        let config = ClientConfig {
            mode: self.mode,
            trust: TrustFiles {
                cafile: Some(PemFile::new("cafile", self.cafile.as_slice())),
                crlfile: self.crlfile.as_ref().map(|text| PemFile::new("crlfile", text.as_slice())),
                ..TrustFiles::default()
            },
            priority: self.priority.clone(),
        };
        let (peer, at) = (PeerName::new(self.peer.as_str()), Timestamp::from_unix(NOW));
        match Client::new(config) {
            Ok(client) => {
                let presented = Presented { certificates: self.sent.clone(), tls };
                for comparison in client.compare(&peer, &presented, at) {
                    assert_eq!(comparison.accepts, comparison.objection.is_none());
                }
                client.judge(&peer, &presented, at)
            }
            Err(error) => error.verdict(&peer, at),
        }
    }
}

fn pem(label: &str, bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n").into_bytes();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, &octet| word << 8 | u32::from(octet));
        let word = word << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { digit } else { b'=' });
        }
    }
    text.extend(format!("\n-----END {label}-----\n").bytes());
    text
}
