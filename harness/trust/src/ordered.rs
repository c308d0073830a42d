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
//! assert!(matches!(keystore.upload(&upload), Err(UploadError::Gap { id: 2, expected: 1 })));
//! assert!(keystore.rows()?.is_empty());
//! # Ok(())
//! # }
//! ```

mod certificate;
mod error;
mod keystore;
mod upload;

pub use error::{KeystoreError, UploadError};
pub use keystore::{Keystore, Row, ServerCertificate, Uploaded};
pub use upload::Upload;
