//! Name constraints as GnuTLS 3.8.9 gathers and applies them (samba-tls-verify.md §5).

use crate::{
    certificate::{Certificate, attributes},
    der::{DerError, Reader, tag},
    extensions::GeneralName,
    name::common_names,
};

const EMAIL_ADDRESS: &str = "1.2.840.113549.1.9.1";

/// What the nameConstraints of one or more CAs allow together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Constraints {
    permitted: Vec<GeneralName>,
    excluded: Vec<GeneralName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Directory,
    Dns,
    Email,
    Ip,
    Uri,
}

impl Constraints {
    /// Reads the extension's value.
    pub(crate) fn parse(value: &[u8]) -> Result<Self, DerError> {
        let mut fields = Reader::only(value, tag::SEQUENCE)?.inner();
        let permitted = subtrees(&mut fields, 0)?;
        let excluded = subtrees(&mut fields, 1)?;
        fields.end()?;
        Ok(Self { permitted, excluded })
    }

    /// Adds the constraints of the next CA below.
    pub(crate) fn add(&mut self, other: &Self) {
        self.excluded.extend(other.excluded.iter().cloned());
        let mut both = Vec::new();
        for kind in [Kind::Directory, Kind::Dns, Kind::Email, Kind::Ip, Kind::Uri] {
            let mine: Vec<_> = of_kind(&self.permitted, kind).collect();
            let theirs: Vec<_> = of_kind(&other.permitted, kind).collect();
            if mine.is_empty() || theirs.is_empty() {
                both.extend(mine.into_iter().chain(theirs).cloned());
                continue;
            }
            let before = both.len();
            for one in &mine {
                both.extend(theirs.iter().filter_map(|two| narrower(one, two)));
            }
            if both.len() == before {
                self.excluded.extend(everything(kind));
            }
        }
        self.permitted = both;
    }

    /// The first name of the leaf that is not allowed, as text.
    pub(crate) fn violation(&self, leaf: &Certificate) -> Option<String> {
        self.dns_violation(leaf)
            .or_else(|| self.email_violation(leaf))
            .or_else(|| self.ip_violation(leaf))
            .or_else(|| self.other_violation(leaf))
    }

    /// The first name that OpenSSL's rules do not allow; they know no URIs here.
    ///
    /// Other than GnuTLS, OpenSSL compares directory names: `is_below` tells whether the subject
    /// stands below a name.
    pub(crate) fn openssl_violation(
        &self,
        certificate: &Certificate,
        is_below: impl Fn(&[u8]) -> bool,
    ) -> Option<String> {
        let mut permitted = of_kind(&self.permitted, Kind::Directory).peekable();
        let has_subject = !attributes(&certificate.subject).is_empty();
        let outside = permitted.peek().is_some() && !permitted.any(|tree| is_below(tree.octets()));
        let inside = of_kind(&self.excluded, Kind::Directory).any(|tree| is_below(tree.octets()));
        (has_subject && (outside || inside))
            .then(|| "the subject".to_owned())
            .or_else(|| self.dns_violation(certificate))
            .or_else(|| self.email_violation(certificate))
            .or_else(|| self.ip_violation(certificate))
    }

    fn concerns(&self, kind: Kind) -> bool {
        self.permitted.iter().chain(&self.excluded).any(|name| kind_of(name) == Some(kind))
    }

    fn dns_violation(&self, leaf: &Certificate) -> Option<String> {
        if !self.concerns(Kind::Dns) {
            return None;
        }
        let names = &leaf.extensions.alternative_names;
        let mut names = of_kind(names, Kind::Dns).peekable();
        if names.peek().is_some() {
            return names
                .find(|name| !self.allows(Kind::Dns, name.octets()))
                .map(|name| format!("dNSName {}", String::from_utf8_lossy(name.octets())));
        }
        if !leaf.extensions.allows_server_auth() {
            return None;
        }
        match common_names(&leaf.subject).as_slice() {
            [] => None,
            [Some(name)] if self.allows(Kind::Dns, name) => None,
            [name] => Some(match name {
                Some(name) => format!("common name {}", String::from_utf8_lossy(name)),
                None => "an unreadable common name".to_owned(),
            }),
            names => Some(format!("{} common names", names.len())),
        }
    }

    fn email_violation(&self, leaf: &Certificate) -> Option<String> {
        if !self.concerns(Kind::Email) {
            return None;
        }
        let describe = |name: &[u8]| format!("e-mail address {}", String::from_utf8_lossy(name));
        let mut names = of_kind(&leaf.extensions.alternative_names, Kind::Email).peekable();
        if names.peek().is_some() {
            return names
                .find(|name| !self.allows(Kind::Email, name.octets()))
                .map(|name| describe(name.octets()));
        }
        let subject = attributes(&leaf.subject);
        let mut addresses = subject.iter().filter(|(oid, ..)| oid == EMAIL_ADDRESS);
        let (_, _, address) = addresses.next()?;
        if addresses.next().is_some() {
            return Some("two e-mail addresses in the subject".to_owned());
        }
        (!self.allows(Kind::Email, address)).then(|| describe(address))
    }

    fn ip_violation(&self, leaf: &Certificate) -> Option<String> {
        of_kind(&leaf.extensions.alternative_names, Kind::Ip)
            .find(|name| !self.allows(Kind::Ip, name.octets()))
            .map(|name| format!("iPAddress {}", ip_text(name.octets())))
    }

    fn other_violation(&self, leaf: &Certificate) -> Option<String> {
        let names = &leaf.extensions.alternative_names;
        // GnuTLS implements neither kind: an exclusion excludes all, a permission none.
        if of_kind(&self.excluded, Kind::Directory).next().is_some() {
            return Some("any directory name".to_owned());
        }
        let uri = of_kind(names, Kind::Uri).next()?;
        of_kind(&self.excluded, Kind::Uri).next()?;
        Some(format!("URI {}", String::from_utf8_lossy(uri.octets())))
    }

    fn allows(&self, kind: Kind, name: &[u8]) -> bool {
        if of_kind(&self.excluded, kind).any(|tree| contains(kind, tree.octets(), name)) {
            return false;
        }
        let mut restricted = false;
        for tree in of_kind(&self.permitted, kind) {
            let other_family = kind == Kind::Ip && tree.octets().len() != name.len() * 2;
            if tree.octets().is_empty() || other_family {
                continue;
            }
            if contains(kind, tree.octets(), name) {
                return true;
            }
            restricted = true;
        }
        !restricted
    }
}

fn subtrees(fields: &mut Reader<'_>, number: u8) -> Result<Vec<GeneralName>, DerError> {
    let mut names = Vec::new();
    let Some(list) = fields.optional(tag::context_constructed(number))? else {
        return Ok(names);
    };
    let mut trees = list.inner();
    while !trees.is_empty() {
        let mut tree = trees.expect(tag::SEQUENCE)?.inner();
        let name = GeneralName::read(&mut tree)?;
        tree.optional(tag::context(0))?;
        tree.optional(tag::context(1))?;
        tree.end()?;
        if let GeneralName::Ip(octets) = &name
            && !is_cidr(octets)
        {
            return Err(DerError::Structure);
        }
        names.push(name);
    }
    Ok(names)
}

fn kind_of(name: &GeneralName) -> Option<Kind> {
    match name {
        GeneralName::Directory(_) => Some(Kind::Directory),
        GeneralName::Dns(_) => Some(Kind::Dns),
        GeneralName::Email(_) => Some(Kind::Email),
        GeneralName::Ip(_) => Some(Kind::Ip),
        GeneralName::Uri(_) => Some(Kind::Uri),
        GeneralName::Other { .. } | GeneralName::RegisteredId(_) => None,
    }
}

fn of_kind(names: &[GeneralName], kind: Kind) -> impl Iterator<Item = &GeneralName> {
    names.iter().filter(move |name| kind_of(name) == Some(kind))
}

/// Whether a name lies in a subtree.
fn contains(kind: Kind, tree: &[u8], name: &[u8]) -> bool {
    match kind {
        // Found by comparing: a trailing dot of the name does not matter here.
        Kind::Dns => is_below(tree, name.strip_suffix(b".").unwrap_or(name)),
        Kind::Email => {
            let host =
                name.iter().rposition(|&octet| octet == b'@').map_or(name, |at| &name[at + 1..]);
            if tree.contains(&b'@') {
                tree.eq_ignore_ascii_case(name)
            } else if tree.first() == Some(&b'.') {
                tree.len() > 1 && is_below(tree, host)
            } else {
                tree.is_empty() || tree.eq_ignore_ascii_case(host)
            }
        }
        Kind::Ip => {
            let (network, mask) = tree.split_at(tree.len() / 2);
            let masked = |address: &[u8]| -> Vec<u8> {
                address.iter().zip(mask).map(|(octet, mask)| octet & mask).collect()
            };
            network.len() == name.len() && masked(network) == masked(name)
        }
        Kind::Directory | Kind::Uri => true,
    }
}

/// Equal, or ending in the tree at a label boundary.
fn is_below(tree: &[u8], name: &[u8]) -> bool {
    let Some(start) = name.len().checked_sub(tree.len()) else { return false };
    let (before, tail) = name.split_at(start);
    tail.eq_ignore_ascii_case(tree)
        && (before.is_empty()
            || tree.is_empty()
            || tree.first() == Some(&b'.')
            || before.last() == Some(&b'.'))
}

/// What two permitted subtrees of one kind have in common.
fn narrower(one: &GeneralName, two: &GeneralName) -> Option<GeneralName> {
    let kind = kind_of(one)?;
    let inside = |inner: &GeneralName, outer: &GeneralName| match kind {
        Kind::Ip => {
            let (inner, outer) = (inner.octets(), outer.octets());
            let (network, mask) = inner.split_at(inner.len() / 2);
            let (_, outer_mask) = outer.split_at(outer.len() / 2);
            inner.len() == outer.len()
                && mask.iter().zip(outer_mask).all(|(mask, outer)| mask & outer == *outer)
                && contains(Kind::Ip, outer, network)
        }
        Kind::Directory | Kind::Uri => inner == outer,
        Kind::Dns | Kind::Email => contains(kind, outer.octets(), inner.octets()),
    };
    if inside(one, two) {
        Some(one.clone())
    } else if inside(two, one) {
        Some(two.clone())
    } else {
        None
    }
}

/// An exclusion of every name of a kind. Permitted directory names and URIs are ignored.
fn everything(kind: Kind) -> Vec<GeneralName> {
    match kind {
        Kind::Dns => vec![GeneralName::Dns(Vec::new())],
        Kind::Email => vec![GeneralName::Email(Vec::new())],
        Kind::Ip => vec![GeneralName::Ip(vec![0; 8]), GeneralName::Ip(vec![0; 32])],
        Kind::Directory | Kind::Uri => Vec::new(),
    }
}

/// An address with a mask that is a prefix.
fn is_cidr(octets: &[u8]) -> bool {
    if octets.len() != 8 && octets.len() != 32 {
        return false;
    }
    let mask = &octets[octets.len() / 2..];
    let bits = mask.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1));
    bits.skip_while(|&bit| bit == 1).all(|bit| bit == 0)
}

/// Usual spelling of an address.
pub(crate) fn ip_text(octets: &[u8]) -> String {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return std::net::Ipv4Addr::from(v4).to_string();
    }
    if let Ok(v6) = <[u8; 16]>::try_from(octets) {
        return std::net::Ipv6Addr::from(v6).to_string();
    }
    format!("of {} octets", octets.len())
}
