//! Ordered upload, as CloudStack's "Upload Custom Certificate" does it (seed-systems.md §2).
//!
//! An operator uploads the root, then intermediates one by one, then the server certificate with
//! its key. A [`Keystore`] holds them in one table; it takes an [`Upload`] whole or refuses it and
//! stays as it was. A row is corrected by another upload under its name and domain suffix; there is
//! no way back to what it held before.
//!
//! ```
//! use trust_models::ordered::{Keystore, Upload, UploadError};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut keystore = Keystore::in_memory()?;
//! // An intermediate cannot be the first.
//! let upload = Upload::from_query("id=2&name=ca2&domainsuffix=corp.example&certificate=-----BEGIN")?;
//! assert!(matches!(keystore.upload(&upload), Err(UploadError::IntermediateBeforeRoot { id: 2 })));
//! assert!(keystore.rows()?.is_empty());
//! # Ok(())
//! # }
//! ```

mod agent;
mod api;
mod appliance;
mod certificate;
mod cloud;
mod console;
mod diagnosis;
mod download;
mod error;
mod evidence;
pub mod facts;
mod files;
mod keystore;
mod links;
mod material;
pub mod pkix;
mod reasons;
mod trust_store;
mod upload;
mod web;

pub use api::{API_PATH, RefusedCall};
pub use appliance::{CopyError, Deed, ROOT_ALIAS, Script, StorageAppliance};
pub use cloud::{
    CONSOLE_SSL, Cloud, CloudOptions, MANAGEMENT, RefusedUpload, URL_CLEANUP, URL_EXPIRATION,
};
pub use console::{ConsoleAppliance, Protocol};
pub use diagnosis::{Diagnosis, Finding, diagnose};
pub use error::{CloudError, KeystoreError, UploadError};
pub use evidence::{Evidence, FileEvidence, StorageEvidence};
pub use files::FileSet;
pub use keystore::{Keystore, Row, ServerCertificate, Uploaded};
pub use links::{Intervals, Link};
pub use material::{BUILT_IN_DOMAIN, Material};
pub use reasons::reasons;
pub use trust_store::{STORE_PASSWORD, TrustStore, TrustStoreError};
pub use upload::Upload;
