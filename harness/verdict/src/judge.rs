//! The judgement of a path against the anchors (samba-tls-verify.md §5, steps 7 to 9).

use std::collections::BTreeMap;

use ground::Timestamp;

use crate::{
    certificate::Certificate,
    findings::{Finding, Findings},
    key::Signature,
    priority::VerifyRules,
    reason::{Check, WireCertificate},
    remedy::{Holder, Property, Remedy, Wanted},
    status::StatusBits,
    subject::subject_text,
    trust::{Anchor, TrustSet},
};

/// Certificates GnuTLS looks at below an anchor, and on the wire.
pub(crate) const DEPTH_MAX: usize = 16;

/// What came of judging the path, names and CRLs not yet looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathOutcome {
    pub(crate) status: StatusBits,
    pub(crate) findings: Vec<Finding>,
    /// Whether the second attempt decided; CRLs are then looked up differently.
    pub(crate) second: bool,
}

/// What is judged, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Court<'a> {
    pub(crate) sent: &'a [Certificate],
    pub(crate) trust: &'a TrustSet,
    /// Path of `tls cafile`, if it is set.
    pub(crate) cafile: Option<&'a str>,
    pub(crate) at: Timestamp,
    pub(crate) rules: VerifyRules,
}

/// What is carried down from the anchor to the leaf, and from whom it comes.
#[derive(Default)]
pub(crate) struct Inherited<'a> {
    /// CAs that may still follow; [`DEPTH_MAX`] while no CA has limited it.
    pub(crate) depth: Option<(usize, Issuer<'a>)>,
    /// CAs with name constraints.
    pub(crate) constrained_by: Vec<Issuer<'a>>,
    /// TLS features and the first CA that lists each.
    pub(crate) features: BTreeMap<u32, Issuer<'a>>,
}

/// A certificate in the role of an issuer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Issuer<'a> {
    Anchor(&'a Anchor),
    Sent(usize, &'a Certificate),
}

impl<'a> Issuer<'a> {
    pub(crate) fn certificate(self) -> &'a Certificate {
        match self {
            Self::Anchor(anchor) => &anchor.certificate,
            Self::Sent(_, certificate) => certificate,
        }
    }

    /// Where it would have to be changed.
    pub(crate) fn holder(self) -> Holder {
        match self {
            Self::Anchor(anchor) => Holder::Anchor(anchor.reference()),
            Self::Sent(position, certificate) => {
                Holder::Server(wire_certificate(position, certificate))
            }
        }
    }

    /// The remedy that issues it again.
    pub(crate) fn reissue(self, with: Property) -> Remedy {
        Remedy::Reissue { certificate: self.holder(), with }
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
            // The first attempt tells better what is missing, as far as its flags are still set.
            let told: Vec<Finding> = first
                .findings
                .into_iter()
                .filter(|finding| finding.reason.status.is_within(second.status))
                .collect();
            let is_enough = status_of(&told) == second.status;
            let findings = if is_enough { told } else { second.findings };
            return PathOutcome { status: second.status, findings, second: true };
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
            let mut findings = Findings::new(self, index, Some(Issuer::Anchor(anchor)));
            findings.check_validity(Issuer::Anchor(anchor), "the anchor");
            findings.check_key(Issuer::Anchor(anchor), "the anchor's key");
            let outcome = findings.into_outcome();
            if !outcome.status.is_empty() {
                return outcome;
            }
            path = &path[..step];
            break;
        }
        let mut inherited = Inherited::default();
        let mut above: Option<usize> = None;
        for (step, &index) in path.iter().enumerate().rev() {
            let issuer = match above {
                Some(parent) => self
                    .sent
                    .get(parent)
                    .filter(|parent| self.sent[index].is_issued_by(parent))
                    .map(|certificate| Issuer::Sent(parent, certificate)),
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
        inherited: &mut Inherited<'a>,
    ) -> PathOutcome {
        let child = Issuer::Sent(index, &self.sent[index]);
        let mut findings = Findings::new(self, index, issuer);
        if let Some((depth, by)) = &mut inherited.depth {
            if *depth == 0 {
                findings.add(
                    Check::PathLength,
                    StatusBits::SIGNER_CONSTRAINTS_FAILURE,
                    "no more CAs below one than its path length constraint allows",
                    "one certificate too many",
                    vec![by.reissue(Property::NoPathLength)],
                );
                return findings.into_outcome();
            }
            *depth -= 1;
        }
        if let Some(issuer) = issuer {
            findings.check_constraints(child, issuer, is_leaf, inherited);
            findings.check_authority(child, issuer, inherited);
            findings.check_signature(child, issuer, self.trust);
            findings.check_critical_extensions(issuer);
        } else {
            let child = child.certificate();
            findings.add(
                Check::Signer,
                StatusBits::SIGNER_NOT_FOUND,
                format!("a trusted certificate with subject {}", subject_text(&child.issuer)),
                self.nearest_anchor(child),
                self.signer_remedies(index),
            );
        }
        if is_leaf {
            findings.check_critical_extensions(child);
        }
        findings.check_strength(child, issuer);
        if let Some(issuer) = issuer {
            findings.check_validity(issuer, "the issuer");
        }
        findings.check_validity(child, "the certificate");
        findings.into_outcome()
    }

    /// Why no anchor was taken, as exactly as can be told.
    fn nearest_anchor(&self, child: &Certificate) -> String {
        let same_name = self.trust.with_subject(&child.issuer);
        match same_name.first() {
            // The second attempt looks for the certificate itself.
            Some(anchor) if child.is_issued_by(&anchor.certificate) => {
                format!("none: {} is not asked, for the rest fails below it", anchor.reference())
            }
            Some(anchor) => format!("only {} with another key identifier", anchor.reference()),
            None => match self.trust.anchors.len() {
                0 => "an empty trust set".to_owned(),
                1 => "none of that name; the trust set has 1 certificate".to_owned(),
                count => format!("none of that name among {count} trusted certificates"),
            },
        }
    }

    /// The issuer is missing: it may be on the wire, or behind, or just named differently.
    fn signer_remedies(&self, index: usize) -> Vec<Remedy> {
        let child = &self.sent[index];
        let position = if child.is_self_signed() {
            Some(index)
        } else {
            self.sent.iter().position(|other| other.der != child.der && child.is_issued_by(other))
        };
        let found = position.map(|position| &self.sent[position]);
        let key_id = match found {
            Some(found) => found.extensions.subject_key_id.as_deref(),
            None => child.extensions.authority_key_id.as_deref(),
        };
        let wanted = Wanted {
            subject: Some(subject_text(found.map_or(&child.issuer, |found| &found.subject))),
            key_id: key_id.map(hex),
            position,
        };
        let file = self.cafile.map(str::to_owned);
        let mut remedies = vec![Remedy::AddAnchor { wanted: wanted.clone(), file }];
        if found.is_none() {
            remedies.push(Remedy::SendCertificate { wanted });
        }
        // A CA that people would take for the issuer, and whose key did sign.
        let issuer = subject_text(&child.issuer);
        let sent = self.sent.iter().enumerate().map(|(place, sent)| Issuer::Sent(place, sent));
        let anchors = self.trust.anchors.iter().map(Issuer::Anchor);
        let namesake = anchors.chain(sent).find(|candidate| {
            let certificate = candidate.certificate();
            certificate.der != child.der
                && !child.is_issued_by(certificate)
                && subject_text(&certificate.subject).eq_ignore_ascii_case(&issuer)
                && certificate.key.signed(child) == Signature::Good
        });
        remedies.extend(namesake.map(|namesake| {
            Issuer::Sent(index, child).reissue(Property::AuthorityOf(namesake.holder()))
        }));
        remedies
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

/// The flags that findings set together.
pub(crate) fn status_of(findings: &[Finding]) -> StatusBits {
    findings.iter().fold(StatusBits::NONE, |status, finding| status | finding.reason.status)
}

/// How a parsed certificate of the wire is named in reasons.
pub(crate) fn wire_certificate(position: usize, certificate: &Certificate) -> WireCertificate {
    WireCertificate {
        position,
        subject: subject_text(&certificate.subject),
        fingerprint: certificate.fingerprint(),
    }
}

/// Octets as people write serial numbers and key identifiers.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}
