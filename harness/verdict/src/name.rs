//! Names: what Samba takes for an address, and how GnuTLS 3.8.9 compares host names
//! (samba-tls-verify.md §§2 and 6).

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use serde::Serialize;

use crate::{
    certificate::{Certificate, attributes},
    der::tag,
    extensions::GeneralName,
};

/// Longest name GnuTLS compares, in octets.
const NAME_OCTETS_MAX: usize = 255;
const COMMON_NAME: &str = "2.5.4.3";

/// What the DC called itself in its netlogon answer (`pdc_dns_name`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PeerName(String);

impl PeerName {
    /// Any text; Samba does not look at it before it is needed.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether Samba takes it for an address (`is_ipaddress` of Samba 4.22).
    ///
    /// ```
    /// use trust_verdict::PeerName;
    ///
    /// assert!(PeerName::new("192.0.2.10").is_address());
    /// assert!(PeerName::new("2001-db8--10.ipv6-literal.net").is_address());
    /// assert!(!PeerName::new("192.0.2.10.").is_address());
    /// ```
    pub fn is_address(&self) -> bool {
        if self.0.parse::<Ipv4Addr>().is_ok() {
            return true;
        }
        const LITERAL: &str = ".ipv6-literal.net";
        let address = match self.0.len().checked_sub(LITERAL.len()) {
            Some(cut)
                if self.0.is_char_boundary(cut) && self.0[cut..].eq_ignore_ascii_case(LITERAL) =>
            {
                // Windows' spelling: `-` for `:` and `s` before the scope.
                self.0[..cut].replace('-', ":").replace(['s', 'S'], "%")
            }
            _ => self.0.clone(),
        };
        let address = address.split_once('%').map_or(address.as_str(), |(address, _)| address);
        address.contains(':') && address.parse::<Ipv6Addr>().is_ok()
    }

    /// The URI Samba hands to libldap, and whether libldap takes it.
    pub(crate) fn uri(&self) -> (String, bool) {
        let bracketed = self.0.contains(':');
        let host = if bracketed { format!("[{}]", self.0) } else { self.0.clone() };
        // libldap splits its argument at blanks and commas, and ends a bracket at the first `]`.
        let broken = self.0.contains([' ', ',']) || bracketed && self.0.contains(']');
        (format!("ldap://{host}:636"), !broken)
    }

    /// The name as A-labels; `None` if IDNA refuses it.
    pub(crate) fn ascii(&self) -> Option<String> {
        if self.0.is_ascii() {
            return Some(self.0.clone());
        }
        idna::domain_to_ascii(&self.0).ok()
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for PeerName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// Whether the certificate has the peer's name, by `gnutls_x509_crt_check_hostname2`.
pub(crate) fn matches(leaf: &Certificate, peer: &PeerName, wildcards: bool) -> bool {
    let Some(peer) = peer.ascii() else { return false };
    let same = |name: &[u8]| is_comparable(name) && compare(name, peer.as_bytes(), wildcards);
    let names = &leaf.extensions.alternative_names;
    let mut dns = names.iter().filter(|name| matches!(name, GeneralName::Dns(_)));
    if dns.any(|name| same(name.octets())) {
        return true;
    }
    if blocks_common_name(names) || !leaf.extensions.allows_server_auth() {
        return false;
    }
    match common_names(&leaf.subject).as_slice() {
        [Some(name)] => same(name),
        _ => false,
    }
}

/// Every name the leaf offers to the comparison, for people.
pub(crate) fn presented(leaf: &Certificate) -> String {
    let names = &leaf.extensions.alternative_names;
    let mut texts: Vec<String> = names
        .iter()
        .filter_map(|name| match name {
            GeneralName::Dns(name) => Some(String::from_utf8_lossy(name).into_owned()),
            GeneralName::Ip(address) => {
                Some(format!("address {}", crate::constraints::ip_text(address)))
            }
            _ => None,
        })
        .collect();
    if !blocks_common_name(names) {
        let common = common_names(&leaf.subject);
        texts.extend(
            common
                .into_iter()
                .flatten()
                .map(|name| format!("common name {}", String::from_utf8_lossy(&name))),
        );
    }
    if texts.is_empty() { "no name at all".to_owned() } else { texts.join(", ") }
}

/// The names a DC could call itself by and be accepted with this leaf.
pub(crate) fn usable(leaf: &Certificate, wildcards: bool) -> Vec<String> {
    let names = leaf.extensions.alternative_names.iter().filter_map(|name| match name {
        GeneralName::Dns(name) => Some(name.clone()),
        _ => None,
    });
    let mut usable: Vec<String> = names
        .chain(common_names(&leaf.subject).into_iter().flatten())
        .filter_map(|name| String::from_utf8(name).ok())
        .filter(|name| {
            let peer = PeerName::new(name.as_str());
            let is_plain = name
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'.');
            is_plain && name.contains('.') && !peer.is_address() && matches(leaf, &peer, wildcards)
        })
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    usable.retain(|name| seen.insert(name.to_ascii_lowercase()));
    usable
}

fn blocks_common_name(names: &[GeneralName]) -> bool {
    names.iter().any(|name| {
        matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_) | GeneralName::Uri(_))
            || name.is_srv()
            || !matches!(name, GeneralName::RegisteredId(_))
                && name.octets().len() > NAME_OCTETS_MAX
    })
}

fn is_comparable(name: &[u8]) -> bool {
    name.len() <= NAME_OCTETS_MAX && name.iter().all(|octet| (0x20..0x7f).contains(octet))
}

/// The common names as UTF-8; `None` for one GnuTLS cannot convert.
pub(crate) fn common_names(subject: &[u8]) -> Vec<Option<Vec<u8>>> {
    attributes(subject)
        .into_iter()
        .filter(|(oid, ..)| oid == COMMON_NAME)
        // An IA5String is no DirectoryString: GnuTLS shows it as a number.
        .map(|(_, kind, value)| match kind {
            tag::IA5_STRING => None,
            _ => directory_string(kind, value),
        })
        .collect()
}

/// A DirectoryString as UTF-8.
pub(crate) fn directory_string(kind: u8, value: &[u8]) -> Option<Vec<u8>> {
    match kind {
        tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING | tag::TELETEX_STRING => {
            Some(value.to_vec())
        }
        tag::BMP_STRING => {
            let units = value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            if !value.len().is_multiple_of(2) {
                return None;
            }
            let text: Option<String> = char::decode_utf16(units).map(Result::ok).collect();
            text.map(String::into_bytes)
        }
        UNIVERSAL_STRING => {
            let text: Option<String> = value
                .chunks(4)
                .map(|quad| Some(u32::from_be_bytes(quad.try_into().ok()?)))
                .map(|unit| char::from_u32(unit?))
                .collect();
            text.map(String::into_bytes)
        }
        _ => None,
    }
}

const UNIVERSAL_STRING: u8 = 0x1c;

/// `_gnutls_hostname_compare`: equal but for ASCII case, or a wildcard in the first label.
fn compare(pattern: &[u8], host: &[u8], wildcards: bool) -> bool {
    let dots = pattern.iter().filter(|&&octet| octet == b'.').count();
    let is_wildcard =
        wildcards && pattern.first() == Some(&b'*') && dots >= 2 && pattern.last() != Some(&b'.');
    if !is_wildcard {
        return pattern.eq_ignore_ascii_case(host);
    }
    let rest = &pattern[1..];
    // The star takes octets of the first label, possibly none, and the rest must match exactly.
    host.len().checked_sub(rest.len()).is_some_and(|star| {
        !host[..star].contains(&b'.') && host[star..].eq_ignore_ascii_case(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_take_part_of_the_first_label() {
        let cases: [(&str, &str, bool); 14] = [
            ("dc1.ad.example.test", "DC1.ad.example.test", true),
            ("*.ad.example.test", "dc1.ad.example.test", true),
            ("*.ad.example.test", ".ad.example.test", true),
            ("*.ad.example.test", "ad.example.test", false),
            ("*.ad.example.test", "a.b.ad.example.test", false),
            ("*1.ad.example.test", "dc1.ad.example.test", true),
            ("*1.ad.example.test", "1.ad.example.test", true),
            ("dc*.ad.example.test", "dc1.ad.example.test", false),
            ("*.*.example.test", "dc1.ad.example.test", false),
            ("*.*.example.test", "dc1.*.example.test", true),
            ("*", "dc1", false),
            ("*.test", "dc1.test", false),
            ("*.ad.example.test.", "dc1.ad.example.test.", false),
            ("dc1.ad.example.test.", "dc1.ad.example.test", false),
        ];
        for (pattern, host, expected) in cases {
            assert_eq!(
                compare(pattern.as_bytes(), host.as_bytes(), true),
                expected,
                "{pattern} {host}"
            );
        }
    }

    #[test]
    fn only_full_spellings_are_addresses() {
        let addresses = ["192.0.2.10", "2001:db8::10", "::ffff:192.0.2.10", "fe80::1%lo"];
        assert!(addresses.iter().all(|&name| PeerName::from(name).is_address()));
        let names =
            ["192.0.2", "3221225994", "0xc000020a", "192.0.2.10:636", "", "[::1]", "192.0.2.010x"];
        assert!(names.iter().all(|&name| !PeerName::from(name).is_address()));
        assert!(PeerName::from("fe80--1s4.ipv6-literal.net").is_address());
    }

    #[test]
    fn a_uri_needs_a_name_without_blanks() {
        assert!(PeerName::from("192.0.2.10:636").uri().1);
        assert!(!PeerName::from("a b").uri().1);
        assert_eq!(
            PeerName::from("[2001:db8::10]").uri(),
            ("ldap://[[2001:db8::10]]:636".to_owned(), false)
        );
    }
}
