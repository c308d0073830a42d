//! ECDSA on the two NIST curves that aws-lc does not offer and GnuTLS accepts: P-192 and P-224.
//!
//! Affine arithmetic on public values; slow (milliseconds) and rarely needed.

use num_bigint::BigUint;

/// A curve y² = x³ − 3x + b. The coefficient b is not needed to add points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SmallCurve {
    p: &'static [u8],
    n: &'static [u8],
    gx: &'static [u8],
    gy: &'static [u8],
}

/// P-192 of FIPS 186-4.
pub(crate) const P192: SmallCurve = SmallCurve {
    p: b"fffffffffffffffffffffffffffffffeffffffffffffffff",
    n: b"ffffffffffffffffffffffff99def836146bc9b1b4d22831",
    gx: b"188da80eb03090f67cbf20eb43a18800f4ff0afd82ff1012",
    gy: b"07192b95ffc8da78631011ed6b24cdd573f977a11e794811",
};

/// P-224 of FIPS 186-4.
pub(crate) const P224: SmallCurve = SmallCurve {
    p: b"ffffffffffffffffffffffffffffffff000000000000000000000001",
    n: b"ffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3d",
    gx: b"b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21",
    gy: b"bd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34",
};

type Point = Option<(BigUint, BigUint)>;

impl SmallCurve {
    /// FIPS 186-4 §6.4, with the digest's leftmost bits.
    pub(crate) fn verify(&self, point: &[u8], digest: &[u8], r: &BigUint, s: &BigUint) -> bool {
        let (p, n) = (number(self.p), number(self.n));
        let zero = BigUint::default();
        let size = point.len() / 2;
        if r == &zero || s == &zero || r >= &n || s >= &n || point.len() != 1 + 2 * size {
            return false;
        }
        let (x, y) = point[1..].split_at(size);
        let key = Some((BigUint::from_bytes_be(x), BigUint::from_bytes_be(y)));
        let base = Some((number(self.gx), number(self.gy)));
        let z = BigUint::from_bytes_be(&digest[..digest.len().min(size)]);
        let Some(w) = s.modinv(&n) else { return false };
        let (u1, u2) = (z * &w % &n, r * &w % &n);
        let sum = add(&p, &multiply(&p, &base, &u1), &multiply(&p, &key, &u2));
        sum.is_some_and(|(x, _)| &(x % &n) == r)
    }
}

fn number(hex: &[u8]) -> BigUint {
    BigUint::parse_bytes(hex, 16).unwrap_or_default()
}

fn multiply(p: &BigUint, point: &Point, factor: &BigUint) -> Point {
    let mut sum = None;
    for bit in (0..factor.bits()).rev() {
        sum = add(p, &sum, &sum);
        if factor.bit(bit) {
            sum = add(p, &sum, point);
        }
    }
    sum
}

fn add(p: &BigUint, one: &Point, two: &Point) -> Point {
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
