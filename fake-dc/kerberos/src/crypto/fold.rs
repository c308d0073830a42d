//! n-fold of RFC 3961, section 5.1: stretches or folds bytes to a length.

/// Folds `input`, which is not empty, to `N` bytes.
pub(crate) fn fold<const N: usize>(input: &[u8]) -> [u8; N] {
    let length = input.len();
    let total = length / gcd(length, N) * N;
    let bits = length * 8;
    let mut sums = [0_u32; N];
    for at in 0..total {
        // Copy number `at / length` of the input is rotated right by 13 bits once more.
        let start = (at % length * 8 + bits - 13 * (at / length) % bits) % bits;
        let (first, shift) = (start / 8, start % 8);
        let pair = u32::from(input[first]) << 8 | u32::from(input[(first + 1) % length]);
        sums[at % N] += pair >> (8 - shift) & 0xff;
    }
    // Addition in ones' complement: what overflows at the top comes back in at the bottom.
    let mut carry = 0;
    while {
        for sum in sums.iter_mut().rev() {
            *sum += carry;
            carry = *sum >> 8;
            *sum &= 0xff;
        }
        carry != 0
    } {}
    sums.map(|sum| sum as u8)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3961, appendix A.1.
    #[test]
    fn rfc3961_n_fold() {
        assert_eq!(fold(b"012345"), [0xbe, 0x07, 0x26, 0x31, 0x27, 0x6b, 0x19, 0x55]);
        assert_eq!(fold(b"password"), [0x78, 0xa0, 0x7b, 0x6c, 0xaf, 0x85, 0xfa]);
        assert_eq!(
            fold(b"Rough Consensus, and Running Code"),
            [0xbb, 0x6e, 0xd3, 0x08, 0x70, 0xb7, 0xf0, 0xe0]
        );
        assert_eq!(fold(b"kerberos"), *b"kerberos\x7b\x9b\x5b\x2b\x93\x13\x2b\x93");
        assert_eq!(fold(b"kerberos"), *b"kerberos");
    }
}
