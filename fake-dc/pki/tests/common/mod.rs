//! A domain with one DC, and a description of its chains that a person can review.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![allow(dead_code, reason = "each test file uses some of these")]

use std::{collections::BTreeSet, fmt::Write as _, io::ErrorKind, process::Command};

use fake_dc_pki::{CaCertificate, Chain, ChainFault, DcIdentity, Pki};
use ground::{Seed, Timestamp};
use x509_parser::{
    asn1_rs::Tag,
    extensions::{DistributionPointName, GeneralName, ParsedExtension},
    objects::{oid_registry, oid2sn},
    oid_registry::Oid,
    prelude::{FromDer as _, X509Certificate},
    revocation_list::CertificateRevocationList,
    x509::{SubjectPublicKeyInfo, X509Name},
};

pub(crate) fn now() -> Timestamp {
    "2026-08-21T02:00:23Z".parse().unwrap()
}

pub(crate) fn pki() -> Pki {
    Pki::new(&Seed::new(7), now(), "corp.example").unwrap()
}

pub(crate) fn dc1() -> DcIdentity {
    DcIdentity::new("dc1", "corp.example", [127, 0, 1, 11].into())
}

pub(crate) fn faults(ids: &[&str]) -> Vec<ChainFault> {
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

pub(crate) fn chain(ids: &[&str]) -> Chain {
    pki().chain(&dc1(), &faults(ids)).unwrap()
}

pub(crate) fn parse(der: &[u8]) -> X509Certificate<'_> {
    let (rest, certificate) = X509Certificate::from_der(der).expect("every certificate parses");
    assert!(rest.is_empty(), "nothing stands behind the certificate");
    certificate
}

/// Whether a program can be run here; says so if not.
#[expect(clippy::print_stderr, clippy::panic, reason = "a skipped check must be seen")]
pub(crate) fn program_is_there(program: &str) -> bool {
    match Command::new(program).arg("--version").output() {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some();
            assert!(!required, "{program} is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
            eprintln!("SKIPPED: there is no `{program}` program here");
            false
        }
        Err(error) => panic!("{program} cannot be run: {error}"),
    }
}

/// Everything that a chain says, without serials and signatures, by an independent parser.
pub(crate) fn describe(chain: &Chain) -> String {
    let keys = KnownKeys::new(chain);
    let mut text = String::new();
    for (position, der) in chain.certificates.iter().enumerate() {
        writeln!(text, "sent {position}").unwrap();
        keys.describe_bytes(&mut text, der);
    }
    writeln!(text, "anchor").unwrap();
    keys.describe_bytes(&mut text, chain.anchor.as_ref().unwrap());
    for crl in &chain.crls {
        writeln!(text, "list of {}", crl.ca).unwrap();
        keys.describe_crl(&mut text, &crl.der, chain);
    }
    text
}

/// Keys by the names that a reader knows them by.
struct KnownKeys(Vec<(String, Vec<u8>)>);

impl KnownKeys {
    fn new(chain: &Chain) -> Self {
        let mut keys = Self(Vec::new());
        if let Some(leaf) = chain.certificates.first() {
            keys.learn("key of dc1", leaf);
        }
        for which in CaCertificate::ALL {
            let pem = pki().certificate_pem(which).unwrap();
            let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
            keys.learn(&format!("key of {which}"), &block.contents);
        }
        for (position, der) in chain.certificates.iter().enumerate() {
            keys.learn(&format!("key of sent {position}"), der);
        }
        keys
    }

    fn learn(&mut self, name: &str, der: &[u8]) {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { return };
        let key = certificate.public_key().raw.to_vec();
        if self.0.iter().all(|(_, known)| *known != key) {
            self.0.push((name.to_owned(), key));
        }
    }

    fn name(&self, key: &SubjectPublicKeyInfo<'_>) -> &str {
        self.0.iter().find(|(_, known)| known == key.raw).map_or("unknown key", |(name, _)| name)
    }

    fn signer_of(&self, certificate: &X509Certificate<'_>) -> &str {
        let signer = self.0.iter().find(|(_, key)| {
            let (_, key) = SubjectPublicKeyInfo::from_der(key).unwrap();
            certificate.verify_signature(Some(&key)).is_ok()
        });
        signer.map_or("unknown key", |(name, _)| name)
    }

    fn describe_bytes(&self, text: &mut String, der: &[u8]) {
        match X509Certificate::from_der(der) {
            Ok((rest, certificate)) => {
                self.describe(text, &certificate);
                if !rest.is_empty() {
                    writeln!(text, "  and {rest:?} behind it").unwrap();
                }
            }
            Err(error) => writeln!(text, "  {} octets: {error}", der.len()).unwrap(),
        }
    }

    fn describe_crl(&self, text: &mut String, der: &[u8], chain: &Chain) {
        let Ok((_, crl)) = CertificateRevocationList::from_der(der) else {
            return writeln!(text, "  {:?}", String::from_utf8_lossy(der)).unwrap();
        };
        writeln!(text, "  issuer `{}`", crl.issuer()).unwrap();
        writeln!(
            text,
            "  made {}, next {}",
            distance(crl.last_update().timestamp()),
            distance(crl.next_update().unwrap().timestamp())
        )
        .unwrap();
        let signer = self.0.iter().find(|(_, key)| {
            let (_, key) = SubjectPublicKeyInfo::from_der(key).unwrap();
            crl.verify_signature(&key).is_ok()
        });
        writeln!(text, "  signed by {}", signer.map_or("unknown key", |(name, _)| name)).unwrap();
        for revoked in crl.iter_revoked_certificates() {
            let sent = chain
                .certificates
                .iter()
                .position(|der| parse(der).raw_serial() == revoked.raw_serial())
                .unwrap();
            let (_, reason) = revoked.reason_code().unwrap();
            let since = distance(revoked.revocation_date.timestamp());
            writeln!(text, "  lists sent {sent}, {reason}, since {since}").unwrap();
        }
    }

    fn holder_of(&self, identifier: &[u8]) -> &str {
        let holder = self.0.iter().find(|(_, key)| {
            let (_, key) = SubjectPublicKeyInfo::from_der(key).unwrap();
            sha1(&key.subject_public_key.data) == identifier
        });
        holder.map_or("nobody", |(name, _)| name)
    }

    fn describe(&self, text: &mut String, certificate: &X509Certificate<'_>) {
        writeln!(text, "  {}", certificate.version()).unwrap();
        if certificate.raw_serial().len() != 16 {
            writeln!(text, "  serial {:02x?}", certificate.raw_serial()).unwrap();
        }
        writeln!(text, "  subject `{}`{}", certificate.subject(), spelling(certificate.subject()))
            .unwrap();
        writeln!(text, "  issuer `{}`{}", certificate.issuer(), spelling(certificate.issuer()))
            .unwrap();
        writeln!(
            text,
            "  valid from {} until {}",
            distance(certificate.validity().not_before.timestamp()),
            distance(certificate.validity().not_after.timestamp())
        )
        .unwrap();
        if certificate.validity().not_before.is_generalizedtime() {
            writeln!(text, "  written as GeneralizedTime").unwrap();
        }
        if let Some(id) = &certificate.issuer_uid {
            writeln!(text, "  unique id of the issuer {id:?}").unwrap();
        }
        if certificate.signature != certificate.signature_algorithm {
            let inside = algorithm(&certificate.signature.algorithm);
            writeln!(text, "  says inside that it is signed with {inside}").unwrap();
        }
        let key = certificate.public_key();
        writeln!(
            text,
            "  has {} ({} {})",
            self.name(key),
            algorithm(&key.algorithm.algorithm),
            key.parsed().map_or(0, |key| key.key_size())
        )
        .unwrap();
        writeln!(
            text,
            "  signed by {} ({})",
            self.signer_of(certificate),
            algorithm(&certificate.signature_algorithm.algorithm)
        )
        .unwrap();
        for extension in certificate.extensions() {
            let critical = if extension.critical { "critical " } else { "" };
            let value = match extension.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    format!(
                        "issuer key: {}",
                        self.holder_of(id.key_identifier.as_ref().map_or(&[][..], |id| id.0))
                    )
                }
                ParsedExtension::SubjectKeyIdentifier(id) => {
                    format!("subject key: {}", self.holder_of(id.0))
                }
                ParsedExtension::SubjectAlternativeName(names) => {
                    let names: Vec<_> = names.general_names.iter().map(alt_name).collect();
                    format!("alternative names: {}", names.join(", "))
                }
                ParsedExtension::BasicConstraints(constraints) => match constraints {
                    _ if !constraints.ca => "no CA".to_owned(),
                    _ => format!("CA of path length {:?}", constraints.path_len_constraint),
                },
                ParsedExtension::KeyUsage(usage) => format!("key usage: {usage}"),
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    let purposes = [
                        (usage.any, "any"),
                        (usage.client_auth, "client"),
                        (usage.server_auth, "server"),
                        (!usage.other.is_empty(), "other"),
                    ];
                    let purposes = purposes.iter().filter(|(set, _)| *set).map(|(_, name)| *name);
                    format!("purposes: {}", purposes.collect::<Vec<_>>().join(", "))
                }
                ParsedExtension::AuthorityInfoAccess(access) => {
                    let places: Vec<_> = access
                        .accessdescs
                        .iter()
                        .map(|place| {
                            format!("{} {}", place.access_method, alt_name(&place.access_location))
                        })
                        .collect();
                    format!("access: {}", places.join(", "))
                }
                ParsedExtension::CRLDistributionPoints(points) => {
                    let places = points.iter().map(|point| match &point.distribution_point {
                        Some(DistributionPointName::FullName(names)) => {
                            names.iter().map(alt_name).collect::<Vec<_>>().join(", ")
                        }
                        other => format!("{other:?}"),
                    });
                    format!("lists at: {}", places.collect::<Vec<_>>().join(", "))
                }
                ParsedExtension::NameConstraints(constraints) => {
                    let list = |trees: &Option<Vec<_>>| -> Vec<String> {
                        let trees = trees.iter().flatten();
                        trees
                            .map(|tree: &x509_parser::extensions::GeneralSubtree<'_>| {
                                alt_name(&tree.base)
                            })
                            .collect()
                    };
                    format!(
                        "permitted {:?}, excluded {:?}",
                        list(&constraints.permitted_subtrees),
                        list(&constraints.excluded_subtrees)
                    )
                }
                _ => format!("{} = {:02x?}", extension.oid, extension.value),
            };
            writeln!(text, "  {critical}{value}").unwrap();
        }
    }
}

/// The kind of string, if it is not the usual one.
fn spelling(name: &X509Name<'_>) -> String {
    let tags = name.iter_attributes().map(|attribute| attribute.attr_value().tag());
    let odd = tags.filter(|tag| *tag != Tag::Utf8String).map(|tag| format!(" in {tag}"));
    odd.collect::<BTreeSet<_>>().into_iter().collect()
}

fn algorithm<'a>(oid: &'a Oid<'a>) -> &'a str {
    let name = oid2sn(oid, oid_registry());
    name.unwrap_or("unknown algorithm")
}

fn alt_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => format!("DNS {name:?}"),
        GeneralName::IPAddress(octets) => format!("IP {octets:?}"),
        GeneralName::URI(uri) => format!("URI {uri}"),
        other => format!("{other:?}"),
    }
}

/// The distance from now, in the largest unit that divides it.
fn distance(timestamp: i64) -> String {
    let seconds = timestamp - now().unix();
    match seconds {
        _ if seconds % (365 * 86_400) == 0 => format!("{:+} years", seconds / (365 * 86_400)),
        _ if seconds % 86_400 == 0 => format!("{:+} days", seconds / 86_400),
        _ => format!("{seconds:+} seconds"),
    }
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}
