//! Security identifiers ([MS-DTYP] 2.4.2).

use std::{fmt, str::FromStr};

/// A security identifier in its binary form. `Display` writes `S-1-5-…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    bytes: Vec<u8>,
}

impl Sid {
    const SUB_AUTHORITIES_MAX: usize = 15;

    /// Reads the binary form.
    ///
    /// # Errors
    /// If the bytes are no SID.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SidError> {
        let well_formed = bytes.len() >= 8
            && bytes[0] == 1
            && usize::from(bytes[1]) <= Self::SUB_AUTHORITIES_MAX
            && bytes.len() == 8 + 4 * usize::from(bytes[1]);
        if !well_formed {
            let text = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            return Err(SidError { text });
        }
        Ok(Self { bytes: bytes.to_vec() })
    }

    pub(crate) fn new(authority: u8, sub_authorities: &[u32]) -> Self {
        let count = sub_authorities.len().min(Self::SUB_AUTHORITIES_MAX);
        let mut bytes = vec![1, u8::try_from(count).unwrap_or(0), 0, 0, 0, 0, 0, authority];
        for part in &sub_authorities[..count] {
            bytes.extend_from_slice(&part.to_le_bytes());
        }
        Self { bytes }
    }

    /// The binary form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SID of an account of this domain.
    #[must_use]
    pub fn with_rid(&self, rid: u32) -> Self {
        let mut bytes = self.bytes.clone();
        bytes[1] += 1;
        bytes.extend_from_slice(&rid.to_le_bytes());
        Self { bytes }
    }

    /// The last number of an account's SID, and the SID of its domain.
    pub fn split_rid(&self) -> Option<(Self, u32)> {
        let (head, rid) = self.bytes.split_last_chunk::<4>()?;
        let mut bytes = head.to_vec();
        bytes[1] = bytes[1].checked_sub(1)?;
        Some((Self { bytes }, u32::from_le_bytes(*rid)))
    }

    /// The last number, if this is the SID of an account of `domain`.
    pub fn rid_in(&self, domain: &Self) -> Option<u32> {
        let (head, rid) = self.split_rid()?;
        (head == *domain).then_some(rid)
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.bytes[2..8].iter().fold(0_u64, |all, &b| all << 8 | u64::from(b));
        write!(f, "S-1-{authority}")?;
        self.bytes[8..].chunks_exact(4).try_for_each(|part| {
            write!(f, "-{}", u32::from_le_bytes([part[0], part[1], part[2], part[3]]))
        })
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Sid {
    type Err = SidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let rest = text.strip_prefix("S-1-").or_else(|| text.strip_prefix("s-1-"))?;
            let mut parts = rest.split('-');
            let authority: u64 = parts.next()?.parse().ok()?;
            if authority >= 1 << 48 {
                return None;
            }
            let parts: Vec<u32> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
            if parts.len() > Self::SUB_AUTHORITIES_MAX {
                return None;
            }
            let mut sid = Self::new(0, &parts);
            sid.bytes[2..8].copy_from_slice(&authority.to_be_bytes()[2..]);
            Some(sid)
        };
        parse().ok_or_else(|| SidError { text: text.to_owned() })
    }
}

/// Text or bytes that are no SID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a security identifier")]
pub struct SidError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        let text = "S-1-5-21-2458790315-3472991661-1669985623-1103";
        let sid: Sid = text.parse().unwrap();
        assert_eq!(sid.to_string(), text);
        assert_eq!(Sid::from_bytes(sid.as_bytes()), Ok(sid.clone()));
        let (domain, rid) = sid.split_rid().unwrap();
        assert_eq!((domain.with_rid(rid), rid), (sid, 1103));
    }

    #[test]
    fn what_is_no_sid_is_refused() {
        for text in ["", "S-1", "S-1-", "S-2-5", "S-1-5-x", "S-1-5-4294967296"] {
            assert!(text.parse::<Sid>().is_err(), "{text}");
        }
        assert!(Sid::from_bytes(&[1, 2, 0, 0, 0, 0, 0, 5, 1]).is_err());
    }
}
