//! Names in text: which parts of them are words of somebody's own.
//!
//! Text is cut into runs of letters and of digits. Each run is exchanged for one of the same
//! length, wherever it stands, so that names that were equal, or that ended alike, still are.

use std::net::IpAddr;

use super::Scrubber;

/// Words of the trade in names of several words. They tell nobody's name.
const TRADE: &[&str] = &[
    "and",
    "authority",
    "ca",
    "cert",
    "certificate",
    "certification",
    "class",
    "ecc",
    "ecdsa",
    "for",
    "intermediate",
    "issuing",
    "of",
    "offline",
    "online",
    "pki",
    "policy",
    "root",
    "rsa",
    "server",
    "sha",
    "signing",
    "ssl",
    "sub",
    "subordinate",
    "tls",
    "the",
];

/// Numbers of the trade: hashes and keys.
const SIZES: &[&str] = &["256", "384", "512", "1024", "2048", "3072", "4096"];

/// Words of URLs: what AD CS puts there, and usual file names.
const URL: &[&str] = &[
    "aia",
    "asp",
    "aspx",
    "base",
    "ca",
    "cacertificate",
    "cdp",
    "cer",
    "cert",
    "certdata",
    "certenroll",
    "certificaterevocationlist",
    "certificates",
    "certificationauthority",
    "certs",
    "cgi",
    "configuration",
    "cps",
    "crl",
    "crldistributionpoint",
    "crls",
    "crt",
    "deltarevocationlist",
    "der",
    "htm",
    "html",
    "key",
    "objectclass",
    "ocsp",
    "one",
    "p7b",
    "p7c",
    "pem",
    "pki",
    "policies",
    "public",
    "repository",
    "root",
    "services",
    "sub",
];

/// Labels of AD's service records, behind an underscore.
const SERVICES: &[&str] = &[
    "dc", "domains", "gc", "http", "https", "kerberos", "kpasswd", "ldap", "ldaps", "msdcs", "pdc",
    "sites", "tcp", "tls", "udp",
];

/// Certificate templates of AD CS, by the names that certificates hold.
const TEMPLATES: &[&str] = &[
    "CA",
    "CrossCA",
    "DirectoryEmailReplication",
    "DomainController",
    "DomainControllerAuthentication",
    "KerberosAuthentication",
    "Machine",
    "OCSPResponseSigning",
    "RASAndIASServer",
    "SubCA",
    "User",
    "WebServer",
    "Workstation",
];

/// The domain of [MS-DTYP]'s IPv6 literals in UNC paths: `2001-db8--1.ipv6-literal.net`.
const LITERAL: &str = ".ipv6-literal.net";

/// Where text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Host and domain names, mail addresses, principal names.
    Name,
    /// The path of a URL.
    Path,
    /// Text of several words.
    Prose,
    /// Bytes whose number must not change.
    Raw,
}

impl Scrubber<'_> {
    /// The text with every own word exchanged.
    pub(super) fn text(&mut self, text: &str) -> String {
        if TEMPLATES.contains(&text) {
            return text.to_owned();
        }
        if let Some(address) = self.whole_address(text) {
            return address;
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let end = rest.find('/').unwrap_or(rest.len());
            let (host, path) = rest.split_at(end);
            let host = self.url_host(host);
            return format!("{scheme}://{host}{}", self.runs(path, Place::Path));
        }
        let words = text.split_whitespace().count();
        self.runs(text, if words > 1 { Place::Prose } else { Place::Name })
    }

    /// An address as text, also with a zone, or as Windows writes IPv6 into names.
    fn whole_address(&mut self, text: &str) -> Option<String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(self.address(address).to_string());
        }
        if let Some((address, zone)) = text.split_once('%')
            && let Ok(address @ IpAddr::V6(_)) = address.parse()
        {
            return Some(format!("{}%{zone}", self.address(address)));
        }
        let (literal, suffix) = text.split_at_checked(text.len().checked_sub(LITERAL.len())?)?;
        let address: IpAddr = literal.replace('-', ":").parse().ok()?;
        suffix
            .eq_ignore_ascii_case(LITERAL)
            .then(|| format!("{}{suffix}", self.address(address).to_string().replace(':', "-")))
    }

    /// The text with as many bytes as before.
    pub(super) fn raw_text(&mut self, text: &str) -> String {
        self.runs(text, Place::Raw)
    }

    /// The host of a URL, perhaps with user and port, which is nobody's name.
    fn url_host(&mut self, host: &str) -> String {
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if let Some((address, port)) = bracketed
            && let Ok(address) = address.parse::<IpAddr>()
        {
            return format!("[{}]{port}", self.address(address));
        }
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => {
                format!("{}:{port}", self.runs(name, Place::Name))
            }
            _ => self.runs(host, Place::Name),
        }
    }

    fn runs(&mut self, text: &str, place: Place) -> String {
        let mut done = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let before = done.chars().next_back();
            let (taken, written) = self.next(rest, first, before, text, place);
            done.push_str(&written);
            rest = &rest[taken..];
        }
        done
    }

    /// How many bytes of `rest` are one thing, and what is written for them.
    fn next(
        &mut self,
        rest: &str,
        first: char,
        before: Option<char>,
        text: &str,
        place: Place,
    ) -> (usize, String) {
        let starts_word = before.is_none_or(|before| !before.is_alphanumeric());
        if place != Place::Raw && starts_word {
            if let Some(guid) = guid(rest) {
                return (guid.len(), self.guid(guid));
            }
            if let Some((length, address)) = dotted(rest) {
                return (length, self.address(address).to_string());
            }
            if let Some(label) = international(rest) {
                return (label.len(), self.international(label));
            }
        }
        if place == Place::Path && first == '%' && rest.is_char_boundary(3.min(rest.len())) {
            let escape = &rest[..3.min(rest.len())];
            return (escape.len(), escape.to_owned());
        }
        if first.is_ascii_digit() {
            let run = run(rest, |character| character.is_ascii_digit());
            if place == Place::Prose && SIZES.contains(&run) {
                return (run.len(), run.to_owned());
            }
            return (run.len(), self.number(run));
        }
        if !first.is_alphabetic() {
            return (first.len_utf8(), first.to_string());
        }
        let run = run(rest, char::is_alphabetic);
        let lower = lower(run);
        let behind = &rest[run.len()..];
        let kept = match place {
            Place::Name => before == Some('_') && SERVICES.contains(&lower.as_str()),
            // `CN=` of a distinguished name.
            Place::Path => {
                let numbered = behind.starts_with(|next: char| next.is_ascii_digit());
                behind.starts_with('=') || !numbered && URL.contains(&lower.as_str())
            }
            Place::Prose => TRADE.contains(&lower.as_str()),
            Place::Raw => false,
        };
        if kept {
            return (run.len(), run.to_owned());
        }
        if place == Place::Name && before == Some('*') && text.starts_with('*') {
            self.end(&lower);
        }
        (run.len(), self.word(run, &lower))
    }

    /// An A-label is exchanged as the U-label that people read.
    fn international(&mut self, label: &str) -> String {
        let (prefix, encoded) = label.split_at(4);
        // Upper case is kept only if the label has nothing else.
        let is_upper = !encoded.bytes().any(|octet| octet.is_ascii_lowercase());
        let decoded = idna::punycode::decode_to_string(&encoded.to_ascii_lowercase());
        let again = decoded.as_deref().and_then(idna::punycode::encode_str);
        let same = again.is_some_and(|again| again.eq_ignore_ascii_case(encoded));
        let written = decoded.filter(|_| same).and_then(|decoded| {
            let exchanged = self.runs(&decoded, Place::Raw);
            idna::punycode::encode_str(&exchanged)
        });
        match written {
            Some(written) if is_upper => format!("{prefix}{}", written.to_ascii_uppercase()),
            Some(written) => format!("{prefix}{written}"),
            None => format!("{prefix}{}", self.runs(encoded, Place::Raw)),
        }
    }
}

/// The letters of `exchanged` with the case of those of `original`.
pub(super) fn with_case_of(original: &str, exchanged: &str) -> String {
    exchanged
        .chars()
        .zip(original.chars())
        .map(|(new, old)| {
            let mut upper = new.to_uppercase();
            match upper.next() {
                Some(upper_letter) if old.is_uppercase() && upper.next().is_none() => upper_letter,
                _ => new,
            }
        })
        .collect()
}

/// Letter by letter, so that the length stays.
pub(super) fn lower(word: &str) -> String {
    word.chars()
        .map(|letter| {
            let mut lower = letter.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(lower), None) => lower,
                _ => letter,
            }
        })
        .collect()
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    let end = text.find(|character| !belongs(character)).unwrap_or(text.len());
    &text[..end]
}

/// A GUID as text at the start of `text`.
fn guid(text: &str) -> Option<&str> {
    let guid = text.get(..36)?;
    let is_guid = guid.bytes().enumerate().all(|(place, octet)| match place {
        8 | 13 | 18 | 23 => octet == b'-',
        _ => octet.is_ascii_hexdigit(),
    });
    let ends = !text[36..].starts_with(|next: char| next.is_alphanumeric());
    (is_guid && ends).then_some(guid)
}

/// A dotted IPv4 address at the start of `text`, and its length.
fn dotted(text: &str) -> Option<(usize, IpAddr)> {
    let address = run(text, |character| character.is_ascii_digit() || character == '.');
    let ends = !text[address.len()..].starts_with(|next: char| next.is_alphanumeric());
    Some((address.len(), address.parse().ok().filter(|_| ends)?))
}

/// An A-label at the start of `text`.
fn international(text: &str) -> Option<&str> {
    let label = run(text, |character| character.is_ascii_alphanumeric() || character == '-');
    let prefix = label.get(..4)?;
    (prefix.eq_ignore_ascii_case("xn--") && label.len() > 4).then_some(label)
}
