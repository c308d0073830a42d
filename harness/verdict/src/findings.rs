//! The checks on one certificate against its issuer, and what they find.

use ground::Timestamp;

use crate::{
    certificate::Certificate,
    constraints::Constraints,
    extensions::{NAME_CONSTRAINTS, TLS_FEATURE, Value},
    judge::{Court, Inherited, Issuer, PathOutcome, status_of, wire_certificate},
    key::Signature,
    priority::VerifyRules,
    reason::{Check, Reason},
    remedy::{Property, Remedy},
    status::StatusBits,
    subject::subject_text,
    trust::TrustSet,
};

/// RSA keys we advise; GnuTLS takes 1,024 bits in profile LOW.
pub(crate) const RSA_BITS_ADVISED: u64 = 2_048;

/// A check that failed, and what would make it pass.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) reason: Reason,
    /// The likeliest first.
    pub(crate) remedies: Vec<Remedy>,
}

/// Collects the flags of one certificate.
pub(crate) struct Findings<'a> {
    at: Timestamp,
    rules: VerifyRules,
    child: Issuer<'a>,
    issuer: Option<Issuer<'a>>,
    found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(court: &Court<'a>, index: usize, issuer: Option<Issuer<'a>>) -> Self {
        let child = Issuer::Sent(index, &court.sent[index]);
        Self { at: court.at, rules: court.rules, child, issuer, found: Vec::new() }
    }

    /// Something is wrong with the certificate itself.
    pub(crate) fn add(
        &mut self,
        check: Check,
        status: StatusBits,
        expected: impl Into<String>,
        found: impl Into<String>,
        remedies: Vec<Remedy>,
    ) {
        self.add_on(self.child, check, status, expected.into(), found.into(), remedies);
    }

    /// Something is wrong with the certificate or with its issuer.
    fn add_on(
        &mut self,
        culprit: Issuer<'a>,
        check: Check,
        status: StatusBits,
        expected: String,
        found: String,
        remedies: Vec<Remedy>,
    ) {
        // A fault of an anchor is told at the certificate that needs it.
        let told_at = if matches!(culprit, Issuer::Sent(..)) { culprit } else { self.child };
        let certificate = match told_at {
            Issuer::Sent(position, found) => Some(wire_certificate(position, found)),
            Issuer::Anchor(_) => None,
        };
        let anchor = match self.issuer {
            Some(Issuer::Anchor(anchor)) => Some(anchor),
            _ => None,
        };
        let reason = Reason {
            check,
            status: status | StatusBits::INVALID,
            certificate,
            anchor: anchor.map(|anchor| anchor.reference()),
            file: None,
            at: self.at,
            expected,
            found,
        };
        self.found.push(Finding { reason, remedies });
    }

    pub(crate) fn check_constraints(
        &mut self,
        child: Issuer<'a>,
        issuer: Issuer<'a>,
        is_leaf: bool,
        inherited: &mut Inherited<'a>,
    ) {
        const BROKEN: &str = "a value that cannot be decoded";
        let lift = |issuer: Issuer<'_>, oid: &str| {
            vec![issuer.reissue(Property::WithoutExtension(oid.to_owned()))]
        };
        let extensions = &issuer.certificate().extensions;
        if extensions.name_constraints == Value::Undecodable {
            self.add_on(
                issuer,
                Check::NameConstraints,
                StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                "readable name constraints in the issuer".to_owned(),
                BROKEN.to_owned(),
                lift(issuer, NAME_CONSTRAINTS),
            );
        } else {
            if extensions.name_constraints.present().is_some() {
                inherited.constrained_by.push(issuer);
            }
            if is_leaf && let Some((name, by)) = violation(child, &inherited.constrained_by) {
                self.add(
                    Check::NameConstraints,
                    StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                    "names within the name constraints of the CAs above",
                    name,
                    lift(by, NAME_CONSTRAINTS),
                );
            }
        }
        if extensions.tls_features == Value::Undecodable {
            self.add_on(
                issuer,
                Check::TlsFeature,
                StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                "readable TLS features in the issuer".to_owned(),
                BROKEN.to_owned(),
                lift(issuer, TLS_FEATURE),
            );
            return;
        }
        for &feature in extensions.tls_features.present().into_iter().flatten() {
            inherited.features.entry(feature).or_insert(issuer);
        }
        let own = child.certificate().extensions.tls_features.present();
        let missing = inherited
            .features
            .iter()
            .find(|(feature, _)| !own.is_some_and(|own| own.contains(feature)));
        if let Some((missing, by)) = missing {
            // Listing must-staple in the child would demand stapling from the server.
            let (expected, remedies) =
                (format!("TLS feature {missing}, which a CA above lists"), lift(*by, TLS_FEATURE));
            self.add(
                Check::TlsFeature,
                StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                expected,
                "it is not listed",
                remedies,
            );
        }
    }

    pub(crate) fn check_authority(
        &mut self,
        child: Issuer<'a>,
        issuer: Issuer<'a>,
        inherited: &mut Inherited<'a>,
    ) {
        let (child, certificate) = (child.certificate(), issuer.certificate());
        let is_anchor = matches!(issuer, Issuer::Anchor(_));
        // Version 1 is let through among anchors, but never on the wire.
        if is_anchor && certificate.version == 1 {
            return;
        }
        let subject = subject_text(&certificate.subject);
        let found = match &certificate.extensions.basic_constraints {
            _ if child.signature.is_none() || certificate.signature.is_none() => {
                Some("a signature that is no whole number of octets")
            }
            Value::Present(constraints) if constraints.is_ca => {
                if let Some(length) = constraints.path_length {
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    if inherited.depth.is_none_or(|(depth, _)| length < depth) {
                        inherited.depth = Some((length, issuer));
                    }
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
            let remedy = if child.signature.is_none() {
                self.child.reissue(Property::Encoding)
            } else if certificate.signature.is_none() {
                issuer.reissue(Property::Encoding)
            } else {
                issuer.reissue(Property::CertificateAuthority)
            };
            self.add_on(
                issuer,
                Check::Authority,
                StatusBits::SIGNER_NOT_CA,
                "an issuer that is a CA".to_owned(),
                format!("{found} in {subject}"),
                vec![remedy],
            );
        }
        let usage = certificate.extensions.key_usage.present();
        if usage.is_some_and(|usage| !usage.key_cert_sign()) {
            self.add_on(
                issuer,
                Check::KeyUsage,
                StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                "key usage certificate signing in the issuer".to_owned(),
                format!("none in {subject}"),
                vec![issuer.reissue(Property::KeyUsage("keyCertSign"))],
            );
        }
    }

    pub(crate) fn check_signature(
        &mut self,
        child: Issuer<'a>,
        issuer: Issuer<'a>,
        trust: &'a TrustSet,
    ) {
        let (signed, by) = (child.certificate(), issuer.certificate());
        let algorithm = &signed.algorithm;
        let again = || vec![child.reissue(Property::Signature)];
        match by.key.signed(signed) {
            Signature::Good => {}
            Signature::DoesNotFit => self.add(
                Check::SignatureFit,
                StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                format!("a signature by the issuer's key ({})", by.key.text()),
                algorithm.text(),
                again(),
            ),
            Signature::NotUnderstood => self.add(
                Check::SignatureFit,
                StatusBits::NONE,
                "a signature GnuTLS understands",
                format!("{} by {}", algorithm.text(), by.key.text()),
                again(),
            ),
            Signature::Wrong => {
                // The last anchor of the name is taken; an earlier one may be the right one.
                let is_signer = |anchor: &Certificate| {
                    signed.is_issued_by(anchor) && anchor.key.signed(signed) == Signature::Good
                };
                let mut remedies = again();
                if let Issuer::Anchor(anchor) = issuer
                    && trust.anchors.iter().any(|other| is_signer(&other.certificate))
                {
                    remedies.insert(0, Remedy::RemoveAnchor { anchor: anchor.reference() });
                }
                self.add(
                    Check::Signature,
                    StatusBits::SIGNATURE_FAILURE,
                    format!("a signature by {}", subject_text(&by.subject)),
                    "one that its key did not make",
                    remedies,
                );
            }
        }
    }

    pub(crate) fn check_critical_extensions(&mut self, party: Issuer<'a>) {
        let certificate = party.certificate();
        let Some(unknown) = certificate.extensions.unknown_critical.first() else { return };
        self.add_on(
            party,
            Check::CriticalExtension,
            StatusBits::UNKNOWN_CRIT_EXTENSIONS,
            "only critical extensions GnuTLS knows".to_owned(),
            format!("critical extension {unknown} in {}", subject_text(&certificate.subject)),
            vec![party.reissue(Property::WithoutExtension(unknown.clone()))],
        );
    }

    pub(crate) fn check_strength(&mut self, child: Issuer<'a>, issuer: Option<Issuer<'a>>) {
        let certificate = child.certificate();
        if !certificate.algorithm.is_understood() {
            return;
        }
        self.check_key(child, "the certificate's key");
        if let Some(issuer) = issuer {
            self.check_key(issuer, "the issuer's key");
        }
        let weak =
            certificate.algorithm.hash().filter(|&hash| hash.is_weak() && !self.rules.allows(hash));
        if let Some(hash) = weak.filter(|_| !certificate.is_self_signed()) {
            self.add(
                Check::Strength,
                StatusBits::INSECURE_ALGORITHM,
                "a signature with SHA-2 or SHA-3",
                hash.text(),
                vec![child.reissue(Property::Signature)],
            );
        }
    }

    pub(crate) fn check_key(&mut self, party: Issuer<'a>, whose: &str) {
        let key = &party.certificate().key;
        let (bits, curve_bits) = self.rules.key_bits_min;
        let needed = if key.is_curve() { curve_bits } else { bits };
        if key.bits() < needed {
            self.add_on(
                party,
                Check::Strength,
                StatusBits::INSECURE_ALGORITHM,
                format!("a key of {needed} bits or more"),
                format!("{} as {whose}", key.text()),
                vec![party.reissue(Property::RsaKey(bits.max(RSA_BITS_ADVISED)))],
            );
        }
    }

    pub(crate) fn check_validity(&mut self, party: Issuer<'a>, whose: &str) {
        let (now, certificate) = (self.at.unix(), party.certificate());
        let (from, to) = (certificate.not_before, certificate.not_after);
        let (status, limit, word) = if now < from {
            (StatusBits::NOT_ACTIVATED, from, "starts")
        } else if now > to {
            (StatusBits::EXPIRED, to, "ended")
        } else {
            return;
        };
        let renew = party.reissue(Property::ValidAt(self.at));
        let (from, to) = (Timestamp::from_unix(from), Timestamp::from_unix(to));
        let clock = Remedy::SetClock { from, to };
        // Who waits for a certificate to become valid more likely has a slow clock.
        let remedies = match status {
            _ if from > to => vec![renew],
            StatusBits::EXPIRED => vec![renew, clock],
            _ => vec![clock, renew],
        };
        self.add_on(
            party,
            Check::Validity,
            status,
            format!("{whose} {} to be valid at {}", subject_text(&certificate.subject), self.at),
            format!("its validity {word} at {}", Timestamp::from_unix(limit)),
            remedies,
        );
    }

    pub(crate) fn into_outcome(self) -> PathOutcome {
        let status = status_of(&self.found);
        PathOutcome { status, findings: self.found, second: false }
    }
}

/// The first name of the leaf that the CAs together do not allow, and the CA to blame.
fn violation<'a>(leaf: Issuer<'_>, by: &[Issuer<'a>]) -> Option<(String, Issuer<'a>)> {
    let without = |left_out: Option<usize>| {
        let mut constraints = Constraints::default();
        for (place, issuer) in by.iter().enumerate() {
            let own = issuer.certificate().extensions.name_constraints.present();
            if let Some(own) = own.filter(|_| Some(place) != left_out) {
                constraints.add(own);
            }
        }
        constraints.violation(leaf.certificate())
    };
    let name = without(None)?;
    let culprit = (0..by.len()).find(|&place| without(Some(place)).is_none()).unwrap_or(0);
    Some((name, *by.get(culprit)?))
}
