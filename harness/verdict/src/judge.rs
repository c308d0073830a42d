//! The judgement of a path against the anchors (samba-tls-verify.md §5, steps 7 to 9).

use ground::Timestamp;

use crate::{
    certificate::Certificate,
    constraints::Constraints,
    extensions::Value,
    key::Signature,
    priority::VerifyRules,
    reason::{Check, Reason, WireCertificate},
    status::StatusBits,
    subject::subject_text,
    trust::{Anchor, TrustSet},
};

use std::collections::BTreeSet;

/// Certificates GnuTLS looks at below an anchor, and on the wire.
pub(crate) const DEPTH_MAX: usize = 16;

/// What came of judging the path, names and CRLs not yet looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathOutcome {
    pub(crate) status: StatusBits,
    pub(crate) reasons: Vec<Reason>,
    /// Whether the second attempt decided; CRLs are then looked up differently.
    pub(crate) second: bool,
}

/// What is judged, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Court<'a> {
    pub(crate) sent: &'a [Certificate],
    pub(crate) trust: &'a TrustSet,
    pub(crate) at: Timestamp,
    pub(crate) rules: VerifyRules,
}

/// What is carried down from the anchor to the leaf.
struct Inherited {
    depth: usize,
    constraints: Constraints,
    features: BTreeSet<u32>,
}

/// A certificate in the role of an issuer.
#[derive(Clone, Copy)]
enum Issuer<'a> {
    Anchor(&'a Anchor),
    Sent(&'a Certificate),
}

impl<'a> Issuer<'a> {
    fn certificate(self) -> &'a Certificate {
        match self {
            Self::Anchor(anchor) => &anchor.certificate,
            Self::Sent(certificate) => certificate,
        }
    }
}

impl<'a> Court<'a> {
    /// First and second attempt.
    pub(crate) fn judge(&self, path: &[usize]) -> PathOutcome {
        let Some(&last) = path.last() else { return PathOutcome::default() };
        let last = &self.sent[last];
        let first = self.attempt(path, &self.trust.with_subject(&last.issuer));
        let again =
            StatusBits::SIGNER_NOT_FOUND | StatusBits::EXPIRED | StatusBits::INSECURE_ALGORITHM;
        if !first.status.has(again) || last.issuer == last.subject {
            return first;
        }
        let second = self.attempt(path, &self.trust.with_subject(&last.subject));
        if second.status.is_empty() || first.status.has(StatusBits::SIGNER_NOT_FOUND) {
            return PathOutcome { second: true, ..second };
        }
        first
    }

    fn attempt(&self, path: &[usize], anchors: &[&'a Anchor]) -> PathOutcome {
        let mut path = path;
        // GnuTLS drops a self-signed end here a second time.
        if let [below @ .., last] = path
            && !below.is_empty()
            && self.sent[*last].is_self_signed()
        {
            path = below;
        }
        for (step, &index) in path.iter().enumerate() {
            let Some(anchor) = known(&self.sent[index], step == 0, anchors) else { continue };
            let mut findings = Findings::new(self, Some(index), Some(anchor));
            findings.check_validity(&anchor.certificate, "the anchor");
            findings.check_key(&anchor.certificate, "the anchor's key");
            if !findings.reasons.is_empty() {
                return findings.into_outcome();
            }
            path = &path[..step];
            break;
        }
        let mut inherited = Inherited {
            depth: DEPTH_MAX,
            constraints: Constraints::default(),
            features: BTreeSet::new(),
        };
        let mut above: Option<usize> = None;
        for (step, &index) in path.iter().enumerate().rev() {
            let issuer = match above {
                Some(parent) => self
                    .sent
                    .get(parent)
                    .filter(|parent| self.sent[index].is_issued_by(parent))
                    .map(Issuer::Sent),
                None => self.find_anchor(&self.sent[index], anchors).map(Issuer::Anchor),
            };
            let outcome = self.check(index, issuer, step == 0, &mut inherited);
            if !outcome.status.is_empty() {
                return outcome;
            }
            above = Some(index);
        }
        PathOutcome::default()
    }

    /// The first issuer, replaced by any later one that is valid now.
    fn find_anchor(&self, child: &Certificate, anchors: &[&'a Anchor]) -> Option<&'a Anchor> {
        let now = self.at.unix();
        let mut found = None;
        for &anchor in anchors {
            let candidate = &anchor.certificate;
            if !child.is_issued_by(candidate) {
                continue;
            }
            if found.is_none() || (candidate.not_before <= now && now <= candidate.not_after) {
                found = Some(anchor);
            }
        }
        found
    }

    /// All checks on one certificate against its issuer.
    fn check(
        &self,
        index: usize,
        issuer: Option<Issuer<'a>>,
        is_leaf: bool,
        inherited: &mut Inherited,
    ) -> PathOutcome {
        let child = &self.sent[index];
        let anchor = match issuer {
            Some(Issuer::Anchor(anchor)) => Some(anchor),
            _ => None,
        };
        let mut findings = Findings::new(self, Some(index), anchor);
        if inherited.depth == 0 {
            findings.add(
                Check::PathLength,
                StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                "no more CAs below one than its path length constraint allows",
                "one certificate too many",
            );
            return findings.into_outcome();
        }
        inherited.depth -= 1;
        if let Some(issuer) = issuer {
            findings.check_constraints(child, issuer.certificate(), is_leaf, inherited);
            findings.check_authority(child, issuer, inherited);
            findings.check_signature(child, issuer.certificate());
            findings.check_critical_extensions(issuer.certificate());
        } else {
            let wanted = subject_text(&child.issuer);
            findings.add(
                Check::Signer,
                StatusBits::SIGNER_NOT_FOUND,
                format!("a trusted certificate with subject {wanted}"),
                self.nearest_anchor(child),
            );
        }
        if is_leaf {
            findings.check_critical_extensions(child);
        }
        findings.check_strength(child, issuer.map(Issuer::certificate));
        if let Some(issuer) = issuer {
            findings.check_validity(issuer.certificate(), "the issuer");
        }
        findings.check_validity(child, "the certificate");
        findings.into_outcome()
    }

    /// Why no anchor was taken, as exactly as can be told.
    fn nearest_anchor(&self, child: &Certificate) -> String {
        let same_name = self.trust.with_subject(&child.issuer);
        match same_name.first() {
            Some(anchor) => {
                format!("only {} with another key identifier", anchor.reference())
            }
            None => match self.trust.anchors.len() {
                0 => "an empty trust set".to_owned(),
                1 => "none of that name; the trust set has 1 certificate".to_owned(),
                count => format!("none of that name among {count} trusted certificates"),
            },
        }
    }
}

/// The anchor by which a certificate of the path is known already.
fn known<'a>(
    certificate: &Certificate,
    is_leaf: bool,
    anchors: &[&'a Anchor],
) -> Option<&'a Anchor> {
    anchors.iter().copied().find(|anchor| {
        let anchor = &anchor.certificate;
        if is_leaf {
            anchor.der == certificate.der
        } else {
            anchor.subject == certificate.subject && anchor.spki == certificate.spki
        }
    })
}

/// Collects the flags of one certificate.
struct Findings<'a> {
    at: Timestamp,
    rules: VerifyRules,
    certificate: Option<WireCertificate>,
    anchor: Option<&'a Anchor>,
    status: StatusBits,
    reasons: Vec<Reason>,
}

impl<'a> Findings<'a> {
    fn new(court: &Court<'a>, index: Option<usize>, anchor: Option<&'a Anchor>) -> Self {
        let certificate = index.map(|index| wire_certificate(court.sent, index));
        Self {
            at: court.at,
            rules: court.rules,
            certificate,
            anchor,
            status: StatusBits::NONE,
            reasons: Vec::new(),
        }
    }

    fn add(
        &mut self,
        check: Check,
        status: StatusBits,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        self.status |= status | StatusBits::INVALID;
        self.reasons.push(Reason {
            check,
            status: status | StatusBits::INVALID,
            certificate: self.certificate.clone(),
            anchor: self.anchor.map(Anchor::reference),
            file: None,
            at: self.at,
            expected: expected.into(),
            found: found.into(),
        });
    }

    fn check_constraints(
        &mut self,
        child: &Certificate,
        issuer: &Certificate,
        is_leaf: bool,
        inherited: &mut Inherited,
    ) {
        const BROKEN: &str = "a value that cannot be decoded";
        match &issuer.extensions.name_constraints {
            Value::Undecodable => self.add(
                Check::NameConstraints,
                StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                "readable name constraints in the issuer",
                BROKEN,
            ),
            constraints => {
                if let Some(constraints) = constraints.present() {
                    inherited.constraints.add(constraints);
                }
                if is_leaf && let Some(name) = inherited.constraints.violation(child) {
                    self.add(
                        Check::NameConstraints,
                        StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                        "names within the name constraints of the CAs above",
                        name,
                    );
                }
            }
        }
        match &issuer.extensions.tls_features {
            Value::Undecodable => self.add(
                Check::TlsFeature,
                StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                "readable TLS features in the issuer",
                BROKEN,
            ),
            features => {
                inherited.features.extend(features.present().into_iter().flatten());
                let own = child.extensions.tls_features.present();
                let missing = inherited
                    .features
                    .iter()
                    .find(|feature| !own.is_some_and(|own| own.contains(feature)));
                if let Some(missing) = missing {
                    let expected = format!("TLS feature {missing}, which a CA above lists");
                    self.add(
                        Check::TlsFeature,
                        StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                        expected,
                        "it is not listed",
                    );
                }
            }
        }
    }

    fn check_authority(
        &mut self,
        child: &Certificate,
        issuer: Issuer<'_>,
        inherited: &mut Inherited,
    ) {
        let certificate = issuer.certificate();
        let is_anchor = matches!(issuer, Issuer::Anchor(_));
        // Version 1 is let through among anchors, but never on the wire.
        if is_anchor && certificate.version == 1 {
            return;
        }
        let constraints = &certificate.extensions.basic_constraints;
        let found = match constraints {
            _ if child.signature.is_none() || certificate.signature.is_none() => {
                Some("a signature that is no whole number of octets")
            }
            Value::Present(constraints) if constraints.is_ca => {
                if let Some(length) = constraints.path_length {
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    inherited.depth = inherited.depth.min(length);
                }
                None
            }
            _ if child.der == certificate.der => None,
            Value::Absent if is_anchor && certificate.is_self_signed() => None,
            Value::Absent => Some("no basic constraints"),
            Value::Present(_) => Some("CA:FALSE"),
            Value::Undecodable => Some("basic constraints that cannot be decoded"),
        };
        if let Some(found) = found {
            let found = format!("{found} in {}", subject_text(&certificate.subject));
            self.add(Check::Authority, StatusBits::SIGNER_NOT_CA, "an issuer that is a CA", found);
        }
        let usage = certificate.extensions.key_usage.present();
        if usage.is_some_and(|usage| !usage.key_cert_sign()) {
            let found = format!("none in {}", subject_text(&certificate.subject));
            self.add(
                Check::KeyUsage,
                StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                "key usage certificate signing in the issuer",
                found,
            );
        }
    }

    fn check_signature(&mut self, child: &Certificate, issuer: &Certificate) {
        let algorithm = &child.algorithm;
        let Some(signature) = &child.signature else { return };
        match issuer.key.verify(algorithm, &child.signed, signature) {
            Signature::Good => {}
            Signature::DoesNotFit => self.add(
                Check::SignatureFit,
                StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                format!("a signature by the issuer's key ({})", issuer.key.text()),
                algorithm.text(),
            ),
            Signature::NotUnderstood => self.add(
                Check::SignatureFit,
                StatusBits::NONE,
                "a signature GnuTLS understands",
                format!("{} by {}", algorithm.text(), issuer.key.text()),
            ),
            Signature::Wrong => self.add(
                Check::Signature,
                StatusBits::SIGNATURE_FAILURE,
                format!("a signature by {}", subject_text(&issuer.subject)),
                "one that its key did not make",
            ),
        }
    }

    fn check_critical_extensions(&mut self, certificate: &Certificate) {
        let Some(unknown) = certificate.extensions.unknown_critical.first() else { return };
        let found =
            format!("critical extension {unknown} in {}", subject_text(&certificate.subject));
        self.add(
            Check::CriticalExtension,
            StatusBits::UNKNOWN_CRIT_EXTENSIONS,
            "only critical extensions GnuTLS knows",
            found,
        );
    }

    fn check_strength(&mut self, child: &Certificate, issuer: Option<&Certificate>) {
        if !child.algorithm.is_understood() {
            return;
        }
        self.check_key(child, "the certificate's key");
        if let Some(issuer) = issuer {
            self.check_key(issuer, "the issuer's key");
        }
        let weak =
            child.algorithm.hash().filter(|&hash| hash.is_weak() && !self.rules.allows(hash));
        if let Some(hash) = weak.filter(|_| !child.is_self_signed()) {
            self.add(
                Check::Strength,
                StatusBits::INSECURE_ALGORITHM,
                "a signature with SHA-2 or SHA-3",
                hash.text(),
            );
        }
    }

    fn check_key(&mut self, certificate: &Certificate, whose: &str) {
        let (bits, curve_bits) = self.rules.key_bits_min;
        let needed = if certificate.key.is_curve() { curve_bits } else { bits };
        if certificate.key.bits() < needed {
            let found = format!("{} as {whose}", certificate.key.text());
            self.add(
                Check::Strength,
                StatusBits::INSECURE_ALGORITHM,
                format!("a key of {needed} bits or more"),
                found,
            );
        }
    }

    fn check_validity(&mut self, certificate: &Certificate, whose: &str) {
        let now = self.at.unix();
        let (status, limit, word) = if now < certificate.not_before {
            (StatusBits::NOT_ACTIVATED, certificate.not_before, "starts")
        } else if now > certificate.not_after {
            (StatusBits::EXPIRED, certificate.not_after, "ended")
        } else {
            return;
        };
        let subject = subject_text(&certificate.subject);
        self.add(
            Check::Validity,
            status,
            format!("{whose} {subject} to be valid at {}", self.at),
            format!("its validity {word} at {}", Timestamp::from_unix(limit)),
        );
    }

    fn into_outcome(self) -> PathOutcome {
        PathOutcome { status: self.status, reasons: self.reasons, second: false }
    }
}

/// How a parsed certificate of the wire is named in reasons.
pub(crate) fn wire_certificate(sent: &[Certificate], index: usize) -> WireCertificate {
    WireCertificate {
        position: index,
        subject: subject_text(&sent[index].subject),
        fingerprint: sent[index].fingerprint(),
    }
}
