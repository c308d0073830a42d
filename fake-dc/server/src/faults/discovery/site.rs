use fake_dc_directory::{DcView, netlogon_flag};

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// Netlogon answers place the client elsewhere than in the DC's site.
#[derive(Debug)]
pub(crate) struct ClientSite {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    site: &'static str,
}

pub(crate) const NONE: ClientSite = ClientSite {
    id: "discovery.no-site",
    summary: "netlogon answers name no site for the client",
    cause: "no subnet object in AD covers the address of the client",
    drawing: "client → DC   netlogon ping\n\
              DC → client   DcSiteName Default-First-Site-Name, ClientSiteName empty\n\
              client        belongs to no site, and every DC is as close as any other",
    site: "",
};

pub(crate) const OTHER: ClientSite = ClientSite {
    id: "discovery.client-in-other-site",
    summary: "netlogon answers place the client in another site than the DC's",
    cause: "DNS gave the client a DC of another site, or its subnet is assigned to the wrong one",
    drawing: "client → DC   netlogon ping\n\
              DC → client   ClientSiteName Other-Site, flags without DS_CLOSEST\n\
              client → DNS  _ldap._tcp.Other-Site._sites.dc._msdcs.corp.example SRV",
    site: "Other-Site",
};

impl ServerFault for ClientSite {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing).at(Listener::PINGED)
    }

    fn netlogon(&self, dc: &mut DcView) {
        dc.netlogon.client_site = Some(self.site.to_owned());
        dc.netlogon.flags_missing |= netlogon_flag::CLOSEST;
    }
}
