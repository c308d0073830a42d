//! The table `keystore`, and the rules by which an upload changes it.

use std::{fmt, fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, path::Path};

use ground::Secret;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::{KeystoreError, Upload, UploadError, certificate::Link};

/// CloudStack's columns, in SQLite's words. SQLite looks at no length of a `varchar`.
const SCHEMA: &str = "\
    create table if not exists keystore (
        id integer primary key autoincrement,
        name varchar(64) not null unique check (length(name) <= 64),
        certificate text not null,
        \"key\" text,
        domain_suffix varchar(256) not null check (length(domain_suffix) <= 256),
        seq int
    )";
/// The table before it had an order.
const EARLIER_SCHEMA: &str = "\
    create table keystore (
        id integer primary key autoincrement,
        name varchar(64) not null unique,
        certificate text not null,
        \"key\" text,
        domain_suffix varchar(256) not null
    )";
/// What CloudStack calls its global settings.
const CONFIGURATION: &str =
    "create table if not exists configuration (name varchar(255) primary key, value text)";
/// The setting that names the domain of links and appliances.
const DOMAIN_SETTING: &str = "secstorage.ssl.cert.domain";
const NAME_MAX: usize = 64;
const DOMAIN_SUFFIX_MAX: usize = 256;

/// The embedded store of a management server.
pub struct Keystore {
    database: Connection,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Counts up, and is never given twice.
    pub id: i64,
    /// Unique.
    pub name: String,
    /// PEM, as uploaded.
    pub certificate: String,
    /// Key of the server certificate.
    pub key: Option<Secret>,
    /// Whose chain it is in.
    pub domain_suffix: String,
    /// 1 for the root, more for intermediates, none for the server certificate.
    pub seq: Option<i32>,
}

impl Row {
    /// Whether an earlier release has left it, which knew no order: it is in no chain until it is
    /// uploaded again.
    pub fn is_without_place(&self) -> bool {
        self.seq.is_none() && self.key.is_none()
    }
}

/// What an appliance is set up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertificate {
    /// PEM of the leaf.
    pub certificate: String,
    /// PKCS#8 in PEM.
    pub key: Secret,
    /// PEM of root to last intermediate, in this order.
    pub chain: Vec<String>,
}

/// What an upload has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Whether a row of that name was there before.
    pub replaced: bool,
    /// Whether it was the server certificate, which makes every storage appliance restart.
    pub server: bool,
}

impl Keystore {
    /// Opens the store in this file, or makes it. A table of an earlier release gets the column that
    /// it lacks, `seq`; its rows stay as they are, and so without a place in their chain.
    ///
    /// # Errors
    ///
    /// The file cannot be used, or is no database.
    pub fn open(path: &Path) -> Result<Self, KeystoreError> {
        // It holds private keys. SQLite makes its other files with the permissions of this one; where the file cannot
        // be made, SQLite says why.
        let _ = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        Self::new(Connection::open(path)?)
    }

    /// A store that nobody else sees.
    ///
    /// # Errors
    ///
    /// There is no memory.
    pub fn in_memory() -> Result<Self, KeystoreError> {
        Self::new(Connection::open_in_memory()?)
    }

    /// Makes a table as an earlier release left it: without order, and with whatever was uploaded,
    /// since nobody looked at it.
    ///
    /// # Errors
    ///
    /// The file cannot be used, or there is such a table already.
    pub fn leave_earlier_release(path: &Path, uploads: &[Upload]) -> Result<(), KeystoreError> {
        let mut database = Connection::open(path)?;
        let transaction = database.transaction()?;
        transaction.execute(EARLIER_SCHEMA, [])?;
        for upload in uploads {
            transaction.execute(
                "insert into keystore (name, certificate, \"key\", domain_suffix)
                 values (?1, ?2, ?3, ?4)",
                params![
                    upload.name,
                    upload.certificate,
                    upload.private_key.as_ref().map(Secret::expose),
                    upload.domain_suffix
                ],
            )?;
        }
        Ok(transaction.commit()?)
    }

    fn new(database: Connection) -> Result<Self, KeystoreError> {
        database.execute(SCHEMA, [])?;
        database.execute(CONFIGURATION, [])?;
        let has_seq: bool = database.query_row(
            "select count(*) > 0 from pragma_table_info('keystore') where name = 'seq'",
            [],
            |row| row.get(0),
        )?;
        if !has_seq {
            database.execute("alter table keystore add column seq int", [])?;
        }
        Ok(Self { database })
    }

    /// All rows, in the order in which they were first uploaded.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn rows(&self) -> Result<Vec<Row>, KeystoreError> {
        Ok(rows(&self.database, None)?)
    }

    /// What appliances of this domain are set up with; `None` before the server certificate is there.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn server_certificate(
        &self,
        domain_suffix: &str,
    ) -> Result<Option<ServerCertificate>, KeystoreError> {
        let chain = Chain::of(&self.database, domain_suffix)?;
        Ok(chain.server.and_then(|server| {
            let chain = chain.links.into_iter().map(|link| link.certificate).collect();
            Some(ServerCertificate { certificate: server.certificate, key: server.key?, chain })
        }))
    }

    /// The domain of the server certificate that was uploaded last, or that an earlier release has left;
    /// `None` while the built-in one is in
    /// use. There is no way back to that.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn domain(&self) -> Result<Option<String>, KeystoreError> {
        if let Some(domain) = self.setting(DOMAIN_SETTING)? {
            return Ok(Some(domain));
        }
        let server = self.rows()?.into_iter().rfind(|row| row.key.is_some());
        Ok(server.map(|row| row.domain_suffix))
    }

    /// A global setting, if it was ever changed.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn setting(&self, name: &str) -> Result<Option<String>, KeystoreError> {
        let found = self
            .database
            .query_row("select value from configuration where name = ?1", [name], |row| row.get(0))
            .optional()?;
        Ok(found)
    }

    /// Changes a global setting.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub fn configure(&self, name: &str, value: &str) -> Result<(), KeystoreError> {
        configure(&self.database, name, value)?;
        Ok(())
    }

    /// Takes a certificate into the table.
    ///
    /// # Errors
    ///
    /// It is refused, each reason with its own error, and the table stays as it was.
    pub fn upload(&mut self, upload: &Upload) -> Result<Uploaded, UploadError> {
        fits("name", &upload.name, NAME_MAX)?;
        fits("domainsuffix", &upload.domain_suffix, DOMAIN_SUFFIX_MAX)?;
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let place = Place::of(upload)?;
        let chain = Chain::of(&transaction, &upload.domain_suffix)?;
        let replaced = chain.find_place(upload, place, &transaction)?;
        chain.judge(upload, place)?;
        write(&transaction, upload)?;
        if place == Place::Server {
            configure(&transaction, DOMAIN_SETTING, &upload.domain_suffix)?;
        }
        transaction.commit()?;
        Ok(Uploaded { replaced, server: place == Place::Server })
    }
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystore").field("file", &self.database.path()).finish_non_exhaustive()
    }
}

/// Where a certificate stands in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Root,
    Intermediate(i32),
    Server,
}

impl Place {
    fn of(upload: &Upload) -> Result<Self, UploadError> {
        match (upload.id, &upload.private_key) {
            (Some(_), Some(_)) => Err(UploadError::IdWithKey),
            (None, None) => Err(UploadError::KeyMissing),
            (seq, _) => Ok(Self::at(seq)),
        }
    }

    fn at(seq: Option<i32>) -> Self {
        match seq {
            None => Self::Server,
            Some(1) => Self::Root,
            Some(seq) => Self::Intermediate(seq),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the root"),
            Self::Intermediate(seq) => write!(f, "intermediate {seq}"),
            Self::Server => f.write_str("the server certificate"),
        }
    }
}

/// The rows of one domain.
struct Chain {
    /// From the root on.
    links: Vec<Row>,
    server: Option<Row>,
}

impl Chain {
    fn of(database: &Connection, domain_suffix: &str) -> rusqlite::Result<Self> {
        let (mut links, mut servers): (Vec<_>, Vec<_>) = rows(database, Some(domain_suffix))?
            .into_iter()
            .filter(|row| !row.is_without_place())
            .partition(|row| row.seq.is_some());
        links.sort_by_key(|row| row.seq);
        Ok(Self { links, server: servers.pop() })
    }

    /// Whether the upload replaces a row, if it may stand where it wants to.
    fn find_place(
        &self,
        upload: &Upload,
        place: Place,
        database: &Connection,
    ) -> Result<bool, UploadError> {
        let name = || upload.name.clone();
        let row = row_of_name(database, &upload.name)?;
        let replaced = row.is_some();
        if let Some(row) = row {
            if row.domain_suffix != upload.domain_suffix {
                let domain_suffix = row.domain_suffix;
                return Err(UploadError::NameTaken { name: name(), domain_suffix });
            }
            if upload.id.is_none() && self.links.is_empty() {
                return Err(UploadError::ServerBeforeRoot);
            }
            if !row.is_without_place() {
                if row.seq != upload.id {
                    let found = Place::at(row.seq).to_string();
                    return Err(UploadError::OtherPlace { name: name(), found });
                }
                return Ok(true);
            }
        }
        let taken = match upload.id {
            None => self.server.as_ref(),
            Some(_) => self.links.iter().find(|row| row.seq == upload.id),
        };
        if let Some(row) = taken {
            let (place, name) = (place.to_string(), row.name.clone());
            return Err(UploadError::PlaceTaken { place, name });
        }
        let last = self.links.last().and_then(|row| row.seq);
        // Somebody may have edited the table by hand.
        let expected = last.unwrap_or(0).saturating_add(1);
        match (upload.id, last, &self.server) {
            (None, None, _) => Err(UploadError::ServerBeforeRoot),
            (Some(id), None, _) if id != 1 => Err(UploadError::IntermediateBeforeRoot { id }),
            (Some(id), _, _) if id != expected => Err(UploadError::Gap { id, expected }),
            (Some(_), _, Some(server)) if self.ends_in(server) => {
                Err(UploadError::ChainEnded { server: server.name.clone() })
            }
            _ => Ok(replaced),
        }
    }

    /// Whether the last link has signed the server certificate. One that an earlier release has left
    /// may still lack links.
    fn ends_in(&self, server: &Row) -> bool {
        let leaf = Link::from_pem(&server.certificate);
        let (Some(last), Ok(leaf)) = (self.links.last(), leaf) else { return false };
        read(last).is_ok_and(|last| leaf.is_signed_by(&last))
    }

    /// Whether the certificate is what its place asks for.
    fn judge(&self, upload: &Upload, place: Place) -> Result<(), UploadError> {
        let link = Link::from_pem(&upload.certificate)?;
        let own_key = link.is_signed_by(&link);
        match place {
            Place::Root if !own_key => {
                let (subject, issuer) = (link.subject(), link.issuer());
                return Err(UploadError::NoRoot { subject, issuer });
            }
            Place::Server if own_key => {
                return Err(UploadError::SelfSigned { subject: link.subject() });
            }
            Place::Root | Place::Intermediate(_) if !link.is_authority() => {
                return Err(UploadError::NoAuthority { subject: link.subject() });
            }
            _ => {}
        }
        let (subject, issuer) = (link.subject(), link.issuer());
        match (place, self.before(place)) {
            (Place::Root, _) | (_, None) => {}
            (Place::Intermediate(_), Some(before)) => {
                if !link.is_signed_by(&read(before)?) {
                    let previous = described(before);
                    return Err(UploadError::IntermediateNotSigned { subject, issuer, previous });
                }
            }
            (Place::Server, Some(last)) => {
                self.holds_together()?;
                if !link.is_signed_by(&read(last)?) {
                    let previous = described(last);
                    return Err(UploadError::ServerNotSigned { subject, issuer, previous });
                }
            }
        }
        match &upload.private_key {
            Some(key) if !link.is_key(key.expose())? => {
                Err(UploadError::OtherKey { subject: link.subject() })
            }
            _ => Ok(()),
        }
    }

    /// The link that has to have signed what stands here.
    fn before(&self, place: Place) -> Option<&Row> {
        match place {
            Place::Root => None,
            Place::Intermediate(seq) => self.links.iter().rev().find(|row| row.seq < Some(seq)),
            Place::Server => self.links.last(),
        }
    }

    /// Each link is signed by the one before. One that was replaced may have broken that.
    fn holds_together(&self) -> Result<(), UploadError> {
        for (before, row) in self.links.iter().zip(self.links.iter().skip(1)) {
            let link = read(row)?;
            if !link.is_signed_by(&read(before)?) {
                return Err(UploadError::ChainBroken {
                    name: row.name.clone(),
                    subject: link.subject(),
                    issuer: link.issuer(),
                    previous: described(before),
                });
            }
        }
        Ok(())
    }
}

/// The certificate of a row.
fn read(row: &Row) -> Result<Link, UploadError> {
    Link::from_pem(&row.certificate).map_err(|error| UploadError::RowUnreadable {
        name: row.name.clone(),
        reason: error.to_string(),
    })
}

/// A row, as refusals name it.
fn described(row: &Row) -> String {
    format!("{} (`{}`)", Place::at(row.seq), row.name)
}

fn fits(parameter: &'static str, text: &str, limit: usize) -> Result<(), UploadError> {
    match text.chars().count() {
        length if length > limit => Err(UploadError::TooLong { parameter, length, limit }),
        _ => Ok(()),
    }
}

fn row_of_name(database: &Connection, name: &str) -> rusqlite::Result<Option<Row>> {
    Ok(rows(database, None)?.into_iter().find(|row| row.name == name))
}

/// All rows, or those of one domain.
fn rows(database: &Connection, domain_suffix: Option<&str>) -> rusqlite::Result<Vec<Row>> {
    let mut statement = database.prepare(
        "select id, name, certificate, \"key\", domain_suffix, seq from keystore
         where ?1 is null or domain_suffix = ?1 order by id",
    )?;
    let rows = statement.query_map([domain_suffix], |row| {
        Ok(Row {
            id: row.get(0)?,
            name: row.get(1)?,
            certificate: row.get(2)?,
            key: row.get::<_, Option<String>>(3)?.map(Secret::new),
            domain_suffix: row.get(4)?,
            seq: row.get(5)?,
        })
    })?;
    rows.collect()
}

fn configure(database: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    database.execute(
        "insert into configuration (name, value) values (?1, ?2)
         on conflict (name) do update set value = excluded.value",
        [name, value],
    )?;
    Ok(())
}

/// Replaces the row of that name, which keeps its `id`, or adds one.
fn write(transaction: &Transaction<'_>, upload: &Upload) -> rusqlite::Result<()> {
    let key = upload.private_key.as_ref().map(Secret::expose);
    let replaced = transaction.execute(
        "update keystore set certificate = ?2, \"key\" = ?3, seq = ?4 where name = ?1",
        params![upload.name, upload.certificate, key, upload.id],
    )?;
    if replaced == 0 {
        transaction.execute(
            "insert into keystore (name, certificate, \"key\", domain_suffix, seq)
             values (?1, ?2, ?3, ?4, ?5)",
            params![upload.name, upload.certificate, key, upload.domain_suffix, upload.id],
        )?;
    }
    Ok(())
}
