//! From plan to bytes.

use ground::Seed;
use rand::Rng as _;
use rustls_pki_types::CertificateDer;

use crate::{
    algorithm::{Hash, SignatureAlgorithm},
    body::{Surroundings, behind_serial, complete},
    certificate::{AlgorithmName, CertificatePlan},
    chain::Chain,
    crl::Crls,
    der::Element,
    error::PkiError,
    key::SigningKey,
    plan::{CertificateId, ChainPlan, Sent},
    register::Register,
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
        self.unsigned(id).sign()
    }

    /// The content octets of the serial number that a certificate of the plan will have.
    pub(crate) fn serial_of(&self, id: CertificateId) -> Result<Vec<u8>, PkiError> {
        let unsigned = self.unsigned(id);
        let (_, _, body) = unsigned.body()?;
        Ok(unsigned.serial(&body))
    }

    /// The key of a certificate of the plan.
    ///
    /// # Errors
    ///
    /// As [`SigningKey::choose`].
    pub fn key_of(&self, id: CertificateId) -> Result<SigningKey, PkiError> {
        SigningKey::choose(&self.seed, &self.certificate(id).key)
    }

    fn unsigned(&self, id: CertificateId) -> Unsigned<'_> {
        Unsigned {
            register: &self.register,
            seed: &self.seed,
            certificate: self.certificate(id),
            issuer: self.certificate(self.issuer_of(id)),
        }
    }
}

impl CertificatePlan {
    /// Signs a certificate that stands alone: it is signed by its own key, whatever the plan says.
    ///
    /// ```
    /// use fake_dc_pki::CertificatePlan;
    /// use ground::{Seed, Timestamp};
    ///
    /// let now = Timestamp::from_unix(1_787_277_600);
    /// let mut plan = CertificatePlan::server("host1");
    /// plan.named("host1").also_named(["host1"]).valid(now, now.plus_days(3_650));
    /// let chain = plan.issue_alone(&Seed::new(1))?;
    /// assert_eq!(chain.certificates.len(), 1);
    /// # Ok::<(), fake_dc_pki::PkiError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A signature that the key is too small for.
    pub fn issue_alone(&self, seed: &Seed) -> Result<Chain, PkiError> {
        let register = &Register::default();
        let certificate = Unsigned { register, seed, certificate: self, issuer: self }.sign()?;
        Ok(Chain {
            certificates: vec![certificate.clone()],
            key: SigningKey::choose(seed, &self.key)?.to_private_key(),
            anchor: Some(certificate),
            crls: Crls::default(),
            planned: None,
        })
    }
}

/// A serial number as CAs draw it: 16 octets, another one for each purpose.
pub fn serial_number(seed: &Seed, purpose: &str) -> [u8; 16] {
    let mut serial = [0; 16];
    seed.stream(purpose).fill_bytes(&mut serial);
    // Positive, and never shorter than it looks.
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

/// A certificate and who signs it.
struct Unsigned<'a> {
    register: &'a Register,
    seed: &'a Seed,
    certificate: &'a CertificatePlan,
    issuer: &'a CertificatePlan,
}

impl Unsigned<'_> {
    fn sign(&self) -> Result<CertificateDer<'static>, PkiError> {
        let Self { certificate, .. } = self;
        let (issuer_key, algorithm, body) = self.body()?;
        let serial = self.serial(&body);
        let body = complete(certificate.version, &serial, body);
        let mut whole = self.register.sign(&issuer_key, algorithm, body)?;
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

    /// Who signs it and how, and what of it does not depend on its serial number.
    fn body(&self) -> Result<(SigningKey, SignatureAlgorithm, Vec<Element>), PkiError> {
        let Self { seed, certificate, issuer, .. } = self;
        let issuer_key = SigningKey::choose(seed, &issuer.key)?;
        let signature = &certificate.signature;
        let algorithm = signature
            .algorithm
            .filter(|&algorithm| issuer_key.fits(algorithm))
            .unwrap_or_else(|| issuer_key.usual_algorithm());
        let named = signature.named_inside.as_ref().map(AlgorithmName::identifier);
        let around = Surroundings {
            issuer: issuer.subject(),
            issuer_key_id: issuer_key.identifier(),
            algorithm: named.unwrap_or_else(|| algorithm.identifier()),
            key: &SigningKey::choose(seed, &certificate.key)?,
        };
        Ok((issuer_key, algorithm, behind_serial(certificate, around)))
    }

    /// 16 octets, drawn for all that is said, so that no two certificates share a serial.
    fn serial(&self, body: &[Element]) -> Vec<u8> {
        let Self { certificate, .. } = self;
        if let Some(serial) = &certificate.serial {
            return serial.clone();
        }
        let said = complete(certificate.version, &[], body.to_vec()).to_bytes();
        let purpose = format!("serial of {:x?}", Hash::Sha256.digest(&said));
        serial_number(self.seed, &purpose).to_vec()
    }
}
