//! A running domain: its DCs, and everything they share.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use fake_dc_directory::Directory;
use fake_dc_kerberos::gss::BindingPolicy;
use fake_dc_pki::{Chain, Pki};
use ground::{Clock, EventId, Ledger, Seed};
use hickory_proto::{ProtoError, rr::Name};
use rustls::crypto::CryptoProvider;
use tokio::{runtime::Handle, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    authority::Authority,
    behind::Behind,
    builder::Builder,
    client_certificate::ClientCertificates,
    dc::Dc,
    dns::{Registration, Zone},
    error::Error,
    kdc::{self, Kerberos},
    ldap_policy::LdapPolicy,
};

/// A domain of fake DCs. Dropping it closes every port and ends every task.
///
/// See the [crate] for an example.
pub struct Domain {
    common: Arc<Common>,
    dcs: Vec<Arc<Dc>>,
    /// Held while faults or routes change, so that changes happen one after the other.
    changing: Mutex<()>,
    /// Numbers of guards.
    marks: AtomicU64,
    /// Serves the domain, and routes that are opened later.
    runtime: Handle,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What the DCs of a domain share.
pub(crate) struct Common {
    pub(crate) name: String,
    pub(crate) apex: Name,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
    /// Of a front: what the real DC has said of itself, see [`behind`](Self::behind).
    pub(crate) directory: Directory,
    /// The real DC that answers in place of directory and KDC, if its only DC is a front.
    pub(crate) behind: Option<Arc<Behind>>,
    pub(crate) authority: Authority,
    pub(crate) kerberos: Kerberos,
    pub(crate) channel_binding: BindingPolicy,
    pub(crate) client_certificates: ClientCertificates,
    pub(crate) ldap_policy: LdapPolicy,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) addresses_in_certificates: bool,
    /// Whether its DCs have no sockets.
    pub(crate) in_memory: bool,
    pub(crate) zone: RwLock<Arc<Zone>>,
    /// Domains whose names the DCs' name servers know of their name servers.
    pub(crate) forwarders: RwLock<Vec<Weak<Common>>>,
    pub(crate) seed: Seed,
    /// Number of the next line that draws numbers from the seed.
    pub(crate) lines: AtomicU64,
    /// Number of open TCP connections at all DCs.
    pub(crate) open: watch::Sender<usize>,
}

impl Common {
    pub(crate) fn zone(&self) -> Arc<Zone> {
        Arc::clone(&self.zone.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The zone of another domain that questions for `name` are forwarded to: of the one with the
    /// longest name that is longer than that of an own zone.
    pub(crate) fn forwarded_zone(&self, name: &Name) -> Option<Arc<Zone>> {
        let depth = |zone: &Zone| zone.apex_of(name).map_or(0, |apex| apex.num_labels());
        let own = depth(&self.zone());
        let forwarders = self.forwarders.read().unwrap_or_else(PoisonError::into_inner);
        let others = forwarders.iter().filter_map(Weak::upgrade).map(|other| other.zone());
        others.filter(|zone| depth(zone) > own).max_by_key(|zone| depth(zone))
    }

    pub(crate) fn make_zone(&self, dcs: &[Registration]) -> Result<(), ProtoError> {
        let zone = Zone::new(&self.apex, &self.directory, dcs)?;
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

    /// Must be called within the runtime that serves the domain.
    pub(crate) fn running(
        common: Arc<Common>,
        dcs: Vec<Arc<Dc>>,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (changing, marks) = (Mutex::new(()), AtomicU64::new(0));
        Self { common, dcs, changing, marks, runtime: Handle::current(), tasks, stop }
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
        self.shared_dc(name).map(AsRef::as_ref)
    }

    /// The DNS servers of the domain: every DC is one.
    pub fn name_servers(&self) -> Vec<SocketAddr> {
        self.dcs().map(Dc::dns).collect()
    }

    /// Lets the name servers of this domain forward questions for names of `other` to those of
    /// `other`, as an administrator does who makes a trust (conditional forwarders).
    pub fn forward_questions(&self, other: &Self) {
        let mut forwarders = self.common.forwarders.write().unwrap_or_else(PoisonError::into_inner);
        forwarders.push(Arc::downgrade(&other.common));
    }

    /// The root certificate that clients must trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        self.pki().root_pem()
    }

    /// Its certification authority, as it is now.
    pub fn pki(&self) -> &Pki {
        self.common.authority.current()
    }

    /// Its certification authority as it was before [`Domain::renew_ca`], if it was renewed.
    pub fn former_pki(&self) -> Option<&Pki> {
        self.common.authority.former()
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

    /// Lets the DC `dc` show `chain` from now on, whatever is wrong with it.
    ///
    /// # Errors
    ///
    /// No such DC, a key that cannot sign, or the DC has faults of the chain.
    pub fn set_chain(&self, dc: &str, chain: Chain) -> Result<(), Error> {
        let _changing = self.changing();
        self.dc(dc)?.give(chain)
    }

    /// Lets the DC `dc` look for its certificate again, as an administrator does after a renewal:
    /// with the rootDSE operation `renewServerCertificate` on Windows, with `smbcontrol
    /// ldap_server reload-certs` on Samba.
    ///
    /// A DC without faults finds a new one from six weeks before the end of the old, or one that
    /// somebody has [enrolled](Domain::enrol_certificate) it for. New connections see it when this
    /// returns. A chain that was given stays unless there is one of the latter.
    ///
    /// # Errors
    ///
    /// No such DC.
    pub fn renew_certificate(&self, dc: &str) -> Result<(), Error> {
        self.renew_certificate_because(None, dc)
    }

    /// As [`Domain::renew_certificate`], recorded in the ledger as an effect of `cause`.
    ///
    /// # Errors
    ///
    /// As [`Domain::renew_certificate`].
    pub fn renew_certificate_because(&self, cause: Option<EventId>, dc: &str) -> Result<(), Error> {
        let dc = self.dc(dc)?;
        dc.renew_certificate(&dc.trail.under(cause))
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

    pub(crate) fn shared_dc(&self, name: &str) -> Result<&Arc<Dc>, Error> {
        self.dcs.iter().find(|dc| dc.name() == name).ok_or_else(|| Error::UnknownDc {
            name: name.to_owned(),
            known: self.dcs().map(|dc| dc.name().to_owned()).collect(),
        })
    }

    /// Held while faults or routes change.
    pub(crate) fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no other guard of faults has.
    pub(crate) fn next_mark(&self) -> u64 {
        self.marks.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn common(&self) -> &Common {
        &self.common
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    pub(crate) fn stop_token(&self) -> &CancellationToken {
        &self.stop
    }

    pub(crate) fn make_zone(&self) -> Result<(), Error> {
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
