//! From plan to bytes.

use rand::Rng as _;
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, GeneralSubtree, IsCa, Issuer,
    KeyIdMethod, NameConstraints, SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;

use crate::{
    certificate::{AltName, BasicConstraints, CertificatePlan, Extension, NameAttribute, Signer},
    chain::Chain,
    der,
    error::PkiError,
    key::Signing,
    plan::{CertificateId, ChainPlan},
};

impl ChainPlan {
    /// Signs what the plan says.
    ///
    /// # Errors
    ///
    /// A name that a certificate cannot hold.
    pub fn issue(&self) -> Result<Chain, PkiError> {
        self.with_choice().issue_choice()
    }

    fn issue_choice(&self) -> Result<Chain, PkiError> {
        let leaf = self.certificate(self.leaf_id());
        let refused = |error| refused(leaf, &error);
        let key = Signing::choose(&self.seed, &leaf.key).and_then(|key| key.to_private_key());
        Ok(Chain {
            certificates: self
                .sent
                .iter()
                .map(|&id| self.issue_certificate(id))
                .collect::<Result<_, _>>()?,
            key: key.map_err(refused)?,
            anchor: Some(self.issue_certificate(self.anchor_id())?),
            crls: self.issue_crls()?,
        })
    }

    /// Signs one certificate of the plan.
    ///
    /// # Errors
    ///
    /// A name that a certificate cannot hold.
    pub fn issue_certificate(
        &self,
        id: CertificateId,
    ) -> Result<CertificateDer<'static>, PkiError> {
        let certificate = self.certificate(id);
        for (attribute, _) in &certificate.subject {
            if certificate.subject.iter().filter(|(other, _)| other == attribute).count() > 2 {
                return Err(PkiError::RepeatedAttribute { certificate: certificate.to_string() });
            }
        }
        self.sign(certificate).map_err(|error| refused(certificate, &error))
    }

    fn sign(&self, certificate: &CertificatePlan) -> Result<CertificateDer<'static>, rcgen::Error> {
        let issuer = self.signer_of(certificate);
        let serial = self.serial(certificate);
        let issuer_key = Signing::choose(&self.seed, &issuer.key)?;
        let mut issuer_params = CertificateParams::default();
        issuer_params.distinguished_name = distinguished_name(issuer);
        issuer_params.key_identifier_method = KeyIdMethod::PreSpecified(
            certificate.issuer_key_id.clone().unwrap_or_else(|| issuer_key.identifier()),
        );
        let issuer = Issuer::new(issuer_params, issuer_key);

        let key = Signing::choose(&self.seed, &certificate.key)?;
        let mut params = params(certificate, &key)?;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        Ok(params.signed_by(&key, &issuer)?.into())
    }

    /// 16 octets, drawn for all that is said, so that no two certificates share a serial.
    pub(crate) fn serial(&self, certificate: &CertificatePlan) -> [u8; 16] {
        let mut serial = [0; 16];
        let purpose = format!("serial of {certificate:?} by {:?}", self.signer_of(certificate));
        self.seed.stream(&purpose).fill_bytes(&mut serial);
        // Positive, and never shorter than it looks.
        serial[0] = serial[0] & 0x7f | 0x40;
        serial
    }

    fn signer_of<'a>(&'a self, certificate: &'a CertificatePlan) -> &'a CertificatePlan {
        match certificate.signer {
            Signer::Certificate(id) => self.certificate(id),
            Signer::Itself => certificate,
        }
    }
}

fn params(plan: &CertificatePlan, key: &Signing) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.not_before = plan.not_before.to_date_time();
    params.not_after = plan.not_after.to_date_time();
    params.distinguished_name = distinguished_name(plan);
    params.subject_alt_names = plan.alt_names.iter().map(alt_name).collect::<Result<_, _>>()?;
    params.key_usages.clone_from(&plan.key_usages);
    params.extended_key_usages.clone_from(&plan.purposes);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: subtrees(&plan.permitted),
        excluded_subtrees: subtrees(&plan.excluded),
    });
    params.use_authority_key_identifier_extension = true;
    params.key_identifier_method = KeyIdMethod::PreSpecified(key.identifier());
    params.is_ca = match plan.basic_constraints {
        BasicConstraints::Absent => IsCa::NoCa,
        BasicConstraints::Ca(None) => IsCa::Ca(rcgen::BasicConstraints::Unconstrained),
        BasicConstraints::Ca(Some(length)) => {
            IsCa::Ca(rcgen::BasicConstraints::Constrained(length))
        }
        BasicConstraints::NotCa => IsCa::ExplicitNoCa,
    };
    params.custom_extensions = plan.further.iter().map(custom_extension).collect();
    if plan.basic_constraints == BasicConstraints::Absent {
        // rcgen writes the subject key identifier together with basic constraints or not at all.
        params.custom_extensions.push(custom_extension(&Extension {
            oid: vec![2, 5, 29, 14],
            critical: false,
            value: der::octet_string(&key.identifier()),
        }));
    }
    Ok(params)
}

/// rcgen keeps one attribute of a kind; a second one passes as a kind of its own.
pub(crate) fn distinguished_name(plan: &CertificatePlan) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (attribute, value) in &plan.subject {
        let (kind, oid) = match attribute {
            NameAttribute::CommonName => (DnType::CommonName, [2, 5, 4, 3]),
            NameAttribute::Organization => (DnType::OrganizationName, [2, 5, 4, 10]),
        };
        let taken = name.get(&kind).is_some();
        name.push(if taken { DnType::CustomDnType(oid.to_vec()) } else { kind }, value.as_str());
    }
    name
}

fn alt_name(name: &AltName) -> Result<SanType, rcgen::Error> {
    Ok(match name {
        AltName::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
        AltName::Ip(address) => SanType::IpAddress(*address),
    })
}

fn subtrees(domains: &[String]) -> Vec<GeneralSubtree> {
    domains.iter().cloned().map(GeneralSubtree::DnsName).collect()
}

fn custom_extension(extension: &Extension) -> CustomExtension {
    let mut custom = CustomExtension::from_oid_content(&extension.oid, extension.value.clone());
    custom.set_criticality(extension.critical);
    custom
}

fn refused(certificate: &CertificatePlan, error: &rcgen::Error) -> PkiError {
    PkiError::Refused { certificate: certificate.to_string(), cause: error.to_string() }
}
