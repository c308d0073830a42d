//! Chains to upload.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use fake_dc_pki::{DcIdentity, Pki};
use ground::{Secret, Seed, Timestamp};
use trust_models::ordered::Upload;

pub(crate) const SUFFIX: &str = "corp.example";

pub(crate) fn now() -> Timestamp {
    "2026-01-04T06:38:29Z".parse().unwrap()
}

/// Root, intermediate, server certificate and its key, in PEM.
pub(crate) struct Material {
    pub(crate) root: String,
    pub(crate) intermediate: String,
    pub(crate) server: String,
    pub(crate) key: String,
}

impl Material {
    pub(crate) fn new(seed: u64) -> Self {
        let pki = Pki::new(&Seed::new(seed), now(), &format!("ca{seed}.example")).unwrap();
        let server = DcIdentity::new("storage1", SUFFIX, [127, 0, 0, 1].into());
        let chain = pki.chain(&server, &[]).unwrap();
        Self {
            root: pki.root_pem().to_owned(),
            intermediate: pki.intermediate_pem().to_owned(),
            server: chain.leaf_pem(),
            key: to_pem("PRIVATE KEY", chain.key.to_der().secret_der()),
        }
    }

    pub(crate) fn root(&self) -> Upload {
        link(1, "root", &self.root)
    }

    pub(crate) fn intermediate(&self) -> Upload {
        link(2, "intermediate1", &self.intermediate)
    }

    pub(crate) fn server(&self) -> Upload {
        Upload {
            id: None,
            private_key: Some(Secret::new(self.key.clone())),
            ..link(0, "server", &self.server)
        }
    }
}

pub(crate) fn link(id: i32, name: &str, certificate: &str) -> Upload {
    Upload {
        certificate: certificate.to_owned(),
        domain_suffix: SUFFIX.to_owned(),
        id: Some(id),
        name: name.to_owned(),
        private_key: None,
    }
}

fn to_pem(label: &str, der: &[u8]) -> String {
    let lines: Vec<String> = BASE64_STANDARD
        .encode(der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
