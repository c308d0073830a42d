//! Machine accounts in the fake directory.

use fake_dc_directory::AccountName;

use super::{Breach, look::Look};

/// A host that is joined has its account in the domain (§7.4): nothing but leaving takes it away.
pub(super) fn exist(look: &Look<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for host in look.hosts.iter().filter(|host| host.has_ad()) {
        let Some(record) = &host.record else { continue };
        let service = record.external_auth_service_name.to_lowercase();
        let domain = look.view.world.domains().find(|domain| domain.name() == service);
        // A domain by its NetBIOS name, or one that is not simulated.
        let Some(domain) = domain else { continue };
        let Some(machine) = record.external_auth_configuration.get("netbios_name") else {
            continue;
        };
        let account = format!("{machine}$");
        if domain.directory().account_dn(AccountName::Account(&account)).is_none() {
            let name = host.name();
            let what = format!("{name} has AD, and {service} has no account {account}");
            breaches.push(Breach::new(name, what));
        }
    }
    breaches
}
