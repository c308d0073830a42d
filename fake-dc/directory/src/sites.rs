//! Where clients are: sites and the subnets that belong to them ([MS-ADTS] 6.1.1.2.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    config::{DcView, Flavour},
    directory::Directory,
    dn::Dn,
    entry::Entry,
    state::State,
};

impl Directory {
    /// The sites whose services DCs of other sites offer where they have no DC of their own:
    /// Windows' automatic site coverage (`AutoSiteCoverage`, on by default), which Samba has not.
    pub fn covered_sites(&self) -> Vec<String> {
        match self.domain.flavour {
            Flavour::Samba4_22 => Vec::new(),
            Flavour::WindowsServer2022 => {
                let state = self.read();
                let sites = state.store.of_class("site");
                sites.filter_map(|site| Some(site.dn.first()?.value.into_owned())).collect()
            }
        }
    }

    /// The site of a client at that address; empty if it is in none.
    ///
    /// The smallest subnet that holds the address decides, if it has a site. In a forest of one
    /// site everybody else is there, and in one of several, nowhere (observed of Samba 4.22.6).
    pub(crate) fn site_of(&self, state: &State, dc: &DcView, client: IpAddr) -> String {
        let client = client.to_canonical();
        let mut nearest = None;
        for (length, site) in
            state.store.of_class("subnet").filter_map(|subnet| holds(subnet, client))
        {
            if nearest.as_ref().is_none_or(|(known, _)| *known < length) {
                nearest = Some((length, site));
            }
        }
        match nearest {
            Some((_, site)) => site,
            None if state.store.of_class("site").count() <= 1 => dc.site.clone(),
            None => String::new(),
        }
    }
}

/// The length of a subnet's prefix and its site, if the address is within.
fn holds(subnet: &Entry, address: IpAddr) -> Option<(u32, String)> {
    let (network, length) = subnet.text("cn")?.split_once('/')?;
    let (network, length) = (network.parse().ok()?, length.parse().ok()?);
    let same = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let ignored = 32_u32.checked_sub(length)?;
            let head = |ip: Ipv4Addr| u32::from(ip).checked_shr(ignored);
            head(network) == head(address)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let ignored = 128_u32.checked_sub(length)?;
            let head = |ip: Ipv6Addr| u128::from(ip).checked_shr(ignored);
            head(network) == head(address)
        }
        _ => false,
    };
    let site = Dn::parse(subnet.text("siteObject")?).ok()?;
    same.then(|| Some((length, site.first()?.value.into_owned())))?
}
