use fake_dc_directory::DcView;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// Netlogon answers give another form of the DC's name than its DNS name.
#[derive(Debug)]
pub(crate) struct CldapName {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    name: fn(&DcView) -> String,
}

pub(crate) const NETBIOS: CldapName = CldapName {
    id: "name.cldap-name-netbios",
    summary: "netlogon answers give the NetBIOS name instead of the DNS name",
    cause: "the primary DNS suffix of the DC is not set",
    drawing: "client → DC   netlogon ping\n\
              DC → client   DnsHostName DC1\n\
              client        compares the certificate with DC1",
    name: |dc| dc.name.to_uppercase(),
};

pub(crate) const EMPTY: CldapName = CldapName {
    id: "name.cldap-name-empty",
    summary: "netlogon answers give no DNS name",
    cause: "the DC was restored or cloned and its Netlogon service does not know its name yet",
    drawing: "client → DC   netlogon ping\n\
              DC → client   DnsHostName, empty\n\
              client        compares the certificate with nothing, which never fits",
    name: |_| String::new(),
};

pub(crate) const IP: CldapName = CldapName {
    id: "name.cldap-name-ip",
    summary: "netlogon answers give the DC's address instead of its name",
    cause: "a directory that imitates AD fills the field with the address it listens on",
    drawing: "client → DC   netlogon ping\n\
              DC → client   DnsHostName 127.0.0.10\n\
              client        has an address to compare the certificate with, and does not",
    name: |dc| dc.address.to_string(),
};

pub(crate) const DOMAIN: CldapName = CldapName {
    id: "name.cldap-name-domain",
    summary: "netlogon answers give the name of the domain instead of the DC's",
    cause: "a load balancer answers pings for all DCs behind it, under the domain's name",
    drawing: "client → DC   netlogon ping\n\
              DC → client   DnsHostName corp.example\n\
              client        compares the certificate with corp.example",
    name: |dc| dc.dns_name.split_once('.').map_or_else(String::new, |(_, rest)| rest.to_owned()),
};

pub(crate) const CAPITALS: CldapName = CldapName {
    id: "name.cldap-name-capitals",
    summary: "netlogon answers give the DC's DNS name in capitals",
    cause: "the machine was named in capitals when it was installed",
    drawing: "client → DC   netlogon ping\n\
              DC → client   DnsHostName DC1.CORP.EXAMPLE\n\
              client        compares the certificate with it in any letter case",
    name: |dc| dc.dns_name.to_uppercase(),
};

impl ServerFault for CldapName {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing).at(Listener::PINGED)
    }

    fn netlogon(&self, dc: &mut DcView) {
        dc.netlogon.dns_name = Some((self.name)(dc));
    }
}
