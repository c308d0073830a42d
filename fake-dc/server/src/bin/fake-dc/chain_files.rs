//! The chain and the key of each DC as files, for another server that is to show the same.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use fake_dc::Domain;

use crate::error::Failure;

/// Writes them into `folder`. They stay when the program ends.
pub(crate) fn write(folder: &Path, domain: &Domain) -> Result<(), Failure> {
    fs::create_dir_all(folder)
        .map_err(|source| Failure::Write { path: folder.to_owned(), source })?;
    for dc in domain.dcs() {
        let chain = dc.sound_chain()?;
        for (kind, text) in [("chain", chain.to_pem()), ("key", chain.key.to_pem())] {
            let path = folder.join(format!("{}-{kind}.pem", dc.name()));
            write_private(folder, &path, &text)
                .map_err(|source| Failure::Write { path: path.clone(), source })?;
        }
    }
    Ok(())
}

/// Writes beside and renames. Samba takes a key only if nobody else may read it.
fn write_private(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".fake-dc-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
