//! OpenSSL's rules (3.0, `X509_verify_cert`) for a chain as a TLS client applies them.
//!
//! Modelled from its documentation (openssl-verification-options(1), X509_check_host(3)) and
//! compared with `openssl verify` on every chain of the oracle. Left out: certificate policies,
//! CRLs, URI name constraints. Certificates are read as GnuTLS imports them, which refuses some
//! that OpenSSL takes (version 1 with extensions). Where GnuTLS and OpenSSL differ most: names are
//! compared without regard to case and string type, the trust set is searched first and only
//! self-signed certificates in it end a chain, and extended key usage is enforced.

use ground::Timestamp;

use crate::{
    certificate::{Certificate, attributes},
    evidence::Presented,
    extensions::{Extensions, GeneralName, KeyUsage, SERVER_AUTH, Value},
    key::Signature,
    name::{PeerName, common_names, directory_string},
    subject::subject_text,
    trust::TrustSet,
};

/// Certificates in a chain, leaf and root included.
const DEPTH_MAX: usize = 100;

/// Extensions a critical flag may stand on (X509_supported_extension).
const KNOWN_CRITICAL: [&str; 15] = [
    "2.16.840.1.113730.1.1",
    "2.5.29.15",
    "2.5.29.17",
    "2.5.29.19",
    "2.5.29.32",
    "2.5.29.31",
    "2.5.29.37",
    "1.3.6.1.5.5.7.1.7",
    "1.3.6.1.5.5.7.1.8",
    "1.3.6.1.5.5.7.48.1.5",
    "2.5.29.36",
    "1.3.6.1.5.5.7.1.14",
    "2.5.29.30",
    "2.5.29.33",
    "2.5.29.54",
];

/// Accepts, or tells the first objection.
pub(crate) fn judge(
    trust: &TrustSet,
    peer: &PeerName,
    presented: &Presented,
    at: Timestamp,
) -> Result<(), String> {
    let (leaf, above) =
        presented.certificates.split_first().ok_or_else(|| "no certificate".to_owned())?;
    let leaf = &Certificate::parse(leaf).map_err(|error| format!("leaf: {}", error.text()))?;
    // What cannot be read is only missed if it is needed.
    let sent: Vec<Certificate> =
        above.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    let chain = build(trust, &sent, leaf, at)?;
    for (place, certificate) in chain.iter().enumerate() {
        check(&chain, place, certificate, at)?;
    }
    if has_name(leaf, peer) { Ok(()) } else { Err(format!("no name {peer}")) }
}

/// Leaf to trusted root. The trust set is searched before what was sent.
fn build<'a>(
    trust: &'a TrustSet,
    sent: &'a [Certificate],
    leaf: &'a Certificate,
    at: Timestamp,
) -> Result<Vec<&'a Certificate>, String> {
    let trusted = || trust.anchors.iter().map(|anchor| &anchor.certificate);
    let mut chain = vec![leaf];
    let mut top = leaf;
    while chain.len() < DEPTH_MAX {
        if is_issuer(top, top) {
            let known = trusted().any(|anchor| anchor.der == top.der);
            return if known {
                Ok(chain)
            } else if chain.len() == 1 {
                Err("self-signed certificate".to_owned())
            } else {
                Err("self-signed certificate in certificate chain".to_owned())
            };
        }
        let pick = |candidates: Vec<&'a Certificate>| {
            let valid = candidates.iter().copied().find(|candidate| {
                (candidate.not_before..=candidate.not_after).contains(&at.unix())
            });
            valid.or(candidates.first().copied())
        };
        let fits = |candidate: &&Certificate| {
            is_issuer(top, candidate) && !chain.iter().any(|used| used.der == candidate.der)
        };
        let next = pick(trusted().filter(fits).collect())
            .or_else(|| pick(sent.iter().filter(fits).collect()));
        let Some(next) = next else {
            let wanted = subject_text(&top.issuer);
            return Err(format!("unable to get issuer certificate {wanted}"));
        };
        chain.push(next);
        top = next;
    }
    Err("certificate chain too long".to_owned())
}

fn is_issuer(child: &Certificate, issuer: &Certificate) -> bool {
    let ids = (&child.extensions.authority_key_id, &issuer.extensions.subject_key_id);
    let ids_agree = match ids {
        (Some(wanted), Some(found)) => wanted == found,
        _ => true,
    };
    ids_agree && canonical(&child.issuer) == canonical(&issuer.subject)
}

/// OpenSSL's canonical form of a name: UTF-8, lower case, white space collapsed.
fn canonical(name: &[u8]) -> Vec<(String, Vec<u8>)> {
    let fold = |kind: u8, value: &[u8]| match directory_string(kind, value) {
        Some(text) => {
            let text = String::from_utf8_lossy(&text).to_ascii_lowercase();
            text.split_ascii_whitespace().collect::<Vec<_>>().join(" ").into_bytes()
        }
        None => value.to_vec(),
    };
    attributes(name).into_iter().map(|(oid, kind, value)| (oid, fold(kind, value))).collect()
}

fn check(
    chain: &[&Certificate],
    place: usize,
    certificate: &Certificate,
    at: Timestamp,
) -> Result<(), String> {
    let subject = subject_text(&certificate.subject);
    let object = |what: &str| Err(format!("{what}: {subject}"));
    let extensions = &certificate.extensions;
    if !extensions.critical.iter().all(|oid| KNOWN_CRITICAL.contains(&oid.as_str())) {
        return object("unhandled critical extension");
    }
    let usage = extensions.key_usage.present();
    let serves = |usage: &KeyUsage| {
        usage.digital_signature() || usage.key_encipherment() || usage.key_agreement()
    };
    if !serves_tls(extensions) || place == 0 && !usage.is_none_or(serves) {
        return object("unsuitable certificate purpose");
    }
    // Self-issued certificates may be named anything, unless they are the leaf.
    if place == 0 || certificate.issuer != certificate.subject {
        let is_below = |tree: &[u8]| canonical(&certificate.subject).starts_with(&canonical(tree));
        let violated = chain[place + 1..]
            .iter()
            .filter_map(|above| above.extensions.name_constraints.present())
            .find_map(|constraints| constraints.openssl_violation(certificate, is_below));
        if let Some(name) = violated {
            return Err(format!("name constraints do not allow {name}: {subject}"));
        }
    }
    let is_root = place + 1 == chain.len();
    if place > 0 {
        let (is_ca, limit) = match &extensions.basic_constraints {
            Value::Present(found) => (found.is_ca, found.path_length),
            Value::Undecodable => (false, None),
            // A root of version 1, or without the extension.
            Value::Absent => (is_root, None),
        };
        if !is_ca || usage.is_some_and(|usage| !usage.key_cert_sign()) {
            return object("invalid CA certificate");
        }
        // The leaf does not count, nor do self-issued certificates.
        let below = chain[1..place].iter().filter(|below| below.issuer != below.subject).count();
        if limit.is_some_and(|limit| usize::try_from(limit).is_ok_and(|limit| below > limit)) {
            return object("path length constraint exceeded");
        }
    }
    if certificate.key.bits() < if certificate.key.is_curve() { 160 } else { 1024 } {
        return object("key too small");
    }
    if !is_root {
        if certificate.algorithm.hash().is_some_and(|hash| hash.is_weak()) {
            return object("signature digest algorithm too weak");
        }
        let issuer = chain[place + 1];
        let signature = certificate.signature.as_deref().unwrap_or_default();
        if issuer.key.verify(&certificate.algorithm, &certificate.signed, signature)
            != Signature::Good
        {
            return object("certificate signature failure");
        }
    }
    if at.unix() < certificate.not_before {
        return object("certificate is not yet valid");
    }
    if at.unix() > certificate.not_after {
        return object("certificate has expired");
    }
    Ok(())
}

/// Unlike for GnuTLS and browsers, "any purpose" does not include this one.
fn serves_tls(extensions: &Extensions) -> bool {
    const SERVER_GATED: [&str; 2] = ["1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"];
    match &extensions.purposes {
        Value::Absent => true,
        Value::Undecodable => false,
        Value::Present(purposes) => {
            purposes.iter().any(|oid| oid == SERVER_AUTH || SERVER_GATED.contains(&oid.as_str()))
        }
    }
}

/// `X509_check_host` and `X509_check_ip` with default flags.
fn has_name(leaf: &Certificate, peer: &PeerName) -> bool {
    let names = &leaf.extensions.alternative_names;
    if let Ok(address) = peer.as_str().parse::<std::net::IpAddr>() {
        let octets = match address {
            std::net::IpAddr::V4(address) => address.octets().to_vec(),
            std::net::IpAddr::V6(address) => address.octets().to_vec(),
        };
        return names.contains(&GeneralName::Ip(octets));
    }
    let mut dns = names
        .iter()
        .filter_map(|name| if let GeneralName::Dns(name) = name { Some(name) } else { None })
        .peekable();
    let same = |pattern: &[u8]| same_host(pattern, peer.as_str().as_bytes());
    if dns.peek().is_some() {
        return dns.any(|name| same(name));
    }
    common_names(&leaf.subject).into_iter().flatten().any(|name| same(&name))
}

/// A star stands for one whole or partial left-most label, never for an empty one.
fn same_host(pattern: &[u8], host: &[u8]) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let Some(star) = pattern.iter().position(|&octet| octet == b'*') else { return false };
    let (prefix, suffix) = (&pattern[..star], &pattern[star + 1..]);
    let dots = suffix.iter().filter(|&&octet| octet == b'.').count();
    if prefix.contains(&b'.') || dots < 2 || host.len() <= prefix.len() + suffix.len() {
        return false;
    }
    let middle = &host[prefix.len()..host.len() - suffix.len()];
    host[..prefix.len()].eq_ignore_ascii_case(prefix)
        && host[host.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
        && !middle.contains(&b'.')
}
