//! From plan to bytes.

use rand::Rng as _;
use rustls_pki_types::CertificateDer;

use crate::{
    algorithm::{Hash, SignatureAlgorithm},
    body::{Surroundings, behind_serial, complete},
    certificate::{AlgorithmName, CertificatePlan},
    chain::Chain,
    der::Element,
    error::PkiError,
    key::SigningKey,
    plan::{CertificateId, ChainPlan, Sent},
};

impl ChainPlan {
    /// Signs what the plan says.
    ///
    /// # Errors
    ///
    /// A signature that the signer's key is too small for.
    pub fn issue(&self) -> Result<Chain, PkiError> {
        self.with_choice().issue_choice()
    }

    fn issue_choice(&self) -> Result<Chain, PkiError> {
        Ok(Chain {
            certificates: self
                .sent
                .iter()
                .map(|sent| match sent {
                    Sent::Bytes(bytes) => Ok(bytes.clone().into()),
                    Sent::Certificate(id) => self.issue_certificate(*id),
                })
                .collect::<Result<_, _>>()?,
            key: self.key_of(self.leaf_id())?.to_private_key(),
            anchor: Some(self.issue_certificate(self.anchor_id())?),
            crls: self.issue_crls()?,
            planned: Some(self.now()),
        })
    }

    /// Signs one certificate of the plan.
    ///
    /// # Errors
    ///
    /// As [`ChainPlan::issue`].
    pub fn issue_certificate(
        &self,
        id: CertificateId,
    ) -> Result<CertificateDer<'static>, PkiError> {
        let certificate = self.certificate(id);
        let (issuer_key, algorithm, body) = self.body(id)?;
        let serial = self.serial(certificate, &body);
        let body = complete(certificate.version, &serial, body);
        let mut whole = issuer_key.sign_structure(algorithm, body)?;
        let CertificatePlan { signature, .. } = certificate;
        if let (Some(name), Some(outside)) = (&signature.named_outside, whole.at_mut(&[1])) {
            *outside = name.identifier();
        }
        if let (true, Some(bits)) = (signature.broken, whole.at_mut(&[2])) {
            let mut content = bits.content();
            content.iter_mut().last().into_iter().for_each(|octet| *octet ^= 1);
            bits.set_content(content);
        }
        Ok([whole.to_bytes().as_slice(), &certificate.trailer].concat().into())
    }

    /// The content octets of the serial number that a certificate of the plan will have.
    pub(crate) fn serial_of(&self, id: CertificateId) -> Result<Vec<u8>, PkiError> {
        let (_, _, body) = self.body(id)?;
        Ok(self.serial(self.certificate(id), &body))
    }

    /// The key of a certificate of the plan.
    ///
    /// # Errors
    ///
    /// As [`SigningKey::choose`].
    pub fn key_of(&self, id: CertificateId) -> Result<SigningKey, PkiError> {
        SigningKey::choose(&self.seed, &self.certificate(id).key)
    }

    /// Who signs a certificate and how, and what of it does not depend on its serial number.
    fn body(
        &self,
        id: CertificateId,
    ) -> Result<(SigningKey, SignatureAlgorithm, Vec<Element>), PkiError> {
        let certificate = self.certificate(id);
        let issuer = self.issuer_of(id);
        let issuer_key = self.key_of(issuer)?;
        let signature = &certificate.signature;
        let algorithm = signature
            .algorithm
            .filter(|&algorithm| issuer_key.fits(algorithm))
            .unwrap_or_else(|| issuer_key.usual_algorithm());
        let named = signature.named_inside.as_ref().map(AlgorithmName::identifier);
        let around = Surroundings {
            issuer: self.certificate(issuer).subject(),
            issuer_key_id: issuer_key.identifier(),
            algorithm: named.unwrap_or_else(|| algorithm.identifier()),
            key: &self.key_of(id)?,
        };
        Ok((issuer_key, algorithm, behind_serial(certificate, around)))
    }

    /// 16 octets, drawn for all that is said, so that no two certificates share a serial.
    fn serial(&self, certificate: &CertificatePlan, body: &[Element]) -> Vec<u8> {
        if let Some(serial) = &certificate.serial {
            return serial.clone();
        }
        let said = complete(certificate.version, &[], body.to_vec()).to_bytes();
        let purpose = format!("serial of {:x?}", Hash::Sha256.digest(&said));
        let mut serial = [0; 16];
        self.seed.stream(&purpose).fill_bytes(&mut serial);
        // Positive, and never shorter than it looks.
        serial[0] = serial[0] & 0x7f | 0x40;
        serial.to_vec()
    }
}
