//! Entries of a chain that are no certificates.

use fake_dc_pki::clone::Original;
use proptest::prelude::*;
use rustls_pki_types::CertificateDer;

use crate::{der, fixture, options};

/// Whatever stands among the certificates: no panic, no key, the same number of entries.
fn broken_entry() -> impl Strategy<Value = Vec<u8>> {
    let whole = || der(&fixture("oracle/ok-int/chain.pem"))[0].clone();
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        (0_usize..900).prop_map(move |size| whole()[..size].to_vec()),
        (0_usize..900, any::<u8>()).prop_map(move |(place, octet)| {
            let mut bytes = whole();
            bytes[place] ^= octet;
            bytes
        }),
    ]
}

proptest! {
    #[test]
    fn broken_entries_are_cloned_without_their_keys(
        entry in broken_entry(), behind in prop::collection::vec(any::<u8>(), 0..20)
    ) {
        let sound = der(&fixture("oracle/ok-int/chain.pem"));
        let sent: Vec<CertificateDer<'_>> = [sound[0].clone(), sound[1].clone(),
            [entry.clone(), behind].concat()].map(CertificateDer::from).to_vec();
        let original = Original::from_handshake("a DC", &sent);
        for options in [options(), options().scrubbing_names()] {
            let clone = original.clone_with(&options).unwrap();
            prop_assert_eq!(clone.chain().certificates.len(), 3);
            let garbled = &clone.chain().certificates[2];
            // 24 octets of the middle of the modulus, and of the signature.
            for place in [300, 330, 360, 700, 800] {
                let part = &sound[0][place..place + 24];
                prop_assert!(!garbled.windows(24).any(|window| window == part), "octet {place}");
            }
        }
    }
}

#[test]
fn what_is_no_certificate_stays_as_it_is() {
    let sound = der(&fixture("oracle/ok-int/chain.pem"));
    for junk in [&b""[..], b"junk", &[0x30, 0x03, 0x02, 0x01, 0x05], &[0; 40]] {
        let sent = [CertificateDer::from(sound[0].clone()), CertificateDer::from(junk.to_vec())];
        let clone = Original::from_handshake("a DC", &sent).clone_with(&options()).unwrap();
        assert_eq!(clone.chain().certificates[1].as_ref(), junk);
        assert_eq!(clone.account()[1].to_string(), "2: no certificate, kept");
    }
}
