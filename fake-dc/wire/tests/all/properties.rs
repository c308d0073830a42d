//! Round trips of made-up messages, and nothing that arbitrary bytes can break.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use crate::generate::{filter, message};
use ldap_wire::{Decoded, Filter, Limits, decode};
use proptest::{collection::vec, prelude::*};

proptest! {
    #[test]
    fn messages_round_trip(message in message()) {
        let bytes = message.encode();
        let decoded = decode(&bytes, &Limits::default());
        prop_assert_eq!(decoded, Ok(Decoded::Message { message, consumed: bytes.len() }));
    }

    #[test]
    fn every_prefix_is_incomplete(message in message(), cut in any::<prop::sample::Index>()) {
        let bytes = message.encode();
        let cut = cut.index(bytes.len());
        match decode(&bytes[..cut], &Limits::default()) {
            Ok(Decoded::Incomplete { at_least }) => {
                prop_assert!(cut < at_least && at_least <= bytes.len());
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes, &Limits::default());
        let mut framed = vec![0x30, 0x81, u8::try_from(bytes.len()).unwrap()];
        framed.extend(&bytes);
        let _ = decode(&framed, &Limits::default());
    }

    #[test]
    fn damaged_messages_do_not_panic(
        message in message(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = message.encode();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(Decoded::Message { message, .. }) = decode(&bytes, &Limits::default()) {
            // What was read can be written and read again.
            let again = message.encode();
            let consumed = again.len();
            let decoded = decode(&again, &Limits::default());
            prop_assert_eq!(decoded, Ok(Decoded::Message { message, consumed }));
        }
    }

    #[test]
    fn filters_round_trip_as_text(filter in filter()) {
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn arbitrary_text_does_not_panic(text in "\\PC{0,40}", form in "[()&|!=*:<>~\\\\a-z0-9]{0,40}") {
        let _ = Filter::parse(&text);
        if let Err(error) = Filter::parse(&form) {
            prop_assert!(error.position <= form.len());
        }
    }
}
