//! A server, a client, and the CAs behind them, to which a [`Remedy`] can be applied by a program.

#![expect(clippy::panic, reason = "the test must learn every remedy there is")]

use aws_lc_rs::digest;
use ground::Timestamp;
use trust_verdict::{
    Client, ClientConfig, Fingerprint, Holder, PeerName, PemFile, Presented, Property, Remedy,
    TlsVersion, TrustFiles, Verdict, VerifyPeer, Wanted,
};

use crate::{
    maker::{self, Ext, RSA_2048, Spec, crl, der, name, utc},
    support,
};

pub(crate) const PEER: &str = "dc1.ad.example.test";
const CAFILE: &str = "/etc/ca.pem";
const CRLFILE: &str = "/etc/crl.pem";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";
const SUBJECT_KEY_ID: &str = "2.5.29.14";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const ALTERNATIVE_NAMES: &str = "2.5.29.17";

/// Everything a verdict depends on, and the CAs that could issue something.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) authorities: Vec<Spec>,
    pub(crate) sent: Vec<Spec>,
    pub(crate) cafile: String,
    pub(crate) crlfile: Option<String>,
    pub(crate) mode: VerifyPeer,
    pub(crate) priority: String,
    pub(crate) peer: String,
    pub(crate) tls: TlsVersion,
    pub(crate) at: Timestamp,
}

impl World {
    /// The server sends `sent`; the client trusts `trusted`.
    pub(crate) fn new(sent: &[&Spec], trusted: &[&Spec]) -> Self {
        Self {
            authorities: trusted.iter().map(|&spec| spec.clone()).collect(),
            sent: sent.iter().map(|&spec| spec.clone()).collect(),
            cafile: trusted.iter().map(|spec| spec.pem()).collect(),
            crlfile: None,
            mode: VerifyPeer::CaAndName,
            priority: "NORMAL".to_owned(),
            peer: PEER.to_owned(),
            tls: TlsVersion::Tls13,
            at: support::now(),
        }
    }

    /// Adds CAs that exist, but are neither sent nor trusted.
    pub(crate) fn and(mut self, others: &[&Spec]) -> Self {
        self.authorities.extend(others.iter().map(|&spec| spec.clone()));
        self
    }

    pub(crate) fn judge(&self) -> Verdict {
        let file = |text: &String, path: &str| PemFile::new(path, text.as_str());
        let config = ClientConfig {
            mode: self.mode,
            trust: TrustFiles {
                cafile: Some(file(&self.cafile, CAFILE)),
                crlfile: self.crlfile.as_ref().map(|text| file(text, CRLFILE)),
                ..TrustFiles::default()
            },
            priority: self.priority.clone(),
        };
        let peer = PeerName::new(self.peer.as_str());
        match Client::new(config) {
            Ok(client) => {
                let certificates = self.sent.iter().map(Spec::der).collect();
                client.judge(&peer, &Presented { certificates, tls: self.tls }, self.at)
            }
            Err(error) => error.verdict(&peer, self.at),
        }
    }

    /// The world with the change made; `None` if nobody could make it (no such CA exists).
    pub(crate) fn after(&self, remedy: &Remedy) -> Option<Self> {
        let mut world = self.clone();
        match remedy {
            Remedy::AddAnchor { wanted, .. } => world.cafile += &self.find(wanted)?.pem(),
            Remedy::OfferTls { versions } => world.tls = *versions.first()?,
            Remedy::Reissue { certificate, with } => world.reissue(certificate, with)?,
            Remedy::RemoveAnchor { anchor } => world.remove_block(anchor.line),
            Remedy::RemoveBlock { line, .. } => world.remove_block(*line),
            // A root would not help: it is below no trusted CA.
            Remedy::SendCertificate { wanted } => {
                world.sent.push(self.find(wanted).filter(|spec| spec.subject != spec.issuer)?);
            }
            Remedy::SendOnly { positions } => {
                world.sent = positions.iter().map(|&place| self.sent[place].clone()).collect();
            }
            Remedy::SetClock { from, .. } => world.at = *from,
            Remedy::SetParameter { parameter, value } => match (*parameter, value) {
                ("tls verify peer", Some(mode)) => world.mode = mode.parse().expect("a mode"),
                ("tls priority", Some(text)) => world.priority = text.clone(),
                ("tls crlfile", None) => world.crlfile = None,
                other => panic!("no such parameter: {other:?}"),
            },
            Remedy::SetPeerName { names } => world.peer = names.first()?.clone(),
            Remedy::WriteCrl { file } => {
                assert_eq!(file, CRLFILE);
                world.crlfile = Some(crl(&name(&["nobody"]), "250101000000Z", &[]));
            }
            other => panic!("a remedy this test does not know: {other:?}"),
        }
        Some(world)
    }

    fn find(&self, wanted: &Wanted) -> Option<Spec> {
        if let Some(position) = wanted.position {
            return Some(self.sent[position].clone());
        }
        let fits = |spec: &&Spec| match &wanted.subject {
            None => spec.subject == spec.issuer,
            Some(subject) => {
                let own = extension(spec, SUBJECT_KEY_ID).map(|id| hex(&id[2..]));
                let same_id = own.is_none() || wanted.key_id.is_none() || own == wanted.key_id;
                spec.subject == name(&[subject.strip_prefix("CN=").expect("a CN")]) && same_id
            }
        };
        self.authorities.iter().find(fits).cloned()
    }

    fn reissue(&mut self, holder: &Holder, with: &Property) -> Option<()> {
        let old = self.held(holder)?;
        let mut new = old.clone();
        match with {
            Property::AuthorityOf(issuer) => {
                let issuer = self.held(issuer)?;
                new.issuer = issuer.subject.clone();
                new = new.without(AUTHORITY_KEY_ID);
                if let Some(id) = extension(&issuer, SUBJECT_KEY_ID) {
                    new = new.with(Ext::authority_key(&id[2..]));
                }
            }
            Property::CertificateAuthority => {
                new.version = Some(2);
                new = new.without(BASIC_CONSTRAINTS).with(Ext::ca(None));
            }
            Property::DnsName(host) => {
                let names = extension(&new, ALTERNATIVE_NAMES).unwrap_or_default();
                let names = [names.get(2..).unwrap_or_default(), &der(0x82, host.as_bytes())];
                new = new.without(ALTERNATIVE_NAMES);
                new = new.with(Ext(ALTERNATIVE_NAMES, false, der(0x30, &names.concat())));
            }
            Property::Encoding => {
                let mut seen = Vec::new();
                let extensions = new.extensions.get_or_insert_default();
                extensions.retain(|found| {
                    !seen.contains(&found.0) && {
                        seen.push(found.0);
                        true
                    }
                });
                new.inner_algorithm = new.outer_algorithm.clone();
            }
            Property::RsaKey(bits) => {
                assert_eq!(*bits, 2048);
                new.spki = maker::spki(RSA_2048);
                let old_key = key_of(&old);
                let signed =
                    |spec: &&mut Spec| spec.issuer == old.subject && Some(spec.signer) == old_key;
                for below in self.sent.iter_mut().filter(signed) {
                    below.signer = RSA_2048;
                    *below = below.clone().signed_usually();
                }
                if new.issuer == new.subject {
                    new.signer = RSA_2048;
                    new = new.signed_usually();
                }
            }
            Property::KeyUsage(usage) => {
                let bit = match *usage {
                    "digitalSignature" => 0x80,
                    "keyEncipherment" => 0x20,
                    "keyCertSign" => 0x04,
                    other => panic!("no such key usage: {other}"),
                };
                let bits = extension(&new, KEY_USAGE).map_or(0, |value| value[3]);
                new = new.without(KEY_USAGE).with(Ext::usage(bits | bit));
            }
            Property::NoPathLength => new = new.without(BASIC_CONSTRAINTS).with(Ext::ca(None)),
            Property::SerialNumber => new.serial = vec![0x7f, 1],
            Property::Signature => {
                let issuer = self.authorities.iter().chain(&self.sent);
                let issuer = issuer.rev().find(|spec| spec.subject == new.issuer)?.clone();
                new.signer = key_of(&issuer)?;
                new.broken_signature = false;
                new = new.signed_usually();
            }
            Property::ValidAt(at) => {
                assert_eq!(*at, self.at);
                new.validity = [utc("240101000000Z"), utc("490101000000Z")];
            }
            Property::WithoutExtension(oid) => new = new.without(oid),
            other => panic!("a property this test does not know: {other:?}"),
        }
        self.cafile = self.cafile.replace(&old.pem(), &new.pem());
        let places = self.sent.iter_mut().chain(&mut self.authorities);
        for place in places.filter(|place| place.der() == old.der()) {
            *place = new.clone();
        }
        Some(())
    }

    fn held(&self, holder: &Holder) -> Option<Spec> {
        match holder {
            Holder::Server(certificate) => {
                let spec = &self.sent[certificate.position];
                assert!(is(spec, &certificate.fingerprint));
                Some(spec.clone())
            }
            Holder::Anchor(anchor) => {
                assert_eq!(anchor.file, CAFILE);
                let everything = self.authorities.iter().chain(&self.sent);
                everything.rev().find(|spec| is(spec, &anchor.fingerprint)).cloned()
            }
        }
    }

    fn remove_block(&mut self, line: usize) {
        let lines: Vec<&str> = self.cafile.lines().collect();
        let end = lines.iter().skip(line).position(|text| text.starts_with("-----END"));
        let end = line + end.expect("the end of the block") + 1;
        let kept = lines[..line - 1].iter().chain(&lines[end..]);
        self.cafile = kept.map(|text| format!("{text}\n")).collect();
    }
}

/// The number of a certificate's key.
fn key_of(spec: &Spec) -> Option<u8> {
    (1..=RSA_2048).find(|&number| maker::spki(number) == spec.spki)
}

fn is(spec: &Spec, fingerprint: &Fingerprint) -> bool {
    digest::digest(&digest::SHA256, &spec.der()).as_ref() == fingerprint.octets()
}

fn extension(spec: &Spec, oid: &str) -> Option<Vec<u8>> {
    spec.extensions.iter().flatten().find(|found| found.0 == oid).map(|found| found.2.clone())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}
