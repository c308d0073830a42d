//! From the description of a domain to the running one.

use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    panic::resume_unwind,
    sync::{Arc, RwLock, atomic::AtomicU64},
};

use fake_dc_directory::{DcView, Directory, DirectoryConfig, Flavour, LdifSource, Policy};
use fake_dc_kerberos::gss::BindingPolicy;
use fake_dc_pki::{CaCertificate, Chain, Pki};
use ground::{Clock, Ledger, Secret, Seed};
use hickory_proto::rr::Name;
use tokio::{net::UdpSocket, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    authority::{self, Authority},
    behind::{self, Behind, RealDc},
    client_certificate::ClientCertificates,
    dc::{Dc, Draft, Ports, Sockets},
    dns::Zone,
    domain::{Common, Domain},
    error::Error,
    fault::{Fault, Faults},
    kdc::Kerberos,
    ldap_policy::LdapPolicy,
    limits,
    tasks::{self, Spawner},
    tls::TlsPolicy,
};

/// A domain before it is started. Made by [`Domain::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `start`"]
pub struct Builder {
    name: String,
    netbios: Option<String>,
    forest_root: Option<String>,
    index: u8,
    seed: Seed,
    clock: Clock,
    ledger: Option<Ledger>,
    site: String,
    flavour: Flavour,
    policy: Policy,
    ldap_policy: Option<LdapPolicy>,
    channel_binding: BindingPolicy,
    client_certificates: ClientCertificates,
    default_password: Secret,
    ldif: Vec<LdifSource>,
    dcs: Vec<DcSpec>,
    faults: Vec<(String, String)>,
    ports: Ports,
    addresses_in_certificates: bool,
    behind: Option<RealDc>,
    in_memory: bool,
}

/// A DC before it is started. Everything but the name has a default.
#[derive(Clone, Debug)]
pub struct DcSpec {
    name: String,
    faults: Vec<String>,
    chain: Option<Chain>,
    address: Option<Ipv4Addr>,
    ports: Option<Ports>,
    site: Option<String>,
    netlogon_name: Option<String>,
}

impl DcSpec {
    /// The DC called `name`, the first label of its DNS name: `dc1`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            faults: Vec::new(),
            chain: None,
            address: None,
            ports: None,
            site: None,
            netlogon_name: None,
        }
    }

    /// With one more fault, as text: see [`Fault`].
    #[must_use]
    pub fn fault(mut self, id: impl Into<String>) -> Self {
        self.faults.push(id.into());
        self
    }

    /// Showing this chain instead of one from the domain's CA.
    #[must_use]
    pub fn chain(mut self, chain: Chain) -> Self {
        self.chain = Some(chain);
        self
    }

    /// At this address instead of 127.0.INDEX.(10 + number of the DC from 0).
    #[must_use]
    pub fn address(mut self, address: Ipv4Addr) -> Self {
        self.address = Some(address);
        self
    }

    /// At these ports instead of those of the domain.
    #[must_use]
    pub fn ports(mut self, ports: Ports) -> Self {
        self.ports = Some(ports);
        self
    }

    /// In this site instead of the domain's.
    #[must_use]
    pub fn site(mut self, site: impl Into<String>) -> Self {
        self.site = Some(site.into());
        self
    }

    /// Giving this name in answers to netlogon pings instead of its DNS name.
    #[must_use]
    pub fn netlogon_name(mut self, name: impl Into<String>) -> Self {
        self.netlogon_name = Some(name.into());
        self
    }
}

impl Builder {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            netbios: None,
            forest_root: None,
            index: 0,
            seed: Seed::new(0),
            clock: Clock::system(),
            ledger: None,
            site: "Default-First-Site-Name".to_owned(),
            flavour: Flavour::default(),
            policy: Policy::default(),
            ldap_policy: None,
            channel_binding: BindingPolicy::default(),
            client_certificates: ClientCertificates::default(),
            default_password: Secret::new(DEFAULT_PASSWORD),
            ldif: Vec::new(),
            dcs: Vec::new(),
            faults: Vec::new(),
            ports: Ports::SYSTEM,
            addresses_in_certificates: false,
            behind: None,
            in_memory: false,
        }
    }

    /// With `real` behind its one DC, which becomes the front of it: it has the name of the real
    /// one and the domain that of the real one's, whatever they were called until now. It ends TLS
    /// with a chain of its own, passes LDAP inside, and passes everything else.
    ///
    /// Faults of what the real DC does itself are refused, see [`Error::NotBeforeRealDc`].
    ///
    /// A client binds its Kerberos tokens to the certificate that it was shown. So binds with
    /// channel bindings succeed only if the real DC shows the same certificate, or does not demand
    /// bindings: `LdapEnforceChannelBinding` 0 on Windows (with 1, clients that send bindings fail),
    /// `ldap server require strong auth = allow_sasl_without_tls_channel_bindings` on Samba.
    pub fn behind(mut self, real: RealDc) -> Self {
        self.name = real.domain().to_owned();
        self.netbios = Some(real.netbios_domain().to_owned());
        self.site = real.site().to_owned();
        self.ldif.push(behind::domain_head(&real));
        self.behind = Some(real);
        self
    }

    /// Its NetBIOS name. The default is the first label of its DNS name in capitals.
    pub fn netbios(mut self, name: impl Into<String>) -> Self {
        self.netbios = Some(name.into());
        self
    }

    /// In the forest whose root domain has that DNS name: configuration and schema are the root's.
    /// By default the domain is the root of its own forest. A trust
    /// ([`Directory::trust`], [`TrustKind::WithinForest`](fake_dc_directory::TrustKind)) makes the
    /// two know each other.
    pub fn forest_root(mut self, name: impl Into<String>) -> Self {
        self.forest_root = Some(name.into());
        self
    }

    /// With `count` DCs called `dc1`, `dc2` and so on. The default is one.
    pub fn dcs(mut self, count: usize) -> Self {
        self.dcs.extend((1..=count).map(|number| DcSpec::new(format!("dc{number}"))));
        self
    }

    /// With one more DC.
    pub fn dc(mut self, dc: DcSpec) -> Self {
        self.dcs.push(dc);
        self
    }

    /// With a fault, as text (see [`Fault`]), on the DC called `dc`.
    pub fn fault(mut self, dc: impl Into<String>, id: impl Into<String>) -> Self {
        self.faults.push((dc.into(), id.into()));
        self
    }

    /// The number of this domain among those of a world: its DCs are at 127.0.`index`.10 and up.
    pub fn index(mut self, index: u8) -> Self {
        self.index = index;
        self
    }

    /// The seed that identifiers, keys and serial numbers come from. The default is 0.
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// The clock of the DCs. The default is the machine's, which real clients judge by.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Where to record what reaches the DCs. The default keeps the last
    /// [`Ledger::SERVICE_CAPACITY`] events.
    pub fn ledger(mut self, ledger: Ledger) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// The site of the DCs that are given no other. The default is that of a new forest,
    /// `Default-First-Site-Name`. Subnets, and sites without a DC, come with LDIF: objects of the
    /// classes `subnet` and `site` below `CN=Sites`.
    pub fn site(mut self, site: impl Into<String>) -> Self {
        self.site = site.into();
        self
    }

    /// Which product the directory answers like.
    pub fn flavour(mut self, flavour: Flavour) -> Self {
        self.flavour = flavour;
        self
    }

    /// What the domain asks of its clients.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// What LDAP allows its connections. The default is that of the flavour.
    pub fn ldap_policy(mut self, policy: LdapPolicy) -> Self {
        self.ldap_policy = Some(policy);
        self
    }

    /// Whether binds with Kerberos inside TLS must be bound to it: `LdapEnforceChannelBinding`.
    /// The default is that of Windows Server 2022: where the client sends bindings.
    pub fn channel_binding(mut self, policy: BindingPolicy) -> Self {
        self.channel_binding = policy;
        self
    }

    /// Whether the DCs ask clients for a certificate. A Windows DC takes one of the CA of the domain,
    /// or of another that is named, as proof of who the client is; a Samba DC makes nothing of it.
    /// The default is not to ask.
    pub fn client_certificates(mut self, asked: ClientCertificates) -> Self {
        self.client_certificates = asked;
        self
    }

    /// Password of every account that the LDIF gives none. The default is `Passw0rd!Lab1`.
    pub fn default_password(mut self, password: Secret) -> Self {
        self.default_password = password;
        self
    }

    /// With the entries of an LDIF text, which errors call `name`.
    pub fn ldif(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.ldif.push(LdifSource { name: name.into(), text: text.into() });
        self
    }

    /// Ports of every DC. The default lets the system choose.
    pub fn ports(mut self, ports: Ports) -> Self {
        self.ports = ports;
        self
    }

    /// Whether sound certificates name the DC's address beside its DNS name, so that a client can
    /// use a URL with the address. No DC's certificate does; the default is not to.
    pub fn addresses_in_certificates(mut self, included: bool) -> Self {
        self.addresses_in_certificates = included;
        self
    }

    /// Without sockets: its DCs have addresses 10.`index`.0.10 and up that exist nowhere, standard
    /// ports, and only [doors in memory](Domain::memory_door). There may be
    /// [`limits::DCS_IN_MEMORY_MAX`] of them, and the runtime needs no I/O.
    pub fn in_memory(mut self) -> Self {
        self.in_memory = true;
        self
    }

    /// Starts the domain: when this returns, every listener takes connections.
    ///
    /// Must be called within a tokio runtime with I/O and time, which then serves the domain.
    ///
    /// # Errors
    ///
    /// Anything of [`Error`]. Nothing is left open then.
    pub async fn start(mut self) -> Result<Domain, Error> {
        self.check_dcs()?;
        let apex = dns_name("domain name", &self.name)?;
        let views: Vec<DcView> = self.views()?;
        let ledger = self
            .ledger
            .clone()
            .unwrap_or_else(|| Ledger::with_capacity(self.clock.clone(), Ledger::SERVICE_CAPACITY));
        let front_ports = self.dcs.first().and_then(|dc| dc.ports).unwrap_or(self.ports);
        // First, since they are what may be refused.
        let mut sockets = Vec::with_capacity(views.len());
        for (view, spec) in views.iter().zip(&self.dcs) {
            let ports = spec.ports.unwrap_or(self.ports);
            sockets.push(match self.in_memory {
                true => Sockets::none(view.address),
                false => Sockets::open(&view.name, view.address, ports)?,
            });
        }
        // Signing takes as long as the directory does: where there is a second thread, it does that.
        let (seed, now, name) = (self.seed, self.clock.now(), self.name.clone());
        let pki = tokio::spawn(async move { Pki::new(&seed, now, &name) });
        let directory = Directory::build(DirectoryConfig {
            netbios: self.netbios,
            forest_root: self.forest_root,
            sources: self.ldif,
            default_password: self.default_password,
            flavour: self.flavour,
            policy: self.policy,
            dcs: views.clone(),
            ..DirectoryConfig::new(&self.name, self.seed, self.clock.clone())
        });
        let pki = pki.await.unwrap_or_else(|failed| resume_unwind(failed.into_panic()))?;
        let directory = directory?;
        authority::publish(&directory, &pki)?;

        let mut drafts = Vec::with_capacity(views.len());
        for ((view, spec), sockets) in views.into_iter().zip(self.dcs).zip(sockets) {
            let faults =
                spec.faults.iter().map(|id| id.parse()).collect::<Result<Vec<Fault>, _>>()?;
            drafts.push(Draft {
                host: dns_name("DC name", &view.dns_name)?,
                settings: directory.settings_guid(&view).unwrap_or_default().to_string(),
                given: spec.chain,
                faults: Faults::new(faults),
                sockets,
                view,
            });
        }
        let behind = match (self.behind, drafts.first()) {
            (Some(real), Some(front)) => {
                behind::check(front.faults.all())?;
                let names = Zone::new(&apex, &directory, &[front.sound_registration()])
                    .map_err(|error| invalid("domain name", &self.name, error.to_string()))?;
                let own_ca = pki.certificate(CaCertificate::Root)?;
                let (ip, now) = (front.view.address, self.clock.now());
                Some(Arc::new(Behind::open(real, ip, front_ports, names, own_ca, now)?))
            }
            _ => None,
        };
        let registrations: Vec<_> = drafts.iter().map(Draft::registration).collect();
        let zone = Zone::new(&apex, &directory, &registrations)
            .map_err(|error| invalid("domain name", &self.name, error.to_string()))?;
        let authority = Authority::new(pki);
        self.client_certificates.check(&authority)?;
        let common = Arc::new(Common {
            zone: RwLock::new(Arc::new(zone)),
            forwarders: RwLock::default(),
            name: self.name,
            apex,
            clock: self.clock,
            ledger,
            directory,
            behind,
            authority,
            kerberos: Kerberos::new(&self.seed),
            channel_binding: self.channel_binding,
            client_certificates: self.client_certificates,
            ldap_policy: self.ldap_policy.unwrap_or_else(|| LdapPolicy::of(self.flavour)),
            seed: self.seed,
            lines: AtomicU64::new(0),
            provider: TlsPolicy::provider(),
            open: watch::Sender::new(0),
            addresses_in_certificates: self.addresses_in_certificates,
            in_memory: self.in_memory,
        });

        let mut served: Vec<(Arc<Dc>, Option<UdpSocket>)> = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let (dc, dns) = draft.finish(&common)?;
            served.push((Arc::new(dc), dns));
        }
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let mut dcs = Vec::with_capacity(served.len());
        for (dc, dns) in served {
            if let Some(dns) = dns {
                tasks::serve(&dc, dns, &Spawner::new(&tasks, stop.clone()));
            }
            dcs.push(dc);
        }
        Ok(Domain::running(common, dcs, tasks, stop))
    }

    /// Settles which DCs there are and which faults they have.
    fn check_dcs(&mut self) -> Result<(), Error> {
        let only = self.behind.as_ref().map_or("dc1", RealDc::name);
        if self.dcs.is_empty() {
            self.dcs.push(DcSpec::new(only));
        }
        if self.behind.is_some() && !matches!(&self.dcs[..], [dc] if dc.name == only) {
            return Err(Error::NotTheFront {
                real: only.to_owned(),
                dcs: self.dcs.iter().map(|dc| dc.name.clone()).collect(),
            });
        }
        let most = if self.in_memory { limits::DCS_IN_MEMORY_MAX } else { limits::DCS_MAX };
        if self.dcs.len() > most {
            return Err(Error::TooManyDcs { asked: self.dcs.len(), most });
        }
        let mut names = BTreeSet::new();
        if let Some(dc) = self.dcs.iter().find(|dc| !names.insert(dc.name.to_ascii_lowercase())) {
            return Err(Error::DuplicateDc { dc: dc.name.clone() });
        }
        for (name, fault) in std::mem::take(&mut self.faults) {
            let known = self.dcs.iter().map(|dc| dc.name.clone()).collect();
            match self.dcs.iter_mut().find(|dc| dc.name == name) {
                Some(dc) => dc.faults.push(fault),
                None => return Err(Error::UnknownDc { name, known }),
            }
        }
        Ok(())
    }

    fn views(&self) -> Result<Vec<DcView>, Error> {
        let first = match self.in_memory {
            true => Ipv4Addr::new(10, self.index, 0, 10),
            false => Ipv4Addr::new(127, 0, self.index, 10),
        };
        (0_u32..)
            .zip(&self.dcs)
            .map(|(number, dc)| {
                if dc.name.contains('.') {
                    let cause = "it has a dot; give the first label only".to_owned();
                    return Err(invalid("DC name", &dc.name, cause));
                }
                let mut view = DcView::new(dc.name.as_str(), &self.name);
                view.site = dc.site.clone().unwrap_or_else(|| self.site.clone());
                view.netlogon.dns_name = dc.netlogon_name.clone();
                if let Some(real) = &self.behind {
                    behind::imitate(real, &mut view);
                }
                view.address =
                    dc.address.unwrap_or_else(|| Ipv4Addr::from(u32::from(first) + number));
                Ok(view)
            })
            .collect()
    }
}

/// The default password of the lab, in tests and in the default directory.
const DEFAULT_PASSWORD: &str = "Passw0rd!Lab1";

fn dns_name(what: &'static str, name: &str) -> Result<Name, Error> {
    if name.is_empty() || name.split('.').any(str::is_empty) {
        return Err(invalid(what, name, "it has an empty label".to_owned()));
    }
    if let Some(strange) = name.chars().find(|&c| !c.is_ascii_alphanumeric() && !"-_.".contains(c))
    {
        return Err(invalid(what, name, format!("it has the character `{strange}`")));
    }
    let mut dns_name =
        Name::from_ascii(name).map_err(|error| invalid(what, name, error.to_string()))?;
    dns_name.set_fqdn(true);
    Ok(dns_name)
}

fn invalid(what: &'static str, name: &str, cause: String) -> Error {
    Error::InvalidName { what, name: name.to_owned(), cause }
}
