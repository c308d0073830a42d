//! A running domain: its DCs, and everything they share.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use fake_dc_directory::Directory;
use fake_dc_kerberos::gss::BindingPolicy;
use fake_dc_pki::{Chain, Pki};
use ground::{Clock, EventId, Ledger};
use hickory_proto::{ProtoError, rr::Name};
use rustls::crypto::CryptoProvider;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    builder::Builder,
    dc::Dc,
    dns::{Registration, Zone},
    error::Error,
    facts::{FaultCleared, FaultSet},
    fault::{Fault, Faults},
    kdc::{self, Kerberos},
};

/// A domain of fake DCs. Dropping it closes every port and ends every task.
///
/// See the [crate] for an example.
pub struct Domain {
    common: Arc<Common>,
    dcs: Vec<Arc<Dc>>,
    /// Held while faults change, so that changes happen one after the other.
    changing: Mutex<()>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What the DCs of a domain share.
pub(crate) struct Common {
    pub(crate) name: String,
    pub(crate) apex: Name,
    pub(crate) site: String,
    pub(crate) guid: String,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
    pub(crate) directory: Directory,
    pub(crate) pki: Pki,
    pub(crate) kerberos: Kerberos,
    pub(crate) channel_binding: BindingPolicy,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) addresses_in_certificates: bool,
    pub(crate) zone: RwLock<Arc<Zone>>,
    /// Number of open TCP connections at all DCs.
    pub(crate) open: watch::Sender<usize>,
}

impl Common {
    pub(crate) fn zone(&self) -> Arc<Zone> {
        Arc::clone(&self.zone.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn make_zone(&self, dcs: &[Registration]) -> Result<(), ProtoError> {
        let zone = Zone::new(&self.apex, &self.site, &self.guid, dcs)?;
        *self.zone.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(zone);
        Ok(())
    }
}

impl fmt::Debug for Common {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Common").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Domain {
    /// Begins the description of the domain called `name`: `corp.example`.
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder::new(name.into())
    }

    pub(crate) fn running(
        common: Arc<Common>,
        dcs: Vec<Arc<Dc>>,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        Self { common, dcs, changing: Mutex::new(()), tasks, stop }
    }

    /// Its DNS name.
    pub fn name(&self) -> &str {
        &self.common.name
    }

    /// Its DCs, in the order of SRV answers.
    pub fn dcs(&self) -> impl ExactSizeIterator<Item = &Dc> {
        self.dcs.iter().map(AsRef::as_ref)
    }

    /// The DC called `name`: `dc1`.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownDc`].
    pub fn dc(&self, name: &str) -> Result<&Dc, Error> {
        self.dcs().find(|dc| dc.name() == name).ok_or_else(|| Error::UnknownDc {
            name: name.to_owned(),
            known: self.dcs().map(|dc| dc.name().to_owned()).collect(),
        })
    }

    /// The DNS servers of the domain: every DC is one.
    pub fn name_servers(&self) -> Vec<SocketAddr> {
        self.dcs().map(Dc::dns).collect()
    }

    /// The root certificate that clients must trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        self.common.pki.root_pem()
    }

    /// Its certification authority.
    pub fn pki(&self) -> &Pki {
        &self.common.pki
    }

    /// Its directory, which all DCs share.
    pub fn directory(&self) -> &Directory {
        &self.common.directory
    }

    /// The keys of an account, by its account name, in a keytab of MIT's format; `None` if there is
    /// no such account. The principals are the account itself and its services.
    pub fn keytab(&self, account: &str) -> Option<Vec<u8>> {
        Some(kdc::keytab(&self.common, account)?.to_bytes())
    }

    /// What reached its DCs.
    pub fn ledger(&self) -> &Ledger {
        &self.common.ledger
    }

    /// Gives the DC `dc` these faults, as text (see [`Fault`]), in place of those it has.
    ///
    /// New connections and questions meet them when this returns. Open connections keep their TLS
    /// session; their next LDAP request meets the LDAP faults.
    ///
    /// # Errors
    ///
    /// No such DC, no such fault, or the DC cannot be like that.
    pub fn set_faults<F: AsRef<str>>(
        &self,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<(), Error> {
        self.set_faults_because(None, dc, faults)
    }

    /// As [`Domain::set_faults`], recorded in the ledger as an effect of `cause`.
    ///
    /// # Errors
    ///
    /// As [`Domain::set_faults`].
    pub fn set_faults_because<F: AsRef<str>>(
        &self,
        cause: Option<EventId>,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<(), Error> {
        let dc = self.dc(dc)?;
        let faults =
            faults.into_iter().map(|id| id.as_ref().parse()).collect::<Result<Vec<Fault>, _>>()?;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, registered) = (dc.faults(), dc.registration());
        dc.change(Faults::new(faults.clone()))?;
        if dc.registration() != registered {
            self.make_zone()?;
        }
        let trail = dc.trail.under(cause);
        for fault in before.iter().filter(|fault| !faults.contains(fault)) {
            trail.record(FaultCleared { fault: fault.to_string() });
        }
        for fault in faults.iter().filter(|fault| !before.contains(fault)) {
            trail.record(FaultSet { fault: fault.to_string() });
        }
        Ok(())
    }

    /// Takes all faults from the DC `dc`.
    ///
    /// # Errors
    ///
    /// No such DC, or its ports could not be opened again.
    pub fn clear_faults(&self, dc: &str) -> Result<(), Error> {
        self.set_faults(dc, [] as [&str; 0])
    }

    /// Gives the DC `dc` these faults beside those it has, until the guard is dropped.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let domain = fake_dc::Domain::builder("corp.example").start().await?;
    /// let guard = domain.fault_guard("dc1", ["net.refuse"])?;
    /// assert!(tokio::net::TcpStream::connect(domain.dc("dc1")?.ldaps()).await.is_err());
    /// drop(guard);
    /// assert!(tokio::net::TcpStream::connect(domain.dc("dc1")?.ldaps()).await.is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Domain::set_faults`].
    pub fn fault_guard<F: AsRef<str>>(
        &self,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<FaultGuard<'_>, Error> {
        let before = self.dc(dc)?.faults().iter().map(Fault::to_string).collect::<Vec<_>>();
        let added: Vec<String> = faults.into_iter().map(|id| id.as_ref().to_owned()).collect();
        self.set_faults(dc, before.iter().chain(&added))?;
        Ok(FaultGuard { domain: self, dc: dc.to_owned(), added })
    }

    /// Lets the DC `dc` show `chain` from now on, whatever is wrong with it.
    ///
    /// # Errors
    ///
    /// No such DC, a key that cannot sign, or the DC has faults of the chain.
    pub fn set_chain(&self, dc: &str, chain: Chain) -> Result<(), Error> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.dc(dc)?.give(chain)
    }

    /// Waits until no TCP connection is open at any DC, and the ledger has all of them.
    ///
    /// Waits for ever if a client keeps one: the caller sets the limit.
    pub async fn quiet(&self) {
        let mut open = self.common.open.subscribe();
        // Fails when the sender is gone; it lives in `self`.
        let _ = open.wait_for(|&count| count == 0).await;
    }

    /// Closes every port, ends every task and waits until that is done.
    pub async fn stop(self) {
        self.shut();
        self.tasks.wait().await;
    }

    fn make_zone(&self) -> Result<(), Error> {
        let registrations: Vec<Registration> = self.dcs().map(Dc::registration).collect();
        self.common.make_zone(&registrations).map_err(|error| Error::InvalidName {
            what: "domain name",
            name: self.name().to_owned(),
            cause: error.to_string(),
        })
    }

    fn shut(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.dcs.iter().for_each(|dc| dc.close());
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        self.shut();
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Domain").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Faults that last as long as this. See [`Domain::fault_guard`].
#[derive(Debug)]
pub struct FaultGuard<'a> {
    domain: &'a Domain,
    dc: String,
    added: Vec<String>,
}

impl Drop for FaultGuard<'_> {
    fn drop(&mut self) {
        let Ok(dc) = self.domain.dc(&self.dc) else { return };
        let rest: Vec<String> = dc
            .faults()
            .iter()
            .map(Fault::to_string)
            .filter(|text| !self.added.contains(text))
            .collect();
        // Taking faults away needs nothing that could fail but a port, which is ours.
        let _ = self.domain.set_faults(&self.dc, rest);
    }
}
