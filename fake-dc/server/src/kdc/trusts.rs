//! The directory's trusts as the partners of its realm.

use fake_dc_directory::{Directory, Trust, TrustDirection};
use fake_dc_kerberos::{KeyCache, NameKind, Partner, PrincipalName, Salt};

/// The partner of that DNS or NetBIOS name.
pub(super) fn partner(directory: &Directory, keys: &KeyCache, realm: &str) -> Option<Partner> {
    let is_called = |trust: &Trust| {
        realm.eq_ignore_ascii_case(&trust.partner.dns_name)
            || realm.eq_ignore_ascii_case(&trust.partner.netbios_name)
    };
    directory.trusts().into_iter().find(is_called).map(|trust| read(directory, keys, &trust))
}

/// The partner in whose domain, or below it, the host of a service or the suffix of a user
/// principal name is.
pub(super) fn partner_of(
    directory: &Directory,
    keys: &KeyCache,
    name: &PrincipalName,
) -> Option<Partner> {
    let place = match name.parts.as_slice() {
        [user] if name.kind == NameKind::ENTERPRISE => user.rsplit_once('@')?.1,
        // Of a service in a domain, `ldap/dc1.other.example/other.example`, that says where.
        [_, host] | [_, _, host] => host,
        _ => return None,
    };
    // What a child domain has is not looked for in its parent.
    let here = directory.dns_name();
    let is_own = |partner: &str| is_at_or_below(place, here) && is_at_or_below(here, partner);
    let is_there = |trust: &Trust| {
        let partner = trust.partner.dns_name.as_str();
        is_at_or_below(place, partner) && !is_own(partner)
    };
    let there = directory.trusts().into_iter().filter(is_there);
    let nearest = there.max_by_key(|trust| trust.partner.dns_name.len())?;
    Some(read(directory, keys, &nearest))
}

/// The keys are those of the two ticket-granting services, salted with the names of theirs
/// (`samba_kdc_trust_message2entry` of Samba 4.22).
fn read(directory: &Directory, keys: &KeyCache, trust: &Trust) -> Partner {
    let (here, there) = (directory.dns_name(), trust.partner.dns_name.as_str());
    let made = |salt: String| keys.keys(&trust.password, &salt, trust.password_version);
    let (trusts, is_trusted) = match trust.direction {
        TrustDirection::Both => (true, true),
        TrustDirection::Inbound => (false, true),
        TrustDirection::Outbound => (true, false),
    };
    Partner {
        realm: there.to_uppercase(),
        domain_sid: trust.partner.sid.as_bytes().to_vec(),
        incoming: trusts.then(|| made(Salt::of_trust(there, here))),
        outgoing: is_trusted.then(|| made(Salt::of_trust(here, there))),
    }
}

fn is_at_or_below(name: &str, domain: &str) -> bool {
    let (name, domain) = (name.to_lowercase(), domain.to_lowercase());
    name.strip_suffix(&domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}
