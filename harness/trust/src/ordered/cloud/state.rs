//! What the tasks of a management server share: the table, the settings, and who reports to it.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ground::{Actor, Trail};

use super::{
    APPLIANCES_MAX, CONSOLE_SSL, CloudOptions, FIRST_ADDRESS, MANAGEMENT, RefusedUpload,
    URL_CLEANUP, URL_EXPIRATION,
};
use crate::ordered::{
    BUILT_IN_DOMAIN, CloudError, ConsoleAppliance, Intervals, Keystore, KeystoreError, Link,
    Material, Protocol, StorageAppliance, Upload, UploadError, Uploaded, agent::Certificates,
    api::Jobs, facts, links::CleanUp,
};

/// What the server's tasks share.
pub(in crate::ordered) struct State {
    pub(in crate::ordered) options: CloudOptions,
    pub(in crate::ordered) built_in: Material,
    keystore: Mutex<Keystore>,
    pub(in crate::ordered) jobs: Jobs,
    links: Mutex<Links>,
    storage: Mutex<BTreeMap<String, Arc<StorageAppliance>>>,
    consoles: Mutex<BTreeMap<String, Arc<ConsoleAppliance>>>,
    /// Where appliances report.
    management: SocketAddr,
    addresses: Mutex<u8>,
    last_refusal: Mutex<Option<RefusedUpload>>,
    /// One job at a time, as events have one order.
    working: tokio::sync::Mutex<()>,
}

/// The links that were given out, and when they go.
pub(super) struct Links {
    pub(super) links: Vec<Link>,
    /// How many there have been.
    pub(super) made: u64,
    pub(super) clean_up: CleanUp,
}

impl State {
    pub(super) fn new(
        options: CloudOptions,
        built_in: Material,
        keystore: Keystore,
        management: SocketAddr,
    ) -> Result<Self, CloudError> {
        let clean_up = CleanUp::new(intervals(&keystore)?, options.clock.now());
        Ok(Self {
            options,
            built_in,
            keystore: Mutex::new(keystore),
            jobs: Jobs::default(),
            links: Mutex::new(Links { links: Vec::new(), made: 0, clean_up }),
            storage: Mutex::default(),
            consoles: Mutex::default(),
            management,
            addresses: Mutex::default(),
            last_refusal: Mutex::default(),
            working: tokio::sync::Mutex::default(),
        })
    }

    /// Takes an upload, and restarts who has to restart.
    pub(in crate::ordered) async fn upload(
        &self,
        upload: &Upload,
        trail: &Trail,
    ) -> Result<Uploaded, UploadError> {
        let _working = self.working.lock().await;
        let outcome = self.keystore().upload(upload);
        let trail = trail.of(management());
        let uploaded = match outcome {
            Ok(uploaded) => uploaded,
            Err(error) => {
                self.note_refusal(&upload.name, error.reason(), &error.to_string(), &trail);
                return Err(error);
            }
        };
        *self.last_refusal() = None;
        let trail = trail.begin(facts::Uploaded {
            name: upload.name.clone(),
            seq: upload.id,
            replaced: uploaded.replaced,
        });
        if uploaded.server {
            // The certificate is in the table however its appliances fare.
            if let Err(error) = self.restart_all(&trail).await {
                let words = error.to_string();
                trail.record(facts::Refused { reason: "appliance-lost", words });
            }
        }
        Ok(uploaded)
    }

    pub(in crate::ordered) fn note_refusal(
        &self,
        name: &str,
        reason: &'static str,
        words: &str,
        trail: &Trail,
    ) {
        let (name, words) = (name.to_owned(), words.to_owned());
        trail.record(facts::Refused { reason, words: words.clone() });
        *self.last_refusal() = Some(RefusedUpload { name, reason, words });
    }

    pub(in crate::ordered) fn configure(&self, name: &str, value: &str) -> Result<(), CloudError> {
        let (name, is_fit, wanted) = match name {
            CONSOLE_SSL => (CONSOLE_SSL, matches!(value, "true" | "false"), "`true` or `false`"),
            URL_EXPIRATION | URL_CLEANUP => {
                let name = if name == URL_CLEANUP { URL_CLEANUP } else { URL_EXPIRATION };
                (name, value.parse::<u32>().is_ok_and(|seconds| seconds > 0), "seconds, from 1")
            }
            _ => {
                let known = [CONSOLE_SSL, URL_CLEANUP, URL_EXPIRATION].join(", ");
                return Err(CloudError::NoSetting { name: name.to_owned(), known });
            }
        };
        if !is_fit {
            return Err(CloudError::BadSetting { name, value: value.to_owned(), wanted });
        }
        Ok(self.keystore().configure(name, value)?)
    }

    pub(super) async fn restart_all(&self, trail: &Trail) -> Result<(), CloudError> {
        let storage: Vec<_> = self.storage().values().cloned().collect();
        let consoles: Vec<_> = self.consoles().values().cloned().collect();
        // One that cannot be restarted keeps no other from it.
        let mut first_trouble = Ok(());
        for appliance in storage {
            first_trouble = first_trouble.and(self.restart_storage(&appliance, trail).await);
        }
        for console in consoles {
            first_trouble = first_trouble.and(self.start_console(&console, trail).await);
        }
        first_trouble
    }

    pub(super) async fn restart_storage(
        &self,
        appliance: &StorageAppliance,
        trail: &Trail,
    ) -> Result<(), CloudError> {
        let actor = Actor::Host(appliance.name().to_owned());
        self.start_storage(appliance, &trail.of(actor).begin(facts::Restarted {})).await
    }

    pub(super) async fn start_storage(
        &self,
        appliance: &StorageAppliance,
        trail: &Trail,
    ) -> Result<(), CloudError> {
        let started = appliance.start(self.management, trail).await;
        started.map_err(of_appliance(appliance.name()))
    }

    pub(super) async fn start_console(
        &self,
        console: &ConsoleAppliance,
        trail: &Trail,
    ) -> Result<(), CloudError> {
        let started = console.start(self.management, &self.built_in, trail).await;
        started.map_err(of_appliance(console.name()))
    }

    pub(super) fn note_start(&self, trail: &Trail) {
        let intervals = self.links().clean_up.intervals();
        trail.of(management()).record(facts::ManagementStarted {
            expiration_seconds: intervals.expiration_seconds.into(),
            cleanup_seconds: intervals.cleanup_seconds.into(),
        });
    }

    /// What an appliance is to be set up with; nothing while the built-in certificates are in use.
    pub(super) fn set_up(&self) -> Result<Option<Certificates>, KeystoreError> {
        let keystore = self.keystore();
        let Some(domain) = keystore.domain()? else { return Ok(None) };
        Ok(keystore.server_certificate(&domain)?.map(Certificates::from))
    }

    pub(super) fn domain(&self) -> Result<String, KeystoreError> {
        let domain = self.keystore().domain()?;
        Ok(domain.unwrap_or_else(|| BUILT_IN_DOMAIN.to_owned()))
    }

    pub(in crate::ordered) fn host_name(&self, address: Ipv4Addr) -> Result<String, KeystoreError> {
        Ok(format!("{}.{}", address.to_string().replace('.', "-"), self.domain()?))
    }

    pub(super) fn console_protocol(&self) -> Result<Protocol, CloudError> {
        let setting = self.keystore().setting(CONSOLE_SSL)?;
        Ok(if setting.as_deref() == Some("true") { Protocol::Https } else { Protocol::Http })
    }

    pub(super) fn new_address(&self, name: &str) -> Result<Ipv4Addr, CloudError> {
        if self.storage().contains_key(name) || self.consoles().contains_key(name) {
            return Err(CloudError::ApplianceExists { name: name.to_owned() });
        }
        let mut given = lock(&self.addresses);
        if *given >= APPLIANCES_MAX {
            return Err(CloudError::TooManyAppliances { limit: APPLIANCES_MAX });
        }
        let address = Ipv4Addr::new(127, 1, 0, FIRST_ADDRESS + *given);
        *given += 1;
        Ok(address)
    }

    pub(in crate::ordered) fn trail(&self) -> Trail {
        self.options.ledger.trail(management())
    }

    pub(in crate::ordered) fn keystore(&self) -> MutexGuard<'_, Keystore> {
        lock(&self.keystore)
    }

    pub(super) fn links(&self) -> MutexGuard<'_, Links> {
        lock(&self.links)
    }

    pub(super) fn storage(&self) -> MutexGuard<'_, BTreeMap<String, Arc<StorageAppliance>>> {
        lock(&self.storage)
    }

    pub(super) fn consoles(&self) -> MutexGuard<'_, BTreeMap<String, Arc<ConsoleAppliance>>> {
        lock(&self.consoles)
    }

    pub(super) fn last_refusal(&self) -> MutexGuard<'_, Option<RefusedUpload>> {
        lock(&self.last_refusal)
    }

    pub(super) fn take_storage(&self) -> Vec<Arc<StorageAppliance>> {
        std::mem::take(&mut *self.storage()).into_values().collect()
    }

    pub(super) fn take_consoles(&self) -> Vec<Arc<ConsoleAppliance>> {
        std::mem::take(&mut *self.consoles()).into_values().collect()
    }
}

pub(super) fn intervals(keystore: &Keystore) -> Result<Intervals, CloudError> {
    let default = Intervals::default();
    // What cannot be read counts as not given, as in CloudStack.
    let setting = |name| -> Result<Option<u32>, CloudError> {
        Ok(keystore.setting(name)?.and_then(|value| value.parse().ok()))
    };
    Ok(Intervals {
        expiration_seconds: setting(URL_EXPIRATION)?.unwrap_or(default.expiration_seconds),
        cleanup_seconds: setting(URL_CLEANUP)?.unwrap_or(default.cleanup_seconds),
    })
}

pub(super) fn management() -> Actor {
    Actor::Host(MANAGEMENT.to_owned())
}

pub(super) fn no_appliance(name: &str) -> CloudError {
    CloudError::NoAppliance { name: name.to_owned() }
}

pub(super) fn of_appliance(name: &str) -> impl FnOnce(io::Error) -> CloudError {
    let what = format!("appliance `{name}`");
    move |source| CloudError::Io { what, source }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is consistent after every statement under the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
