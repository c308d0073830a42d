//! Everything about a presented chain that does not depend on `tls verify peer`, and the
//! conclusion from it for each mode (samba-tls-verify.md §§3, 5 and 7).

use ground::Timestamp;

use crate::{
    certificate::{Certificate, fingerprint},
    chain,
    client::{Client, VerifyPeer, suite_key},
    evidence::{Presented, TlsVersion},
    judge::{Court, DEPTH_MAX, PathOutcome, wire_certificate},
    name::{self, PeerName},
    reason::{Check, Reason, WireCertificate},
    status::{GnutlsError, StatusBits},
    verdict::Cause,
};

/// An error and what it is about.
type Failure = (GnutlsError, Reason);

/// What was found out.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) parsed: Vec<Result<Certificate, GnutlsError>>,
    /// The judged path as places in the message.
    pub(crate) path: Vec<usize>,
    peer: &'a PeerName,
    at: Timestamp,
    bad_uri: Option<String>,
    handshake: Option<Failure>,
    verification: Option<Failure>,
    outcome: PathOutcome,
    wrong_name: Option<Reason>,
    revoked: Vec<Reason>,
    unstapled: Option<Reason>,
    binding: Option<Reason>,
}

impl<'a> Facts<'a> {
    pub(crate) fn gather(
        client: &Client,
        peer: &'a PeerName,
        presented: &Presented,
        at: Timestamp,
    ) -> Self {
        let (uri, usable) = peer.uri();
        let mut facts = Self {
            parsed: presented.certificates.iter().map(|der| Certificate::parse(der)).collect(),
            path: Vec::new(),
            peer,
            at,
            bad_uri: (!usable).then_some(uri),
            handshake: None,
            verification: None,
            outcome: PathOutcome::default(),
            wrong_name: None,
            revoked: Vec::new(),
            unstapled: None,
            binding: None,
        };
        facts.handshake = facts.handshake_failure(client, presented);
        facts.verification = facts.verification_failure(presented);
        if facts.verification.is_none() {
            // Every certificate is parsed, or the verification would have failed.
            let sent: Vec<Certificate> =
                std::mem::take(&mut facts.parsed).into_iter().flatten().collect();
            facts.judge(client, &sent);
            facts.parsed = sent.into_iter().map(Ok).collect();
        }
        facts
    }

    /// How the attempt ends in a mode.
    pub(crate) fn conclude(&self, mode: VerifyPeer) -> (Cause, StatusBits, Vec<Reason>) {
        let ends = |cause: Cause, reason: Reason| (cause, StatusBits::NONE, vec![reason]);
        if let Some(uri) = &self.bad_uri {
            let found = format!("`{uri}`, which libldap refuses");
            let reason =
                self.reason(Check::PeerUri, None, "a peer name that fits into a URI", found);
            return ends(Cause::PeerUri { uri: uri.clone() }, reason);
        }
        if let Some((error, reason)) = &self.handshake {
            return ends(Cause::Handshake(*error), reason.clone());
        }
        if mode > VerifyPeer::NoCheck
            && let Some(refusal) = self.verify(mode)
        {
            return refusal;
        }
        match &self.binding {
            Some(reason) => ends(Cause::Binding(GnutlsError::UnimplementedFeature), reason.clone()),
            None => (Cause::Accepted, StatusBits::NONE, Vec::new()),
        }
    }

    fn verify(&self, mode: VerifyPeer) -> Option<(Cause, StatusBits, Vec<Reason>)> {
        let is_address = self.peer.is_address();
        if mode >= VerifyPeer::CaAndName && is_address {
            let found = format!("the address {}", self.peer);
            let reason = self.reason(Check::Name, None, "a host name to verify", found);
            return Some((Cause::NoHostname, StatusBits::NONE, vec![reason]));
        }
        if let Some((error, reason)) = &self.verification {
            return Some((Cause::Verify(*error), StatusBits::NONE, vec![reason.clone()]));
        }
        let mut status = self.outcome.status;
        let mut reasons = self.outcome.reasons.clone();
        if mode >= VerifyPeer::CaAndNameIfAvailable && !is_address {
            status |= self.wrong_name.as_ref().map_or(StatusBits::NONE, |reason| reason.status);
            reasons.extend(self.wrong_name.clone());
        }
        if status.is_empty() {
            reasons.extend(self.revoked.iter().cloned());
            status |= self.revoked.first().map_or(StatusBits::NONE, |reason| reason.status);
        }
        if let Some(reason) = &self.unstapled {
            status |= reason.status;
            reasons.push(reason.clone());
        }
        (!status.is_empty()).then_some((Cause::CheckFailed, status, reasons))
    }

    /// What the handshake itself finds wrong with the certificates.
    fn handshake_failure(&self, client: &Client, presented: &Presented) -> Option<Failure> {
        let offer = client.offer();
        if !offer.versions.contains(&presented.tls) {
            let reason =
                self.reason(Check::Handshake, None, "a version the client offers", "another one");
            return Some((GnutlsError::FatalAlertReceived, reason));
        }
        let is_tls13 = presented.tls == TlsVersion::Tls13;
        let Some(leaf) = self.parsed.first() else {
            let reason = self.reason(Check::Handshake, None, "a certificate", "none");
            return Some((GnutlsError::NoCertificateFound, reason));
        };
        if let Ok(leaf) = leaf
            && leaf.key.bits() > 0
            && !suite_key(&leaf.key).is_some_and(|key| offer.takes(key, presented.tls))
        {
            let found = leaf.key.text();
            let expected = "a key for one of the cipher suites the client offers";
            let reason = self.reason(Check::KeyType, Some((0, presented)), expected, found);
            return Some((GnutlsError::FatalAlertReceived, reason));
        }
        let looked_at = if is_tls13 { 1 } else { self.parsed.len() };
        for (position, parsed) in self.parsed.iter().take(looked_at).enumerate() {
            let error = match parsed {
                Err(error) => *error,
                Ok(certificate) if certificate.key.bits() == 0 => GnutlsError::CertificateError,
                Ok(_) => continue,
            };
            let reason = self.unparsable(position, presented, error);
            return Some((if is_tls13 { error } else { GnutlsError::CertificateError }, reason));
        }
        let usage = leaf.as_ref().ok()?.extensions.key_usage.present()?;
        let (allowed, needed) = if is_tls13 || offer.is_ephemeral() {
            (usage.digital_signature(), "digital signature")
        } else {
            (usage.key_encipherment(), "key encipherment")
        };
        if allowed || usage.is_empty() || offer.rules.allow_key_usage_violation {
            return None;
        }
        let expected = format!("key usage {needed}, or no key usage at all");
        let reason = self.reason(
            Check::LeafKeyUsage,
            Some((0, presented)),
            expected,
            "a key usage without it",
        );
        Some((GnutlsError::KeyUsageViolation, reason))
    }

    /// What keeps verification from giving a status.
    fn verification_failure(&self, presented: &Presented) -> Option<Failure> {
        let count = self.parsed.len();
        if count > DEPTH_MAX {
            let expected = format!("at most {DEPTH_MAX} certificates");
            let reason = self.reason(Check::Count, None, expected, count.to_string());
            return Some((GnutlsError::ConstraintError, reason));
        }
        let (position, error) = self
            .parsed
            .iter()
            .enumerate()
            .find_map(|(position, parsed)| Some((position, *parsed.as_ref().err()?)))?;
        Some((error, self.unparsable(position, presented, error)))
    }

    fn judge(&mut self, client: &Client, sent: &[Certificate]) {
        let Some(leaf) = sent.first() else { return };
        self.path = chain::path(sent, &client.trust);
        let court = Court { sent, trust: &client.trust, at: self.at, rules: client.offer().rules };
        self.outcome = court.judge(&self.path);
        let here = |index: usize| Some(wire_certificate(sent, index));
        if !self.peer.is_address() && !name::matches(leaf, self.peer, court.rules.wildcards) {
            self.wrong_name = Some(Reason {
                status: StatusBits::UNEXPECTED_OWNER | StatusBits::INVALID,
                certificate: here(0),
                ..self.reason(
                    Check::Name,
                    None,
                    format!("the name {}", self.peer),
                    name::presented(leaf),
                )
            });
        }
        for (step, &index) in self.path.iter().enumerate().filter(|_| court.rules.crl_checks) {
            // After the second attempt GnuTLS looks for the last one's CRL under its own name.
            let misplaced = self.outcome.second
                && step + 1 == self.path.len()
                && sent[index].issuer != sent[index].subject;
            if !misplaced && client.crls.revokes(&sent[index].issuer, &sent[index].serial) {
                self.revoked.push(Reason {
                    status: StatusBits::REVOKED | StatusBits::INVALID,
                    certificate: here(index),
                    file: client.files.crlfile.as_ref().map(|file| file.path.clone()),
                    ..self.reason(
                        Check::Revocation,
                        None,
                        "a serial number the CRL of its issuer does not list",
                        format!("serial number {}", hex(&sent[index].serial)),
                    )
                });
            }
        }
        let demands = sent.iter().position(|certificate| certificate.extensions.must_staple());
        if let Some(index) = demands {
            self.unstapled = Some(Reason {
                status: StatusBits::MISSING_OCSP_STATUS | StatusBits::INVALID,
                certificate: here(index),
                ..self.reason(
                    Check::Stapling,
                    None,
                    "a stapled OCSP answer, which the certificate demands",
                    "none",
                )
            });
        }
        if !leaf.algorithm.is_understood() {
            self.binding = Some(Reason {
                certificate: here(0),
                ..self.reason(
                    Check::Binding,
                    None,
                    "a signature algorithm with a hash for tls-server-end-point",
                    leaf.algorithm.text(),
                )
            });
        }
    }

    fn unparsable(&self, position: usize, presented: &Presented, error: GnutlsError) -> Reason {
        let found = format!("{} ({})", error.text().trim_end_matches('.'), error.name());
        let expected = "a certificate GnuTLS can read";
        self.reason(Check::Parse, Some((position, presented)), expected, found)
    }

    fn reason(
        &self,
        check: Check,
        place: Option<(usize, &Presented)>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Reason {
        let certificate = place.map(|(position, presented)| {
            let subject = match &self.parsed[position] {
                Ok(certificate) => crate::subject::subject_text(&certificate.subject),
                Err(_) => String::new(),
            };
            let fingerprint = fingerprint(&presented.certificates[position]);
            WireCertificate { position, subject, fingerprint }
        });
        Reason {
            check,
            status: StatusBits::NONE,
            certificate,
            anchor: None,
            file: None,
            at: self.at,
            expected: expected.into(),
            found: found.into(),
        }
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}
