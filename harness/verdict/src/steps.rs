//! What a judgement costs at most, counted in steps.
//!
//! A step is one DER element read, one pair of certificates compared as child and issuer, or one
//! signature checked. Steps are counted in tests only; the bounds hold for any bytes.

/// A kind of work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// One DER element was read.
    Element,
    /// Two certificates were compared as child and issuer.
    Issuer,
    /// A signature was checked.
    Signature,
}

/// Counts a step.
#[inline]
pub(crate) fn count(_step: Step) {
    #[cfg(test)]
    tests::COUNTS.with(|counts| counts.borrow_mut()[_step as usize] += 1);
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use ground::Timestamp;

    use super::Step;
    use crate::{
        Client, ClientConfig, PeerName, PemFile, Presented, SAMBA_PRIORITY, TlsVersion, TrustFiles,
        VerifyPeer, judge::DEPTH_MAX,
    };

    thread_local! {
        pub(super) static COUNTS: RefCell<[usize; 3]> = const { RefCell::new([0; 3]) };
    }

    /// Judgements that one call makes at most: its own, and one for each certificate that is at
    /// fault and might be left out.
    const JUDGEMENTS: usize = 2 + DEPTH_MAX;
    /// Times an element is read in one judgement: once by structure, and again where names,
    /// algorithms and keys are looked into.
    const READS: usize = 40;

    /// Runs `work` and returns how many elements, issuers and signatures it took.
    fn steps(work: impl FnOnce()) -> [usize; 3] {
        COUNTS.with(|counts| *counts.borrow_mut() = [0; 3]);
        work();
        COUNTS.with(|counts| *counts.borrow())
    }

    /// The bounds, for `sent` certificates and `trusted` anchors with `octets` in all.
    fn assert_bounded(counted: [usize; 3], sent: usize, trusted: usize, octets: usize) {
        // Where too many are sent, twice as many are ordered as are judged.
        let judged = sent.min(2 * DEPTH_MAX);
        let limit = |step: Step| match step {
            // An element has two octets at least.
            Step::Element => JUDGEMENTS * READS * (octets / 2 + 1),
            // Ordering takes 2n rounds of n² pairs; each round and each attempt asks the anchors.
            Step::Issuer => {
                let ordering = 2 * judged * (judged * judged + trusted);
                JUDGEMENTS * (ordering + 4 * (sent + 1) * (sent + trusted + 1))
            }
            // Two attempts: the path, and where one signature is wrong whoever might have made it.
            Step::Signature => JUDGEMENTS * 2 * (2 * judged + 2 * trusted + sent),
        };
        for step in [Step::Element, Step::Issuer, Step::Signature] {
            let (found, limit) = (counted[step as usize], limit(step));
            assert!(found <= limit, "{step:?}: {found} steps, at most {limit}");
        }
    }

    fn judge(sent: Vec<Vec<u8>>, cafile: &str) {
        let config = ClientConfig {
            mode: VerifyPeer::CaAndName,
            trust: TrustFiles {
                cafile: Some(PemFile::new("cafile", cafile)),
                ..TrustFiles::default()
            },
            priority: SAMBA_PRIORITY.to_owned(),
        };
        let (peer, at) = (PeerName::new("dc1"), Timestamp::from_unix(1_787_277_623));
        let presented = Presented { certificates: sent, tls: TlsVersion::Tls13 };
        if let Ok(client) = Client::new(config) {
            client.judge(&peer, &presented, at);
        }
    }

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x82], &length[..], &content].concat()
    }

    /// A certificate by names alone; its signature holds for nobody.
    fn certificate(subject: u8, issuer: u8, serial: u8) -> Vec<u8> {
        let ed25519 = der(0x30, &[&[6, 3, 0x2b, 0x65, 0x70]]);
        let name = |letter: u8| {
            let attribute = der(0x30, &[&[6, 3, 0x55, 4, 3], &der(12, &[&[letter]])]);
            der(0x30, &[&der(0x31, &[&attribute])])
        };
        let time = |text: &str| der(0x17, &[text.as_bytes()]);
        let validity = der(0x30, &[&time("240101000000Z"), &time("490101000000Z")]);
        let key = der(0x30, &[&ed25519, &der(3, &[&[0], &[subject; 32]])]);
        let body = der(
            0x30,
            &[&der(2, &[&[serial]]), &ed25519, &name(issuer), &validity, &name(subject), &key],
        );
        der(0x30, &[&body, &ed25519, &der(3, &[&[0], &[7; 64]])])
    }

    fn bundle(anchors: &[Vec<u8>]) -> String {
        anchors.iter().map(|der| pem(der)).collect()
    }

    fn pem(der: &[u8]) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in der.chunks(3) {
            let word = chunk.iter().fold(0_u32, |word, &octet| word << 8 | u32::from(octet));
            let word = word << (8 * (3 - chunk.len()));
            for place in 0..4 {
                let digit = DIGITS[(word >> (18 - 6 * place) & 63) as usize];
                text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
            }
        }
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    fn judge_and_count(sent: Vec<Vec<u8>>, anchors: &[Vec<u8>]) -> [usize; 3] {
        let octets = sent.iter().chain(anchors).map(Vec::len).sum();
        let (count, trusted) = (sent.len(), anchors.len());
        let cafile = bundle(anchors);
        let counted = steps(|| judge(sent, &cafile));
        assert_bounded(counted, count, trusted, octets);
        counted
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Few names, so that circles, twins and repeats are the rule.
        #[test]
        fn tangled_chains_are_judged_in_bounded_steps(
            sent in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..4), 1..24),
            anchors in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..9), 1..12),
        ) {
            let make = |list: Vec<(u8, u8, u8)>| -> Vec<Vec<u8>> {
                list.into_iter().map(|(a, b, c)| certificate(b'A' + a, b'A' + b, c)).collect()
            };
            judge_and_count(make(sent), &make(anchors));
        }

        #[test]
        fn arbitrary_bytes_are_judged_in_bounded_steps(
            sent in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..40),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        ) {
            let mut edited = certificate(b'A', b'B', 1);
            for (place, octet) in edits {
                let place = place.index(edited.len());
                edited[place] = octet;
            }
            let sent = std::iter::once(edited).chain(sent).collect();
            judge_and_count(sent, &[certificate(b'B', b'B', 1)]);
        }
    }

    /// Every certificate is everybody's issuer, and far too many are sent.
    #[test]
    fn too_many_certificates_are_not_ordered() {
        let sent: Vec<_> = (0..=u8::MAX).map(|serial| certificate(b'A', b'B', serial)).collect();
        let counted = judge_and_count(sent, &[certificate(b'C', b'C', 1)]);
        assert_eq!(counted[Step::Signature as usize], 0);
    }

    /// The costliest anchors: all of the right name, none of the right key.
    #[test]
    fn anchors_of_one_name_cost_a_check_each() {
        let anchors: Vec<_> = (0..200).map(|serial| certificate(b'B', b'B', serial)).collect();
        judge_and_count(vec![certificate(b'A', b'B', 1)], &anchors);
    }
}
