//! DSA, and ECDSA on the two curves that aws-lc does not have and GnuTLS takes.
//!
//! Plain arithmetic that takes a time that depends on the key: the keys protect nothing.

use std::iter;

use num_bigint::BigUint;

use crate::{algorithm::Hash, clone::public_key::Curve};

/// The parameters that DSA keys share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DsaDomain {
    p: BigUint,
    q: BigUint,
    g: BigUint,
}

impl DsaDomain {
    pub(super) fn new(p: BigUint, q: BigUint, g: BigUint) -> Option<Self> {
        let sane = p.bits() <= 8_192 && (8..=512).contains(&q.bits()) && q < p && g < p;
        sane.then_some(Self { p, q, g })
    }

    /// The size of its keys.
    pub(super) fn bits(&self) -> u64 {
        self.p.bits()
    }

    /// The public number of the secret one.
    pub(super) fn public(&self, secret: &BigUint) -> BigUint {
        self.g.modpow(secret, &self.p)
    }

    /// A secret number out of some octets.
    pub(super) fn secret(&self, octets: &[u8]) -> BigUint {
        within(&self.q, octets)
    }

    /// FIPS 186-4, section 4.6.
    pub(super) fn sign(&self, secret: &BigUint, digest: &[u8]) -> Option<[BigUint; 2]> {
        let z = leftmost(digest, &self.q);
        sign(&self.q, secret, &z, digest, |nonce| Some(self.g.modpow(nonce, &self.p) % &self.q))
    }

    /// FIPS 186-4, section 4.7.
    pub(super) fn verify(&self, y: &BigUint, digest: &[u8], [r, s]: &[BigUint; 2]) -> bool {
        let zero = BigUint::default();
        if [r, s].iter().any(|number| **number == zero || *number >= &self.q) {
            return false;
        }
        let Some(w) = s.modinv(&self.q) else { return false };
        let (u1, u2) = (leftmost(digest, &self.q) * &w % &self.q, r * &w % &self.q);
        &(self.g.modpow(&u1, &self.p) * y.modpow(&u2, &self.p) % &self.p % &self.q) == r
    }
}

/// A curve y² = x³ − 3x + b. The coefficient b is not needed to add points.
pub(super) struct SmallCurve {
    p: BigUint,
    n: BigUint,
    base: Point,
    size: usize,
}

type Point = Option<(BigUint, BigUint)>;

/// FIPS 186-4, appendix D.1.2: prime, order, coordinates of the base point.
const P192: [&[u8]; 4] = [
    b"fffffffffffffffffffffffffffffffeffffffffffffffff",
    b"ffffffffffffffffffffffff99def836146bc9b1b4d22831",
    b"188da80eb03090f67cbf20eb43a18800f4ff0afd82ff1012",
    b"07192b95ffc8da78631011ed6b24cdd573f977a11e794811",
];
const P224: [&[u8]; 4] = [
    b"ffffffffffffffffffffffffffffffff000000000000000000000001",
    b"ffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3d",
    b"b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21",
    b"bd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34",
];

impl SmallCurve {
    pub(super) fn of(curve: Curve) -> Option<Self> {
        let numbers = match curve {
            Curve::P192 => P192,
            Curve::P224 => P224,
            _ => return None,
        };
        let [p, n, x, y] = numbers.map(|hex| BigUint::parse_bytes(hex, 16).unwrap_or_default());
        Some(Self { p, n, base: Some((x, y)), size: curve.size() })
    }

    /// A secret number out of some octets.
    pub(super) fn secret(&self, octets: &[u8]) -> BigUint {
        within(&self.n, octets)
    }

    /// The public point of a secret number, uncompressed.
    pub(super) fn public(&self, secret: &BigUint) -> Option<Vec<u8>> {
        let (x, y) = self.multiply(&self.base, secret)?;
        let coordinate = |number: BigUint| {
            let octets = number.to_bytes_be();
            [vec![0; self.size - octets.len()], octets].concat()
        };
        Some([vec![4], coordinate(x), coordinate(y)].concat())
    }

    /// FIPS 186-4, section 6.4.
    pub(super) fn sign(&self, secret: &BigUint, digest: &[u8]) -> Option<[BigUint; 2]> {
        sign(&self.n, secret, &leftmost(digest, &self.n), digest, |nonce| {
            Some(self.multiply(&self.base, nonce)?.0 % &self.n)
        })
    }

    /// FIPS 186-4, section 6.4.
    pub(super) fn verify(&self, point: &[u8], digest: &[u8], [r, s]: &[BigUint; 2]) -> bool {
        let zero = BigUint::default();
        if [r, s].iter().any(|number| **number == zero || *number >= &self.n) {
            return false;
        }
        let (x, y) = point[1..].split_at(self.size);
        let key = Some((BigUint::from_bytes_be(x), BigUint::from_bytes_be(y)));
        let Some(w) = s.modinv(&self.n) else { return false };
        let (u1, u2) = (leftmost(digest, &self.n) * &w % &self.n, r * &w % &self.n);
        let sum = self.add(&self.multiply(&self.base, &u1), &self.multiply(&key, &u2));
        sum.is_some_and(|(x, _)| &(x % &self.n) == r)
    }

    fn multiply(&self, point: &Point, factor: &BigUint) -> Point {
        let mut sum = None;
        for bit in (0..factor.bits()).rev() {
            sum = self.add(&sum, &sum);
            if factor.bit(bit) {
                sum = self.add(&sum, point);
            }
        }
        sum
    }

    fn add(&self, one: &Point, two: &Point) -> Point {
        let p = &self.p;
        let (Some((x1, y1)), Some((x2, y2))) = (one, two) else {
            return one.clone().or_else(|| two.clone());
        };
        let minus = |a: &BigUint, b: &BigUint| (a + p - b % p) % p;
        let (rise, run) = if x1 != x2 {
            (minus(y2, y1), minus(x2, x1))
        } else if y1 == y2 {
            (minus(&(x1 * x1 * 3_u32), &BigUint::from(3_u32)), y1 * 2_u32 % p)
        } else {
            return None;
        };
        let slope = rise * run.modinv(p)? % p;
        let x = minus(&minus(&(&slope * &slope), x1), x2);
        let y = minus(&(&slope * minus(x1, &x)), y1);
        Some((x, y))
    }
}

/// The part that DSA and ECDSA have in common. The nonce comes from secret and digest, so the
/// same message has the same signature.
fn sign(
    order: &BigUint,
    secret: &BigUint,
    z: &BigUint,
    digest: &[u8],
    first: impl Fn(&BigUint) -> Option<BigUint>,
) -> Option<[BigUint; 2]> {
    let zero = BigUint::default();
    (0_u8..=255).find_map(|attempt| {
        let mixed = [&secret.to_bytes_be()[..], digest, &[attempt]].concat();
        let nonce = within(order, &Hash::Sha512.digest(&mixed));
        let r = first(&nonce)?;
        let s = nonce.modinv(order)? * (z + &r * secret) % order;
        (r != zero && s != zero).then_some([r, s])
    })
}

/// A number from 1 to `order` - 1 out of some octets, which are stretched.
fn within(order: &BigUint, octets: &[u8]) -> BigUint {
    let long: Vec<u8> = iter::successors(Some(Hash::Sha512.digest(octets)), |previous| {
        Some(Hash::Sha512.digest(previous))
    })
    .take(2)
    .flatten()
    .collect();
    let one = BigUint::from(1_u8);
    BigUint::from_bytes_be(&long) % (order - &one) + &one
}

/// The leftmost bits of the digest, as many as the order has.
fn leftmost(digest: &[u8], order: &BigUint) -> BigUint {
    let surplus = (8 * digest.len() as u64).saturating_sub(order.bits());
    BigUint::from_bytes_be(digest) >> surplus
}
