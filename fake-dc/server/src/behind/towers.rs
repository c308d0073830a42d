//! Where RPC services are, in the answers of the endpoint mapper (DCE 1.1: Remote Procedure Call, C706, appendix L).
//!
//! An answer is a DCE/RPC PDU, neither signed nor sealed. A service over TCP is in it as a tower,
//! whose last floors are the port and the address.

use std::net::Ipv4Addr;

/// Bytes of the header that all PDUs of DCE/RPC have (C706, 12.6.3.1).
const HEADER_BYTES: usize = 16;

/// The size of the PDU at the front of `bytes`, if it is there in whole. Bytes that are none are
/// whole as they are.
pub(super) fn whole_pdu(bytes: &[u8]) -> Option<usize> {
    /// Of the first byte of the data representation: integers are little-endian.
    const LITTLE_ENDIAN: u8 = 0x10;
    let [version, _, _, _, representation, _, _, _, a, b, ..] = *bytes else { return None };
    if version != 5 {
        return Some(bytes.len());
    }
    let is_little = representation & LITTLE_ENDIAN != 0;
    let size = if is_little { u16::from_le_bytes([a, b]) } else { u16::from_be_bytes([a, b]) };
    let size = usize::from(size).max(HEADER_BYTES);
    (bytes.len() >= size).then_some(size)
}

/// Puts `here` and the port that `stand_in` gives into each tower over TCP. A tower stays as it is
/// if there is no stand-in for its port.
pub(super) fn translate(
    pdu: &mut [u8],
    here: Ipv4Addr,
    mut stand_in: impl FnMut(u16) -> Option<u16>,
) {
    let mut at = 0;
    while let Some(tower) = pdu.get_mut(at..at + FLOORS) {
        if tower.starts_with(&TCP_FLOOR) && tower[PORT + 2..].starts_with(&IP_FLOOR) {
            let port = u16::from_be_bytes([tower[PORT], tower[PORT + 1]]);
            // A service that is not running has port 0.
            if let Some(number) = (port != 0).then(|| stand_in(port)).flatten() {
                tower[PORT..PORT + 2].copy_from_slice(&number.to_be_bytes());
                tower[ADDRESS..].copy_from_slice(&here.octets());
            }
            at += FLOORS;
        } else {
            at += 1;
        }
    }
}

/// The floor of TCP up to the port: a left side of one byte, the protocol 7, and a right side of
/// two bytes. Sizes are little-endian, the port is not.
const TCP_FLOOR: [u8; 5] = [1, 0, 0x07, 2, 0];
/// The floor of IP up to the address: the protocol 9, and a right side of four bytes.
const IP_FLOOR: [u8; 5] = [1, 0, 0x09, 4, 0];
const PORT: usize = TCP_FLOOR.len();
const ADDRESS: usize = PORT + 2 + IP_FLOOR.len();
const FLOORS: usize = ADDRESS + 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(whole_pdu(&bytes).is_none_or(|size| 0 < size && size <= bytes.len()));
            let mut pdu = [tower(49_152), bytes, tower(1)].concat();
            let size = pdu.len();
            translate(&mut pdu, HERE, Some);
            prop_assert_eq!(pdu.len(), size);
        }
    }

    const HERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);

    /// The last floors of a tower for `port` at 192.0.2.10.
    fn tower(port: u16) -> Vec<u8> {
        [&TCP_FLOOR[..], &port.to_be_bytes(), &IP_FLOOR, &[192, 0, 2, 10]].concat()
    }

    fn pdu(stub: &[u8]) -> Vec<u8> {
        let size = u16::try_from(HEADER_BYTES + stub.len()).unwrap().to_le_bytes();
        let header = [5, 0, 2, 3, 0x10, 0, 0, 0, size[0], size[1], 0, 0, 1, 0, 0, 0];
        [&header, stub].concat()
    }

    #[test]
    fn the_front_stands_in_every_tower_that_it_has_a_port_for() {
        let stub = [&b"first"[..], &tower(49_152), b"second", &tower(0), &tower(49_153)].concat();
        let mut bytes = pdu(&stub);
        assert_eq!(whole_pdu(&bytes), Some(bytes.len()));
        let mut asked = Vec::new();
        translate(&mut bytes, HERE, |port| {
            asked.push(port);
            (port == 49_152).then_some(50_000)
        });
        assert_eq!(asked, [49_152, 49_153]);
        let mut first = tower(50_000);
        first.splice(ADDRESS.., HERE.octets());
        let stub = [&b"first"[..], &first, b"second", &tower(0), &tower(49_153)].concat();
        assert_eq!(bytes, pdu(&stub));
    }

    #[test]
    fn a_pdu_is_awaited_to_its_end() {
        let bytes = pdu(&tower(49_152));
        (0..bytes.len()).for_each(|size| assert_eq!(whole_pdu(&bytes[..size]), None));
        assert_eq!(whole_pdu(&[bytes.as_slice(), &[5]].concat()), Some(bytes.len()));
        assert_eq!(whole_pdu(b"HTTP/1.1 400 Bad Request"), Some(24));
    }
}
