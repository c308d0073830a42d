//! The host's machine account as `secrets.tdb`, which `net --machine-pass` reads.
//!
//! The records are those that Samba wrote before 4.7 and still reads (`secrets_fetch_machine_password`
//! of 4.22, file source3/passdb/machine_account_secrets.c). `tdbrestore` writes the database from the
//! text that `tdbdump` prints.

use std::{
    fs, io,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use ground::Timestamp;

use crate::{HostRoot, samba::Secrets};

const PATH: &str = "/var/lib/samba/private/secrets.tdb";
/// `SEC_CHAN_WKSTA` (\[MS-NRPC\] 2.2.1.3.13): a member of a domain.
const SEC_CHAN_WKSTA: u32 = 2;
/// Sub-authorities that `struct dom_sid` has room for.
const SUB_AUTHORITIES_MAX: usize = 15;

/// The database of one host.
#[derive(Debug, Default)]
pub(super) struct SecretsTdb {
    /// What was written last.
    written: Mutex<Option<Secrets>>,
}

impl SecretsTdb {
    /// Writes the database as the host's secrets are now; a host without secrets has none.
    pub(super) fn update(&self, root: &HostRoot, now: Timestamp) -> io::Result<()> {
        let path = root.real_path(PATH).map_err(io::Error::other)?;
        let secrets = Secrets::load(root);
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        match &secrets {
            Some(_) if *written == secrets && path.exists() => return Ok(()),
            Some(secrets) => write(&path, secrets, now)?,
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
        }
        *written = secrets;
        Ok(())
    }
}

fn write(path: &Path, secrets: &Secrets, now: Timestamp) -> io::Result<()> {
    // Replaced as a whole: a `net` that still runs keeps the one that it has opened.
    let fresh = path.with_extension("tdb.new");
    let _ = fs::remove_file(&fresh);
    restore(&fresh, &dump(secrets, now))?;
    fs::rename(fresh, path)
}

/// The records in the text form of `tdbdump`.
fn dump(secrets: &Secrets, now: Timestamp) -> String {
    let domain = secrets.workgroup.to_uppercase();
    let mut password = secrets.password.expose().as_bytes().to_vec();
    password.push(0);
    let changed = u32::try_from(now.unix()).unwrap_or_default().to_le_bytes();
    let records: [(&str, &[u8]); 4] = [
        ("SID", &dom_sid(&secrets.domain_sid)),
        ("MACHINE_PASSWORD", &password),
        ("MACHINE_LAST_CHANGE_TIME", &changed),
        ("MACHINE_SEC_CHANNEL_TYPE", &SEC_CHAN_WKSTA.to_le_bytes()),
    ];
    let mut text = String::new();
    for (name, data) in records {
        let key = format!("SECRETS/{name}/{domain}");
        text += &format!(
            "{{\nkey({}) = \"{}\"\ndata({}) = \"{}\"\n}}\n",
            key.len(),
            escaped(key.as_bytes()),
            data.len(),
            escaped(data)
        );
    }
    text
}

/// Samba's `struct dom_sid` (68 bytes) of a SID in text; a text that is none gives the null SID.
fn dom_sid(text: &str) -> Vec<u8> {
    let mut numbers = text.split('-').skip(2);
    let authority: u64 = numbers.next().and_then(|number| number.parse().ok()).unwrap_or(0);
    let subs: Vec<u32> = numbers.map_while(|number| number.parse().ok()).collect();
    let subs = &subs[..subs.len().min(SUB_AUTHORITIES_MAX)];
    let mut sid = vec![1, u8::try_from(subs.len()).unwrap_or(0)];
    sid.extend(&authority.to_be_bytes()[2..]);
    subs.iter().for_each(|sub| sid.extend(sub.to_le_bytes()));
    sid.resize(8 + 4 * SUB_AUTHORITIES_MAX, 0);
    sid
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02X}")).collect()
}

/// `tdbrestore`, which takes the text on standard input: no command line shows the password.
fn restore(path: &Path, text: &str) -> io::Result<()> {
    let mut program = Command::new("tdbrestore")
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = program.stdin.take() {
        stdin.write_all(text.as_bytes())?;
    }
    let status = program.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("tdbrestore: {status}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_has_the_layout_of_samba() {
        let sid = dom_sid("S-1-5-21-1-2-258");
        assert_eq!(sid.len(), 68);
        let shown = [1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 0, 0, 0];
        assert_eq!(sid[..25], shown);
        assert_eq!(dom_sid("nonsense")[..9], [1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
