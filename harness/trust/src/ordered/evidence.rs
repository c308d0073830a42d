//! What there is to be seen of a cloud when something does not work.

use ground::{Timestamp, Trail};
use rustls::pki_types::CertificateDer;

use super::{Cloud, CloudError, Intervals, Link, Protocol, RefusedUpload, Row, Script, web::fetch};

/// What was found when somebody looked.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Domain of the certificate in use.
    pub domain: String,
    /// The keystore.
    pub rows: Vec<Row>,
    /// Storage appliances.
    pub storage: Vec<StorageEvidence>,
    /// Consoles, and what each speaks.
    pub consoles: Vec<(String, Protocol)>,
    /// What is configured for consoles.
    pub console_protocol: Protocol,
    /// Links, with the time at which the clean-up will delete each.
    pub links: Vec<(Link, Timestamp)>,
    /// The intervals that the running server goes by.
    pub intervals: Intervals,
    /// The intervals that are configured.
    pub configured_intervals: Intervals,
    /// The upload that was refused last.
    pub last_refusal: Option<RefusedUpload>,
}

/// One storage appliance.
#[derive(Clone, Debug)]
pub struct StorageEvidence {
    /// Its name.
    pub name: String,
    /// Which set-up script is on it.
    pub script: Script,
    /// What it sends, leaf first: `openssl s_client -showcerts`.
    pub shown: Vec<CertificateDer<'static>>,
    /// What is on its disk, or why that cannot be read.
    pub files: Result<FileEvidence, String>,
}

/// The files of a storage appliance.
#[derive(Clone, Debug)]
pub struct FileEvidence {
    /// What it trusts: `keytool -list`.
    pub trusted: Vec<CertificateDer<'static>>,
    /// Whether there is a chain file.
    pub has_chain: bool,
}

impl Cloud {
    /// Looks at everything that the troubleshooting list names.
    ///
    /// # Errors
    ///
    /// The keystore cannot be read.
    pub async fn examine(&self, trail: &Trail) -> Result<Evidence, CloudError> {
        let mut storage = Vec::new();
        for appliance in self.storage_appliances() {
            let shown = match appliance.https().await {
                Some(address) => {
                    let name = self.host_name(appliance.address())?;
                    fetch(address, &name, "/", Box::new(|_| Ok(())), trail).await.shown
                }
                None => Vec::new(),
            };
            let files = appliance.files().map(|files| FileEvidence {
                trusted: files.store.certificates(),
                has_chain: files.chain.is_some(),
            });
            storage.push(StorageEvidence {
                name: appliance.name().to_owned(),
                script: appliance.script(),
                shown,
                files: files.map_err(|error| error.to_string()),
            });
        }
        self.clean_up(trail);
        let links = self.links();
        Ok(Evidence {
            domain: self.domain()?,
            rows: self.rows()?,
            storage,
            consoles: self
                .consoles()
                .iter()
                .map(|console| (console.name().to_owned(), console.protocol()))
                .collect(),
            console_protocol: self.console_protocol()?,
            links: links.into_iter().map(|link| (link.clone(), self.deletes(&link))).collect(),
            intervals: self.intervals(),
            configured_intervals: self.configured_intervals()?,
            last_refusal: self.last_refusal(),
        })
    }
}
