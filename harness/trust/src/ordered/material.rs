//! Certificates to upload: a root, an intermediate, and a server certificate for all names of a
//! domain, made from a seed.

use fake_dc_pki::{ChainFault, ChainPlan, DcIdentity, Pki, PkiError};
use ground::{Secret, Seed, Timestamp};

use super::{ServerCertificate, Upload};

/// The domain of the certificate that every release brings along.
pub const BUILT_IN_DOMAIN: &str = "realhostip.com";

/// A chain that an operator has bought, or that a release brings along.
#[derive(Clone, Debug)]
pub struct Material {
    /// PEM.
    pub root: String,
    /// PEM.
    pub intermediate: String,
    /// PEM; stands for every name below the domain.
    pub server: String,
    /// PKCS#8 in PEM.
    pub key: Secret,
    /// What the server certificate stands for.
    pub domain_suffix: String,
}

impl Material {
    /// The chain of `domain`, issued at `now`; a CA by another `name` has other keys.
    ///
    /// # Errors
    ///
    /// The domain cannot be written into a certificate.
    pub fn issue(
        seed: &Seed,
        name: &str,
        domain: &str,
        now: Timestamp,
        faults: &[ChainFault],
    ) -> Result<Self, PkiError> {
        Self::issue_with(seed, name, domain, now, |plan| {
            for fault in faults {
                fault.apply(plan);
            }
        })
    }

    /// The same with a chain that is edited before it is signed.
    ///
    /// # Errors
    ///
    /// The domain cannot be written into a certificate.
    pub fn issue_with(
        seed: &Seed,
        name: &str,
        domain: &str,
        now: Timestamp,
        edit: impl FnOnce(&mut ChainPlan),
    ) -> Result<Self, PkiError> {
        let pki = Pki::new(&seed.child(&format!("chain {name}")), now, domain)?;
        // Nobody looks for an address in it.
        let server = DcIdentity::new("*", domain, [127, 0, 0, 1].into());
        let mut plan = pki.plan(&server)?;
        edit(&mut plan);
        let chain = plan.issue()?;
        // What is left out is as the CA has it.
        let intermediate = chain.certificates.get(1).map(|sent| pem_of(sent));
        Ok(Self {
            root: chain.anchor_pem().unwrap_or_else(|| pki.root_pem().to_owned()),
            intermediate: intermediate.unwrap_or_else(|| pki.intermediate_pem().to_owned()),
            server: chain.leaf_pem(),
            key: Secret::new(chain.key.to_pem()),
            domain_suffix: domain.to_owned(),
        })
    }

    /// The upload of the root.
    pub fn root_upload(&self) -> Upload {
        self.link("root", 1, &self.root)
    }

    /// The upload of the intermediate.
    pub fn intermediate_upload(&self) -> Upload {
        self.link("intermediate1", 2, &self.intermediate)
    }

    /// The upload of the server certificate with its key.
    pub fn server_upload(&self) -> Upload {
        Upload {
            certificate: self.server.clone(),
            domain_suffix: self.domain_suffix.clone(),
            id: None,
            name: "server".to_owned(),
            private_key: Some(self.key.clone()),
        }
    }

    /// All three, in order.
    pub fn uploads(&self) -> [Upload; 3] {
        [self.root_upload(), self.intermediate_upload(), self.server_upload()]
    }

    /// What an appliance is set up with.
    pub(super) fn whole(&self) -> ServerCertificate {
        ServerCertificate {
            certificate: self.server.clone(),
            key: self.key.clone(),
            chain: vec![self.root.clone(), self.intermediate.clone()],
        }
    }

    fn link(&self, name: &str, id: i32, certificate: &str) -> Upload {
        Upload {
            certificate: certificate.to_owned(),
            domain_suffix: self.domain_suffix.clone(),
            id: Some(id),
            name: name.to_owned(),
            private_key: None,
        }
    }
}

fn pem_of(der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new("CERTIFICATE", der), config)
}
