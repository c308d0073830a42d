//! Addresses: each is exchanged for another of its own range, and constraints still cover what
//! they covered.
//!
//! The exchange keeps prefixes (J. Xu and others, "Prefix-Preserving IP Address Anonymization",
//! ICNP 2002): two addresses that share their first n bits still do. No bit is changed on the way
//! into a range that anybody uses, so a private address stays in its private range; the last bit
//! always is, so no address stays itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ground::Seed;
use rand::Rng as _;

/// Ranges that are the same everywhere: what lies in one stays in it. Address and prefix length.
const RANGES_V4: [([u8; 4], u32); 9] = [
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 2, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
];

/// As [`RANGES_V4`]: loopback, unique local, link local, documentation.
const RANGES_V6: [(u128, u32); 4] =
    [(1, 128), (0xfc00 << 112, 7), (0xfe80 << 112, 10), (0x2001_0db8 << 96, 32)];

/// The other address. Loopback is the same on every machine and stays.
pub(super) fn exchange(secret: &Seed, address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_loopback() => address.into(),
        IpAddr::V4(address) => {
            let ranges = RANGES_V4
                .map(|(range, length)| (u128::from(u32::from(Ipv4Addr::from(range))), length));
            let exchanged = flip(secret, u128::from(u32::from(address)), 32, &ranges);
            IpAddr::V4(Ipv4Addr::from(exchanged as u32))
        }
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from(flip(secret, u128::from(address), 128, &RANGES_V6)))
        }
    }
}

/// Address and mask of a constraint (RFC 5280, section 4.2.1.10) with another network: the mask
/// stays, and so do the bits that it does not look at.
pub(super) fn covering(exchanged: &[u8], network: &[u8], mask: &[u8]) -> Vec<u8> {
    let octets = exchanged.iter().zip(network).zip(mask);
    let network = octets.map(|((new, old), mask)| new & mask | old & !mask);
    network.chain(mask.iter().copied()).collect()
}

pub(super) fn from_octets(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        _ => None,
    }
}

pub(super) fn octets_of(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn flip(secret: &Seed, address: u128, width: u32, ranges: &[(u128, u32)]) -> u128 {
    (0..width).fold(0, |flipped, depth| {
        let place = width - 1 - depth;
        // The bits in front of this one, and whether they lead to a range that is kept.
        let prefix = address.checked_shr(place + 1).unwrap_or(0);
        let leads = ranges.iter().any(|&(range, length)| {
            depth < length && range.checked_shr(place + 1).unwrap_or(0) == prefix
        });
        let flips = match place {
            _ if leads => false,
            0 => true,
            _ => secret.stream(&format!("bit {depth}/{width} {prefix:x}")).next_u32() & 1 == 1,
        };
        flipped | (address >> place & 1 ^ u128::from(flips)) << place
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(address: &str) -> String {
        exchange(&Seed::new(7), address.parse().unwrap()).to_string()
    }

    #[test]
    fn an_address_stays_in_its_range_and_is_another() {
        for (address, range) in [
            ("10.20.30.40", "10."),
            ("172.31.0.1", "172."),
            ("192.168.7.1", "192.168."),
            ("192.0.2.10", "192.0.2."),
            ("2001:db8::10", "2001:db8:"),
            ("fe80::1", "fe"),
        ] {
            assert!(text(address).starts_with(range), "{address} became {}", text(address));
            assert_ne!(text(address), address);
        }
        assert_eq!(text("127.0.0.1"), "127.0.0.1");
        assert_eq!(text("::1"), "::1");
    }

    #[test]
    fn a_whole_private_range_stays_itself() {
        for range in [[10, 0, 0, 0, 255, 0, 0, 0], [0; 8]] {
            assert_eq!(exchange_range(&Seed::new(7), &range), range);
        }
    }

    fn exchange_range(secret: &Seed, range: &[u8]) -> Vec<u8> {
        let (network, mask) = range.split_at(range.len() / 2);
        covering(&octets_of(exchange(secret, from_octets(network).unwrap())), network, mask)
    }

    proptest! {
        #[test]
        fn ranges_cover_what_they_covered(
            address: u32, other: u32, length in 0_u32..=32, seed: u64
        ) {
            let secret = Seed::new(seed);
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            let octets = |number: u32| number.to_be_bytes();
            let range = [octets(address & mask), octets(mask)].concat();
            let exchanged = exchange_range(&secret, &range);
            let network = u32::from_be_bytes(exchanged[..4].try_into().unwrap());
            for host in [address, other] {
                let IpAddr::V4(new) = exchange(&secret, Ipv4Addr::from(host).into()) else {
                    panic!("another family")
                };
                let covered = u32::from(new) & mask == network;
                prop_assert_eq!(covered, host & mask == address & mask);
            }
        }
    }
}
