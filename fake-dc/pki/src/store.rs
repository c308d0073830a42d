//! How a Windows DC picks the certificate that it shows on LDAPS and after StartTLS.
//!
//! What is modelled, and from where:
//!
//! 1. Two stores are looked into: `NTDS\Personal`, the store of the AD DS service (Windows Server
//!    2008 and later), and the local machine's Personal store (`MY`). A certificate that can be
//!    used in the first wins over all in the second (Microsoft, "Enable LDAP over SSL with a
//!    third-party certification authority", KB 321051, as of 2022; TechNet wiki 2980 "LDAP over
//!    SSL (LDAPS) Certificate").
//! 2. It can be used ([`Unfit`] says why not) if its private key is there, it is for server
//!    authentication, the DC's full DNS name is its CN or one of its alternative names, and the DC
//!    itself trusts the CA that issued it (KB 321051, "Requirements for an LDAPS certificate").
//!    The check is the one that Windows makes for any TLS server, dates included
//!    (`CertVerifyCertificateChainPolicy` with `CERT_CHAIN_POLICY_SSL`, called by
//!    `ValidateLdapCertificate` of `ntdsai.dll`).
//! 3. Among several in one store, the one that ends last is taken (`SearchForCertificate` of
//!    `ntdsai.dll` in Windows Server 2022, as analysed in M.-A. Moreau, "Active Directory LDAPS
//!    certificate selection deep dive", 2023). KB 321051 itself promises less: "the first valid
//!    certificate that it finds", and for Windows Server 2008 and later a random one.
//! 4. The DC keeps what it found. It looks again when it starts, when it is told to by the rootDSE
//!    operation `renewServerCertificate` ([MS-ADTS] 3.1.1.3.3.22, Windows Server 2008 and later),
//!    and when a certificate is put into `NTDS\Personal` (KB 321051, "Improvements"); a new one in
//!    the Personal store alone is not noticed.
//! 5. If none can be used, the DC has no identity for TLS: event 1220 ("LDAP over SSL will be
//!    unavailable at this time because the server was unable to obtain a certificate"), and the
//!    ports stay open.
//!
//! Not modelled: revocation (an unknown status is no obstacle, says Moreau), the Schannel
//! provider that the key must have been made with, and AD LDS, which has a store per instance.

use std::fmt;

use ground::Timestamp;

use crate::{
    certificate::{CertificatePlan, Signer},
    extension::{AltName, Purpose},
    name::NameAttribute,
    plan::{CertificateId, ChainPlan},
};

/// The certificates that a DC may choose from, and when it last chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateStore {
    entries: Vec<StoredCertificate>,
    loaded: Timestamp,
}

/// A certificate in one of the stores of a DC. Its methods read as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCertificate {
    certificate: CertificateId,
    location: StoreLocation,
    installed: Timestamp,
    has_private_key: bool,
    is_trusted_here: bool,
}

/// Where a DC keeps certificates for LDAPS, the preferred place first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreLocation {
    /// `NTDS\Personal`: the AD DS service's own store, since Windows Server 2008.
    Ntds,
    /// The Personal store of the local machine, where enrolment and most tools put certificates.
    Personal,
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ntds => "NTDS\\Personal",
            Self::Personal => "Personal",
        })
    }
}

/// Why a DC cannot use a certificate of its stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    /// It came later than the DC looked.
    NotYetInstalled,
    /// No private key is associated with it (Schannel's event 36869).
    NoPrivateKey,
    /// It has extended key usages, and server authentication is none of them.
    NoServerAuthentication,
    /// Neither its CN nor a DNS name in it is the DC's.
    OtherName,
    /// The DC does not trust the CA that issued it.
    NotTrusted,
    /// It is not valid yet.
    NotYetValid,
    /// It has ended.
    Expired,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotYetInstalled => "it is newer than what the DC has loaded",
            Self::NoPrivateKey => "it has no private key",
            Self::NoServerAuthentication => "it is not for server authentication",
            Self::OtherName => "it does not name the DC",
            Self::NotTrusted => "the DC does not trust its issuer",
            Self::NotYetValid => "it is not valid yet",
            Self::Expired => "it has expired",
        })
    }
}

impl CertificateStore {
    /// The stores of a DC that enrolled for `certificate` in the usual way and then started.
    pub(crate) fn holding(certificate: CertificateId, installed: Timestamp) -> Self {
        let own = StoredCertificate::new(certificate, installed);
        Self { entries: vec![own], loaded: installed }
    }

    /// Puts a certificate into the stores.
    pub fn put(&mut self, certificate: StoredCertificate) -> &mut Self {
        self.entries.push(certificate);
        self
    }

    /// Empties the stores.
    pub fn clear(&mut self) -> &mut Self {
        self.entries.clear();
        self
    }

    /// How the stores hold `certificate`, to be changed.
    pub fn entry(&mut self, certificate: CertificateId) -> Option<&mut StoredCertificate> {
        self.entries.iter_mut().find(|entry| entry.certificate == certificate)
    }

    /// Has the DC look into its stores at `at` for the last time.
    pub fn loaded(&mut self, at: Timestamp) -> &mut Self {
        self.loaded = at;
        self
    }

    /// When the DC last looked: when it was told to, or later, if a certificate then came into
    /// its own store, which it notices.
    pub fn last_look(&self) -> Timestamp {
        let noticed = self.entries.iter().filter(|entry| entry.location == StoreLocation::Ntds);
        noticed.map(|entry| entry.installed).fold(self.loaded, Timestamp::max)
    }
}

impl StoredCertificate {
    /// `certificate` with its key in the Personal store, from a CA that the DC trusts.
    pub fn new(certificate: CertificateId, installed: Timestamp) -> Self {
        Self {
            certificate,
            location: StoreLocation::Personal,
            installed,
            has_private_key: true,
            is_trusted_here: true,
        }
    }

    /// Keeps it in that store.
    #[must_use]
    pub fn kept_in(mut self, location: StoreLocation) -> Self {
        self.location = location;
        self
    }

    /// Takes its private key away.
    pub fn without_key(&mut self) -> &mut Self {
        self.has_private_key = false;
        self
    }

    /// Takes its issuer from what the DC trusts.
    pub fn untrusted(&mut self) -> &mut Self {
        self.is_trusted_here = false;
        self
    }

    /// Has it installed at that time.
    pub fn installed(&mut self, at: Timestamp) -> &mut Self {
        self.installed = at;
        self
    }
}

/// The choice.
impl ChainPlan {
    /// Why the DC could not use a certificate of its stores when it last looked; `Ok` if it could.
    ///
    /// # Errors
    ///
    /// The first of the reasons, in the order of [`Unfit`].
    pub fn fitness(&self, entry: &StoredCertificate) -> Result<(), Unfit> {
        let looked = self.stores().map_or(self.now(), CertificateStore::last_look);
        let certificate = self.certificate(entry.certificate);
        let unfit = [
            (entry.installed > looked, Unfit::NotYetInstalled),
            (!entry.has_private_key, Unfit::NoPrivateKey),
            (!serves(certificate), Unfit::NoServerAuthentication),
            (!names(certificate, &self.dc().dns_name), Unfit::OtherName),
            (!entry.is_trusted_here, Unfit::NotTrusted),
            (certificate.not_before > looked, Unfit::NotYetValid),
            (certificate.not_after < looked, Unfit::Expired),
        ];
        unfit.into_iter().find(|(is_so, _)| *is_so).map_or(Ok(()), |(_, unfit)| Err(unfit))
    }

    /// The certificate that the DC found when it last looked, if it found one.
    pub fn choice(&self) -> Option<CertificateId> {
        let Some(store) = self.stores() else { return Some(self.leaf_id()) };
        let fit = store.entries.iter().filter(|entry| self.fitness(entry).is_ok());
        // Of two that end at once, the first; `max_by_key` would take the last.
        let preferred = fit.rev().max_by_key(|entry| {
            let end = self.certificate(entry.certificate).not_after;
            (std::cmp::Reverse(entry.location), end)
        });
        preferred.map(|entry| entry.certificate)
    }

    /// Has the DC look into its stores again at `at`: it is restarted, or told to by
    /// `renewServerCertificate`.
    pub fn reload(&mut self, at: Timestamp) {
        if self.stores().is_some() {
            self.stores_mut().loaded(at);
        }
    }

    /// When the DC enrols for its next certificate by itself, if nothing is wrong with the one of
    /// this plan: six weeks before the end, the default of the templates for DCs (AD CS of Windows
    /// Server 2022).
    pub fn next_enrolment(&self) -> Timestamp {
        self.certificate(self.leaf_id()).not_after().plus_days(-42)
    }

    /// This plan with what the DC has found in its stores as the leaf, and with what belongs to
    /// it as the rest of the chain. Nothing is sent if it found nothing.
    pub(crate) fn with_choice(&self) -> Self {
        let mut plan = self.clone();
        match self.choice() {
            Some(choice) if choice == self.leaf_id() => {}
            Some(choice) => plan.become_chain_of(choice),
            None => plan.sent.clear(),
        }
        plan
    }

    /// Sends `leaf` and the CAs above it but the root, as Schannel does with what it finds in the
    /// stores of the machine.
    fn become_chain_of(&mut self, leaf: CertificateId) {
        self.send_only([leaf]);
        let mut top = leaf;
        let mut seen = vec![leaf];
        while let Signer::Certificate(issuer) = self.certificate(top).signer
            && !seen.contains(&issuer)
        {
            top = issuer;
            seen.push(issuer);
            if self.certificate(issuer).signer != Signer::Itself {
                self.send_last(issuer);
            }
        }
        self.leaf_is(leaf);
        self.anchor_at(top);
    }
}

/// True if Windows takes it for a TLS server: no extended key usage is all of them.
fn serves(certificate: &CertificatePlan) -> bool {
    let server = [Purpose::ServerAuth, Purpose::Any];
    let purposes = &certificate.purposes;
    purposes.is_empty() || purposes.iter().any(|purpose| server.contains(purpose))
}

/// True if its CN or one of its DNS names is `name`.
fn names(certificate: &CertificatePlan, name: &str) -> bool {
    let common_names = certificate.subject.values(NameAttribute::CommonName);
    let alt_names = certificate.alt_names.iter().filter_map(|alt_name| match alt_name {
        AltName::Dns(name) => Some(name.as_str()),
        _ => None,
    });
    common_names.chain(alt_names).any(|known| known.eq_ignore_ascii_case(name))
}
