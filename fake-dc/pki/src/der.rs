//! DER elements, for the few values that rcgen does not write.

pub(crate) fn octet_string(content: &[u8]) -> Vec<u8> {
    element(0x04, content)
}

pub(crate) fn object_identifier(encoded: &[u8]) -> Vec<u8> {
    element(0x06, encoded)
}

pub(crate) fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &elements.concat())
}

/// A small number that is not negative.
pub(crate) fn integer(value: u8) -> Vec<u8> {
    if value < 0x80 { element(0x02, &[value]) } else { element(0x02, &[0, value]) }
}

/// A primitive element of a context-specific tag below 31.
pub(crate) fn context(number: u8, content: &[u8]) -> Vec<u8> {
    element(0x80 | number, content)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let mut element = vec![tag];
    match content.len() {
        short @ 0..0x80 => element.push(short as u8),
        _ => {
            let zeros = length.iter().take_while(|&&octet| octet == 0).count();
            element.push(0x80 | (length.len() - zeros) as u8);
            element.extend_from_slice(&length[zeros..]);
        }
    }
    element.extend_from_slice(content);
    element
}

/// Whether the bytes are one SEQUENCE from first to last.
pub(crate) fn is_whole_sequence(bytes: &[u8]) -> bool {
    let [0x30, length, rest @ ..] = bytes else { return false };
    if *length < 0x80 {
        return rest.len() == usize::from(*length);
    }
    if !(0x81..=0x84).contains(length) {
        return false;
    }
    let octets = usize::from(length & 0x7f);
    let Some((length, content)) = rest.split_at_checked(octets) else { return false };
    content.len() == length.iter().fold(0, |length, &octet| length << 8 | usize::from(octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_short_as_they_can_be() {
        for (length, head) in [
            (0, vec![0x04, 0x00]),
            (0x7f, vec![0x04, 0x7f]),
            (0x80, vec![0x04, 0x81, 0x80]),
            (0x100, vec![0x04, 0x82, 0x01, 0x00]),
        ] {
            assert_eq!(octet_string(&vec![0; length])[..head.len()], head);
        }
    }

    #[test]
    fn a_whole_sequence_has_nothing_missing_and_nothing_behind() {
        let whole = sequence(&[octet_string(&[0; 300])]);
        assert!(is_whole_sequence(&whole));
        assert!(!is_whole_sequence(&whole[..whole.len() - 1]));
        assert!(!is_whole_sequence(&[whole, vec![0]].concat()));
        assert!(!is_whole_sequence(b"0"));
        assert!(!is_whole_sequence(&[0x30, 0x80, 0, 0]));
    }
}
