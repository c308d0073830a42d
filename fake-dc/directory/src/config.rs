//! What a domain is made from.

use std::net::Ipv4Addr;

use ground::{Clock, Secret, Seed};

/// The domain to build.
#[derive(Clone, Debug)]
pub struct DirectoryConfig {
    /// DNS name of the domain: `corp.example`.
    pub domain: String,
    /// NetBIOS name of the domain; by default the first label of the DNS name in upper case.
    pub netbios: Option<String>,
    /// DNS name of the domain at the root of the forest, whose configuration and schema the domain
    /// shares; by default the domain is the root itself.
    pub forest_root: Option<String>,
    /// What identifiers are drawn from.
    pub seed: Seed,
    /// What account states, times and expiries are computed from.
    pub clock: Clock,
    /// LDIF to lay over the built-in skeleton, in order.
    pub sources: Vec<LdifSource>,
    /// Password of every account that has no `userPassword` in the LDIF.
    pub default_password: Secret,
    /// Whose answers to give.
    pub flavour: Flavour,
    /// What the domain asks of its clients.
    pub policy: Policy,
    /// The DCs that have accounts from the start; the first holds the PDC role.
    pub dcs: Vec<DcView>,
}

impl DirectoryConfig {
    /// The default domain of that name.
    pub fn new(domain: impl Into<String>, seed: Seed, clock: Clock) -> Self {
        Self {
            domain: domain.into(),
            netbios: None,
            forest_root: None,
            seed,
            clock,
            sources: Vec::new(),
            default_password: Secret::new("Passw0rd!Lab1"),
            flavour: Flavour::default(),
            policy: Policy::default(),
            dcs: Vec::new(),
        }
    }
}

/// LDIF text and the name that errors give it.
#[derive(Clone, Debug)]
pub struct LdifSource {
    /// Usually the path of the file.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// Which product the domain answers like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flavour {
    /// Samba AD DC 4.22, as captured.
    Samba4_22,
    /// Windows Server 2022, as documented.
    #[default]
    WindowsServer2022,
}

/// What the domain asks of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Refuses simple binds, and SASL binds that neither sign nor seal, on connections that are
    /// not protected. Off by default, as on Windows Server 2022; Samba 4.22 has it on (`ldap
    /// server require strong auth`).
    pub require_strong_auth: bool,
    /// `MaxPageSize` of the LDAP policies. Samba 4.22 does not enforce it on unpaged searches.
    pub max_page_size: u32,
    /// `MaxValRange` of the LDAP policies: values of one attribute in one answer. Samba 4.22 does
    /// not enforce it.
    pub max_val_range: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { require_strong_auth: false, max_page_size: 1_000, max_val_range: 1_500 }
    }
}

/// The DC that answers: what differs between the DCs of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DcView {
    /// First label of its name: `dc1`.
    pub name: String,
    /// Its DNS name: `dc1.corp.example`.
    pub dns_name: String,
    /// The site it is in.
    pub site: String,
    /// Its address, given in netlogon answers of the old form.
    pub address: Ipv4Addr,
    /// What it claims in netlogon answers.
    pub netlogon: NetlogonClaims,
}

/// What a DC claims of itself in netlogon answers, as far as that differs from what it is. The
/// default differs in nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetlogonClaims {
    /// Its DNS name, where that is not [`DcView::dns_name`].
    pub dns_name: Option<String>,
    /// DNS name of the domain and the forest that it serves, where that is another.
    pub domain: Option<String>,
    /// Site of the client, where that is not the DC's own; empty for none.
    pub client_site: Option<String>,
    /// Bits of [`netlogon_flag`](crate::netlogon_flag) that it has beside its own.
    pub flags_added: u32,
    /// Bits that it lacks.
    pub flags_missing: u32,
    /// Answers LOGON_SAM_LOGON_PAUSE_RESPONSE: its Netlogon service is paused.
    pub paused: bool,
    /// Answers no ping.
    pub withheld: bool,
    /// Answers in the form of Windows NT 4.0, whatever was asked for.
    pub nt4_emulation: bool,
}

impl DcView {
    /// A DC of that domain in the site that every new forest has.
    pub fn new(name: impl Into<String>, domain: &str) -> Self {
        let name = name.into();
        Self {
            dns_name: format!("{name}.{domain}"),
            name,
            site: "Default-First-Site-Name".to_owned(),
            address: Ipv4Addr::LOCALHOST,
            netlogon: NetlogonClaims::default(),
        }
    }
}
