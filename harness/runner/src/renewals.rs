//! Steps about CAs that are renewed.

use fake_dc_pki::RenewalKey;
use ground::{Trail, fact};
use scenario::RenewCa;
use serde::Serialize;

use crate::world::{World, WorldError};

/// The CA of a domain has new certificates.
#[derive(Debug, Serialize)]
pub(crate) struct CaRenewed {
    domain: String,
    /// Whether it has kept its key.
    keep_key: bool,
}
fact!(CaRenewed, "domain.ca-renewed");

/// Renews the CA of a domain as its administrator does.
pub(crate) fn renew_ca(world: &World, renewal: &RenewCa, trail: &Trail) -> Result<(), WorldError> {
    let key = if renewal.keep_key { RenewalKey::Same } else { RenewalKey::New };
    world.domain(&renewal.domain)?.renew_ca(key, renewal.days)?;
    trail.record(CaRenewed { domain: renewal.domain.to_string(), keep_key: renewal.keep_key });
    Ok(())
}
