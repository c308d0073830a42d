//! `fake-dc serve`: starts a domain, says where it is, and serves it until told to stop.

use std::{collections::BTreeMap, net::Ipv4Addr, path::PathBuf, pin::Pin, sync::Arc};

use clap::Args;
use fake_dc::{ClientCertificates, DcSpec, Domain, LdapPolicy, RealDc};
use fake_dc_directory::{Flavour, Policy, TrustPartner};
use fake_dc_kerberos::gss::BindingPolicy;
use fake_dc_pki::{Chain, PemFile};
use ground::{Ledger, Secret, Seed};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    announce::{Served, announce},
    behind::{BehindLine, BehindOptions},
    ca_file::CaFile,
    chain_files,
    clone::CloneFolder,
    control::Control,
    descriptors,
    error::Failure,
    exit::Exit,
    health::Health,
    input::{
        AccountFile, DcFault, DcFile, LdapSetting, TrustArgument, channel_binding,
        client_certificates, flavour, read, read_ldif,
    },
    ports::{self, PortOptions},
    record::Record,
};

/// What to serve.
#[derive(Debug, Args)]
#[command(after_long_help = ports::HELP)]
pub(crate) struct Options {
    /// DNS name of the domain, such as corp.example; by default that of --clone.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["clones", "behind"])]
    domain: Option<String>,
    /// NetBIOS name of the domain; by default the first label of its DNS name.
    #[arg(long, value_name = "NAME")]
    netbios: Option<String>,
    /// Number of DCs: dc1, dc2 and so on.
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    dcs: usize,
    /// A fault of a DC, as DC=ID[:VALUE][@LISTENER]; may be given several times. `fake-dc faults`
    /// lists all.
    #[arg(long = "fault", value_name = "DC=FAULT")]
    faults: Vec<DcFault>,
    /// The seed of identifiers, keys and serial numbers.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Entries to load: an LDIF file, or a folder whose *.ldif files are loaded in order.
    #[arg(long, value_name = "PATH")]
    ldif: Vec<PathBuf>,
    /// File with the password of all accounts that the LDIF gives none; by default Passw0rd!Lab1.
    #[arg(long, value_name = "FILE")]
    default_password_file: Option<PathBuf>,
    /// A trust with another domain, of the kind `forest`, `external` or `within-forest`, and in the
    /// direction `both`, `inbound` or `outbound`; may be given several times. The other domain is
    /// taken for one that is served with the same seed.
    #[arg(long = "trust", value_name = "DOMAIN[=KIND[:DIRECTION]]")]
    trusts: Vec<TrustArgument>,
    /// The domain at the root of the forest, whose configuration and schema the domain shares; by
    /// default the domain is the root itself.
    #[arg(long, value_name = "DOMAIN")]
    forest_root: Option<String>,
    /// Whose answers to give: windows-2022 or samba-4.22.
    #[arg(long, value_parser = flavour, default_value = "windows-2022")]
    flavour: Flavour,
    /// Whether binds with Kerberos inside TLS must be bound to it: none, if-sent or always
    /// (`LdapEnforceChannelBinding` of Windows, 0 to 2).
    #[arg(long, value_name = "WHEN", value_parser = channel_binding, default_value = "if-sent")]
    channel_binding: BindingPolicy,
    /// Whether clients are asked for a certificate on TLS: no, requested (as AD does: one that is
    /// not good leaves the client anonymous) or required (one that is not good ends the
    /// handshake). Windows maps it to an account, and binds with EXTERNAL after StartTLS.
    #[arg(long, value_name = "WHETHER", value_parser = client_certificates, default_value = "no")]
    client_certificates: ClientCertificates,
    /// PEM file of a CA whose client certificates are taken beside those of the domain's CA; may be
    /// given several times.
    #[arg(long = "client-ca", value_name = "FILE")]
    client_cas: Vec<PathBuf>,
    /// PEM file of client certificates that are revoked; may be given several times.
    #[arg(long = "client-crl", value_name = "FILE")]
    client_crls: Vec<PathBuf>,
    /// Refuse simple binds without TLS, and binds that neither sign nor seal (`ldap server require
    /// strong auth` of Samba).
    #[arg(long)]
    require_strong_auth: bool,
    /// What LDAP allows, by the names of AD's LDAP policies: MaxConnections, MaxConnIdleTime and
    /// InitRecvTimeout (in seconds), MaxReceiveBuffer (in bytes), MaxPageSize; may be given several
    /// times.
    #[arg(long = "ldap-policy", value_name = "NAME=VALUE")]
    ldap_policies: Vec<LdapSetting>,
    /// Certificates that a DC shows, leaf first, in PEM; DC=FILE for another DC than the first.
    #[arg(long = "chain", value_name = "[DC=]FILE")]
    chains: Vec<DcFile>,
    /// The private key that belongs to --chain.
    #[arg(long = "key", value_name = "[DC=]FILE")]
    keys: Vec<DcFile>,
    /// A clone of a real chain, as a folder that `fake-dc clone` wrote; DC=FOLDER for another DC
    /// than the first. The DC goes by the name that the certificate is for.
    #[arg(long = "clone", value_name = "[DC=]FOLDER")]
    clones: Vec<DcFile>,
    #[command(flatten)]
    behind: BehindOptions,
    /// Folder for the chain and the key of each DC, NAME-chain.pem and NAME-key.pem, for a real DC
    /// that is to show the same.
    #[arg(long, value_name = "FOLDER")]
    export_chain: Option<PathBuf>,
    /// File for the keys of an account, as ACCOUNT=FILE, for `kinit -k` and for services; may be
    /// given several times. An account that is not there is an error.
    #[arg(long = "keytab", value_name = "ACCOUNT=FILE")]
    keytabs: Vec<AccountFile>,
    /// Folder for the CA file; by default a fresh one. The file is removed at the end.
    #[arg(long, value_name = "FOLDER")]
    ca_dir: Option<PathBuf>,
    /// Address of the first DC; each further DC has the next one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.10")]
    address: Ipv4Addr,
    #[command(flatten)]
    ports: PortOptions,
    /// File for everything that reaches the DCs, as line-delimited JSON.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Port on 127.0.0.1 that tells orchestrators by HTTP whether the program lives (/livez) and is
    /// ready (/readyz); 0 lets the system choose. By default none.
    #[arg(long, value_name = "PORT")]
    health_port: Option<u16>,
    /// Port on 127.0.0.1 to change faults and routes by HTTP (`fake-dc ctl`); 0 lets the system
    /// choose. By default none.
    #[arg(long, value_name = "PORT")]
    control_port: Option<u16>,
}

/// Serves until SIGINT or SIGTERM.
pub(crate) fn run(options: Options) -> Exit {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = match runtime {
        // Boxed, and so compiled once: the runtime has several ways to run a future.
        Ok(runtime) => {
            runtime.block_on(Box::pin(serve(options)) as Pin<Box<dyn Future<Output = _>>>)
        }
        Err(source) => Err(Failure::System { what: "no threads to run on", source }),
    };
    match served {
        Ok(()) => Exit::Held,
        Err(failure) => {
            failure.complain();
            failure.exit()
        }
    }
}

async fn serve(options: Options) -> Result<(), Failure> {
    let (policy, _) = policies(&options);
    descriptors::raise(policy.max_connections, options.dcs);
    let mut stop = Stop::listen()?;
    let real = options.behind.find().await?;
    let names = names(&options, real.as_ref());
    let clones = clones(&options, &names)?;
    let health = match options.health_port {
        Some(port) => Some(Health::open(port).await?),
        None => None,
    };
    let domain = Arc::new(start(&options, names, &clones, real).await?);
    let record = options.events.as_deref().map(|path| Record::create(path, options.seed));
    let mut record = record.transpose()?;
    let behind = BehindLine::of(&domain).await?;
    if let Some(folder) = &options.export_chain {
        chain_files::write(folder, &domain)?;
    }
    for keytab in &options.keytabs {
        keytab.write(&domain)?;
    }
    let ca_file = CaFile::write(options.ca_dir.as_deref(), domain.name(), domain.ca_pem())?;
    let control = match options.control_port {
        Some(port) => Some(Control::open(port, Arc::clone(&domain)).await?),
        None => None,
    };
    if let Some(health) = &health {
        health.set_ready(true);
    }
    let served = Served {
        ca_file: &ca_file,
        clones: &clones,
        seed: options.seed,
        health: health.as_ref().map(Health::url),
        control: control.as_ref().map(Control::url),
        behind: behind.as_ref(),
    };
    announce(&domain, served)
        .map_err(|source| Failure::System { what: "standard output", source })?;
    if let (Some(behind), Some(dc)) = (&behind, domain.dcs().next()) {
        behind.advise(dc);
    }
    let ledger = domain.ledger().clone();
    let recorded = match &mut record {
        Some(record) => tokio::select! {
            ended = record.follow(&ledger) => ended,
            () = stop.wait() => Ok(()),
        },
        None => {
            stop.wait().await;
            Ok(())
        }
    };
    if let Some(health) = &health {
        health.set_ready(false);
    }
    if let Some(control) = control {
        control.stop().await;
    }
    // Nobody has it any more; if somebody had, the end of the program would close it.
    if let Some(domain) = Arc::into_inner(domain) {
        domain.stop().await;
    }
    recorded
        .and_then(|()| record.map_or(Ok(()), |mut record| record.finish(&ledger)))
        .map_err(|source| Failure::Write { path: options.events.unwrap_or_default(), source })
}

async fn start(
    options: &Options,
    names: Vec<String>,
    clones: &BTreeMap<String, CloneFolder>,
    real: Option<RealDc>,
) -> Result<Domain, Failure> {
    let (ldap_policy, policy) = policies(options);
    let clock = ground::Clock::system();
    let mut builder = Domain::builder(domain_name(options, clones))
        .seed(Seed::new(options.seed))
        .clock(clock.clone())
        .ledger(Ledger::with_capacity(clock, Ledger::SERVICE_CAPACITY))
        .flavour(options.flavour)
        .channel_binding(options.channel_binding)
        .client_certificates(clients(options)?)
        .ldap_policy(ldap_policy)
        .policy(policy)
        .addresses_in_certificates(true);
    if let Some(netbios) = &options.netbios {
        builder = builder.netbios(netbios);
    }
    if let Some(path) = &options.default_password_file {
        let text = read(path)?;
        builder = builder.default_password(Secret::new(text.trim_end_matches(['\r', '\n'])));
    }
    if let Some(root) = &options.forest_root {
        builder = builder.forest_root(root);
    }
    for path in &options.ldif {
        for (name, text) in read_ldif(path)? {
            builder = builder.ldif(name, text);
        }
    }
    if let Some(real) = real {
        builder = builder.behind(real);
    }
    let mut chains = chains(options, &names)?;
    for (name, offset) in names.iter().zip(0_u32..) {
        let address = Ipv4Addr::from(u32::from(options.address).wrapping_add(offset));
        let mut dc = DcSpec::new(name).address(address);
        if let Some(chain) = chains.remove(name) {
            dc = dc.chain(chain);
        }
        if let Some(clone) = clones.get(name) {
            dc = dc.chain(clone.chain.clone());
            if let Some(host_name) = &clone.host_name {
                dc = dc.netlogon_name(host_name.as_str());
            }
        }
        builder = builder.dc(dc);
    }
    let unknown = clones.keys().find(|name| !names.contains(*name)).cloned();
    if let Some(name) = chains.pop_first().map(|(name, _)| name).or(unknown) {
        return Err(fake_dc::Error::UnknownDc { name, known: names }.into());
    }
    for fault in &options.faults {
        builder = builder.fault(fault.dc.as_str(), fault.fault.to_string());
    }
    let domain = options.ports.start(builder).await?;
    for trust in &options.trusts {
        let partner = TrustPartner::drawn(&trust.partner, Seed::new(options.seed));
        let made = domain.directory().trust_partner(&partner, trust.kind, trust.direction);
        made.map_err(fake_dc::Error::from)?;
    }
    Ok(domain)
}

/// Which client certificates are taken.
fn clients(options: &Options) -> Result<ClientCertificates, Failure> {
    let mut clients = options.client_certificates.clone();
    for path in &options.client_cas {
        clients = clients.authority(&read(path)?)?;
    }
    for path in &options.client_crls {
        clients = clients.revocation_list(&read(path)?)?;
    }
    Ok(clients)
}

/// What LDAP allows: the defaults of the flavour with what was given instead.
fn policies(options: &Options) -> (LdapPolicy, Policy) {
    let searches = Policy { require_strong_auth: options.require_strong_auth, ..Policy::default() };
    let mut policies = (LdapPolicy::of(options.flavour), searches);
    for setting in &options.ldap_policies {
        setting.apply(&mut policies.0, &mut policies.1);
    }
    policies
}

/// The names of the DCs: that of the real one behind, or `dc1`, `dc2` and so on.
fn names(options: &Options, real: Option<&RealDc>) -> Vec<String> {
    match real {
        Some(real) => vec![real.name().to_owned()],
        None => (1..=options.dcs).map(|number| format!("dc{number}")).collect(),
    }
}

/// The name that was given, or that of the host whose chain was cloned, without its first label.
fn domain_name(options: &Options, clones: &BTreeMap<String, CloneFolder>) -> String {
    let of_host = |clone: &CloneFolder| {
        let host_name = clone.host_name.as_deref()?.trim_end_matches('.');
        let (_, domain) = host_name.split_once('.')?;
        Some(domain.to_ascii_lowercase())
    };
    let given = options.domain.clone();
    given.or_else(|| clones.values().find_map(of_host)).unwrap_or_else(|| "corp.example".to_owned())
}

/// The given clones by the names of the DCs that show them.
fn clones(options: &Options, names: &[String]) -> Result<BTreeMap<String, CloneFolder>, Failure> {
    by_dc(&options.clones, names)
        .into_iter()
        .map(|(dc, path)| Ok((dc, CloneFolder::read(&path)?)))
        .collect()
}

/// Files by the names of the DCs that they are for, the first if none is given.
fn by_dc(files: &[DcFile], names: &[String]) -> BTreeMap<String, PathBuf> {
    let first = || names.first().cloned().unwrap_or_default();
    let named = |file: &DcFile| file.dc.clone().unwrap_or_else(first);
    files.iter().map(|file| (named(file), file.path.clone())).collect()
}

/// The given chains by the names of the DCs that show them.
fn chains(options: &Options, names: &[String]) -> Result<BTreeMap<String, Chain>, Failure> {
    let mut keys = by_dc(&options.keys, names);
    let mut chains = BTreeMap::new();
    for (dc, chain_path) in by_dc(&options.chains, names) {
        let Some(key_path) = keys.remove(&dc) else {
            return Err(Failure::ChainAndKey { dc, given: "--chain", missing: "--key" });
        };
        let (chain, key) = (read(&chain_path)?, read(&key_path)?);
        let chain = Chain::from_pem(
            &PemFile::new(&chain_path.display().to_string(), &chain),
            &PemFile::new(&key_path.display().to_string(), &key),
        )
        .map_err(fake_dc::Error::from)?;
        chains.insert(dc, chain);
    }
    match keys.pop_first() {
        Some((dc, _)) => Err(Failure::ChainAndKey { dc, given: "--key", missing: "--chain" }),
        None => Ok(chains),
    }
}

/// The signals that end a service.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> Result<Self, Failure> {
        let failed = |source| Failure::System { what: "signals", source };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
