//! Everything about a presented chain that does not depend on `tls verify peer`, and the
//! conclusion from it for each mode (samba-tls-verify.md §§3, 5 and 7).

use ground::Timestamp;

use crate::{
    certificate::{Certificate, fingerprint},
    chain,
    client::{Client, VerifyPeer, suite_key},
    evidence::{Presented, TlsVersion},
    extensions::TLS_FEATURE,
    findings::{Finding, RSA_BITS_ADVISED},
    judge::{Court, DEPTH_MAX, PathOutcome, hex, status_of, wire_certificate},
    name::{self, PeerName},
    reason::{Check, Reason, WireCertificate},
    remedy::{Holder, Property, Remedy},
    status::{GnutlsError, StatusBits},
    subject::subject_text,
    verdict::Cause,
};

/// An error and what it is about.
type Failure = (GnutlsError, Finding);

/// What was found out.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) parsed: Vec<Result<Certificate, GnutlsError>>,
    /// The judged path as places in the message.
    pub(crate) path: Vec<usize>,
    peer: &'a PeerName,
    at: Timestamp,
    /// Names of the leaf a peer could have and be accepted.
    names: Vec<String>,
    bad_uri: Option<String>,
    handshake: Option<Failure>,
    verification: Option<Failure>,
    outcome: PathOutcome,
    wrong_name: Option<Finding>,
    revoked: Vec<Finding>,
    unstapled: Option<Finding>,
    binding: Option<Finding>,
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
            parsed: Self::parse(presented),
            path: Vec::new(),
            peer,
            at,
            names: Vec::new(),
            bad_uri: (!usable).then_some(uri),
            handshake: None,
            verification: None,
            outcome: PathOutcome::default(),
            wrong_name: None,
            revoked: Vec::new(),
            unstapled: None,
            binding: None,
        };
        if let Some(Ok(leaf)) = facts.parsed.first() {
            facts.names = name::usable(leaf, client.offer().rules.wildcards);
        }
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

    /// Every certificate of the message, in order.
    pub(crate) fn parse(presented: &Presented) -> Vec<Result<Certificate, GnutlsError>> {
        presented.certificates.iter().map(|der| Certificate::parse(der)).collect()
    }

    /// How the attempt ends in a mode.
    pub(crate) fn conclude(&self, mode: VerifyPeer) -> (Cause, StatusBits, Vec<Finding>) {
        let ends = |cause: Cause, finding: Finding| (cause, StatusBits::NONE, vec![finding]);
        if let Some(uri) = &self.bad_uri {
            let found = format!("`{uri}`, which libldap refuses");
            let remedy = Remedy::SetPeerName { names: self.names.clone() };
            let expected = "a peer name that fits into a URI";
            let finding = self.finding(Check::PeerUri, None, expected, found, vec![remedy]);
            return ends(Cause::PeerUri { uri: uri.clone() }, finding);
        }
        if let Some((error, finding)) = &self.handshake {
            return ends(Cause::Handshake(*error), finding.clone());
        }
        if mode > VerifyPeer::NoCheck
            && let Some(refusal) = self.verify(mode)
        {
            return refusal;
        }
        match &self.binding {
            Some(finding) => {
                ends(Cause::Binding(GnutlsError::UnimplementedFeature), finding.clone())
            }
            None => (Cause::Accepted, StatusBits::NONE, Vec::new()),
        }
    }

    fn verify(&self, mode: VerifyPeer) -> Option<(Cause, StatusBits, Vec<Finding>)> {
        let is_address = self.peer.is_address();
        if mode >= VerifyPeer::CaAndName && is_address {
            let found = format!("the address {}", self.peer);
            let mut remedies = self.peer_name_remedy();
            remedies.push(Remedy::SetParameter {
                parameter: "tls verify peer",
                value: Some(VerifyPeer::CaAndNameIfAvailable.name().to_owned()),
            });
            let finding = self.finding(Check::Name, None, "a host name to verify", found, remedies);
            return Some((Cause::NoHostname, StatusBits::NONE, vec![finding]));
        }
        if let Some((error, finding)) = &self.verification {
            return Some((Cause::Verify(*error), StatusBits::NONE, vec![finding.clone()]));
        }
        let mut findings = self.outcome.findings.clone();
        if mode >= VerifyPeer::CaAndNameIfAvailable && !is_address {
            findings.extend(self.wrong_name.clone());
        }
        if findings.is_empty() {
            findings.extend(self.revoked.iter().cloned());
        }
        findings.extend(self.unstapled.clone());
        let status = status_of(&findings);
        (!status.is_empty()).then_some((Cause::CheckFailed, status, findings))
    }

    /// The names the DC could call itself by, if there are any.
    fn peer_name_remedy(&self) -> Vec<Remedy> {
        if self.names.is_empty() {
            return Vec::new();
        }
        vec![Remedy::SetPeerName { names: self.names.clone() }]
    }

    /// What the handshake itself finds wrong with the certificates.
    fn handshake_failure(&self, client: &Client, presented: &Presented) -> Option<Failure> {
        let offer = client.offer();
        if !offer.versions.contains(&presented.tls) {
            let finding = self.finding(
                Check::Handshake,
                None,
                "a version the client offers",
                "another one",
                vec![Remedy::OfferTls { versions: offer.versions.clone() }],
            );
            return Some((GnutlsError::FatalAlertReceived, finding));
        }
        let is_tls13 = presented.tls == TlsVersion::Tls13;
        let Some(leaf) = self.parsed.first() else {
            let finding = self.finding(Check::Handshake, None, "a certificate", "none", Vec::new());
            return Some((GnutlsError::NoCertificateFound, finding));
        };
        if let Ok(leaf) = leaf
            && leaf.key.bits() > 0
            && !suite_key(&leaf.key).is_some_and(|key| offer.takes(key, presented.tls))
        {
            let found = leaf.key.text();
            let expected = "a key for one of the cipher suites the client offers";
            let remedy = self.reissue(0, presented, Property::RsaKey(RSA_BITS_ADVISED));
            let finding =
                self.finding(Check::KeyType, Some((0, presented)), expected, found, vec![remedy]);
            return Some((GnutlsError::FatalAlertReceived, finding));
        }
        let looked_at = if is_tls13 { 1 } else { self.parsed.len() };
        for (position, parsed) in self.parsed.iter().take(looked_at).enumerate() {
            let (error, with) = match parsed {
                Err(error) => (*error, Property::Encoding),
                Ok(certificate) if certificate.key.bits() == 0 => {
                    (GnutlsError::CertificateError, Property::RsaKey(RSA_BITS_ADVISED))
                }
                Ok(_) => continue,
            };
            let finding = self.unparsable(position, presented, error, with);
            return Some((if is_tls13 { error } else { GnutlsError::CertificateError }, finding));
        }
        let usage = leaf.as_ref().ok()?.extensions.key_usage.present()?;
        let (allowed, needed, bit) = if is_tls13 || offer.is_ephemeral() {
            (usage.digital_signature(), "digital signature", "digitalSignature")
        } else {
            (usage.key_encipherment(), "key encipherment", "keyEncipherment")
        };
        if allowed || usage.is_empty() || offer.rules.allow_key_usage_violation {
            return None;
        }
        let expected = format!("key usage {needed}, or no key usage at all");
        let finding = self.finding(
            Check::LeafKeyUsage,
            Some((0, presented)),
            expected,
            "a key usage without it",
            vec![self.reissue(0, presented, Property::KeyUsage(bit))],
        );
        Some((GnutlsError::KeyUsageViolation, finding))
    }

    /// What keeps verification from giving a status.
    fn verification_failure(&self, presented: &Presented) -> Option<Failure> {
        let count = self.parsed.len();
        if count > DEPTH_MAX {
            let expected = format!("at most {DEPTH_MAX} certificates");
            let finding = self.finding(Check::Count, None, expected, count.to_string(), Vec::new());
            return Some((GnutlsError::ConstraintError, finding));
        }
        let (position, error) = self
            .parsed
            .iter()
            .enumerate()
            .find_map(|(position, parsed)| Some((position, *parsed.as_ref().err()?)))?;
        Some((error, self.unparsable(position, presented, error, Property::Encoding)))
    }

    fn judge(&mut self, client: &Client, sent: &[Certificate]) {
        let Some(leaf) = sent.first() else { return };
        self.path = chain::path(sent, &client.trust);
        let cafile = client.files.cafile.as_ref().map(|file| file.path.as_str());
        let rules = client.offer().rules;
        let court = Court { sent, trust: &client.trust, cafile, at: self.at, rules };
        self.outcome = court.judge(&self.path);
        if !self.peer.is_address() && !name::matches(leaf, self.peer, rules.wildcards) {
            let mut remedies = Vec::new();
            if let Some(peer) = self.peer.ascii().filter(|peer| !peer.is_empty()) {
                remedies.push(again(0, leaf, Property::DnsName(peer)));
            }
            remedies.extend(self.peer_name_remedy());
            self.wrong_name = Some(self.on(
                (0, leaf),
                StatusBits::UNEXPECTED_OWNER,
                self.finding(
                    Check::Name,
                    None,
                    format!("the name {}", self.peer),
                    name::presented(leaf),
                    remedies,
                ),
            ));
        }
        for (step, &index) in self.path.iter().enumerate().filter(|_| rules.crl_checks) {
            let certificate = &sent[index];
            // After the second attempt GnuTLS looks for the last one's CRL under its own name.
            let misplaced = self.outcome.second
                && step + 1 == self.path.len()
                && certificate.issuer != certificate.subject;
            if !misplaced && client.crls.revokes(&certificate.issuer, &certificate.serial) {
                let mut finding = self.on(
                    (index, certificate),
                    StatusBits::REVOKED,
                    self.finding(
                        Check::Revocation,
                        None,
                        "a serial number the CRL of its issuer does not list",
                        format!("serial number {}", hex(&certificate.serial)),
                        vec![again(index, certificate, Property::SerialNumber)],
                    ),
                );
                finding.reason.file = client.files.crlfile.as_ref().map(|file| file.path.clone());
                self.revoked.push(finding);
            }
        }
        let demands = sent.iter().enumerate().find(|(_, found)| found.extensions.must_staple());
        if let Some((index, certificate)) = demands {
            let with = Property::WithoutExtension(TLS_FEATURE.to_owned());
            self.unstapled = Some(self.on(
                (index, certificate),
                StatusBits::MISSING_OCSP_STATUS,
                self.finding(
                    Check::Stapling,
                    None,
                    "a stapled OCSP answer, which the certificate demands",
                    "none",
                    vec![again(index, certificate, with)],
                ),
            ));
        }
        if !leaf.algorithm.is_understood() {
            self.binding = Some(self.on(
                (0, leaf),
                StatusBits::NONE,
                self.finding(
                    Check::Binding,
                    None,
                    "a signature algorithm with a hash for tls-server-end-point",
                    leaf.algorithm.text(),
                    vec![again(0, leaf, Property::Signature)],
                ),
            ));
        }
    }

    /// The finding, told at a certificate and with a status.
    fn on(
        &self,
        (position, certificate): (usize, &Certificate),
        status: StatusBits,
        mut finding: Finding,
    ) -> Finding {
        finding.reason.certificate = Some(wire_certificate(position, certificate));
        if !status.is_empty() {
            finding.reason.status = status | StatusBits::INVALID;
        }
        finding
    }

    fn unparsable(
        &self,
        position: usize,
        presented: &Presented,
        error: GnutlsError,
        with: Property,
    ) -> Finding {
        let found = format!("{} ({})", error.text().trim_end_matches('.'), error.name());
        let expected = "a certificate GnuTLS can read";
        let remedy = self.reissue(position, presented, with);
        self.finding(Check::Parse, Some((position, presented)), expected, found, vec![remedy])
    }

    fn reissue(&self, position: usize, presented: &Presented, with: Property) -> Remedy {
        Remedy::Reissue { certificate: Holder::Server(self.place(position, presented)), with }
    }

    fn place(&self, position: usize, presented: &Presented) -> WireCertificate {
        let subject = match &self.parsed[position] {
            Ok(certificate) => subject_text(&certificate.subject),
            Err(_) => String::new(),
        };
        let fingerprint = fingerprint(&presented.certificates[position]);
        WireCertificate { position, subject, fingerprint }
    }

    fn finding(
        &self,
        check: Check,
        place: Option<(usize, &Presented)>,
        expected: impl Into<String>,
        found: impl Into<String>,
        remedies: Vec<Remedy>,
    ) -> Finding {
        let reason = Reason {
            check,
            status: StatusBits::NONE,
            certificate: place.map(|(position, presented)| self.place(position, presented)),
            anchor: None,
            file: None,
            at: self.at,
            expected: expected.into(),
            found: found.into(),
        };
        Finding { reason, remedies }
    }
}

/// The remedy that issues a certificate of the server again.
fn again(position: usize, certificate: &Certificate, with: Property) -> Remedy {
    let certificate = Holder::Server(wire_certificate(position, certificate));
    Remedy::Reissue { certificate, with }
}
