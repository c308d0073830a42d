//! The file with the root certificate, which lasts as long as the domain.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::error::Failure;

/// A file that is removed when this is dropped, with the folder if that was made for it.
#[derive(Debug)]
pub(crate) struct CaFile {
    path: PathBuf,
    made: Option<PathBuf>,
    _temporary: Option<TempDir>,
}

impl CaFile {
    /// Writes `pem` into `folder`, or into a fresh folder.
    pub(crate) fn write(folder: Option<&Path>, domain: &str, pem: &str) -> Result<Self, Failure> {
        let (folder, made, temporary) = match folder {
            Some(folder) => {
                let made = !folder.exists();
                let failed = |source| Failure::Write { path: folder.to_owned(), source };
                fs::create_dir_all(folder).map_err(failed)?;
                (fs::canonicalize(folder).map_err(failed)?, made, None)
            }
            None => {
                let temporary = TempDir::with_prefix("fake-dc-").map_err(|source| {
                    Failure::System { what: "no folder for the CA file", source }
                })?;
                (temporary.path().to_owned(), false, Some(temporary))
            }
        };
        let path = folder.join(format!("{domain}-ca.pem"));
        // From here on a failure removes what was made.
        let file = Self { path, made: made.then(|| folder.clone()), _temporary: temporary };
        write_whole(&folder, &file.path, pem)
            .map_err(|source| Failure::Write { path: file.path.clone(), source })?;
        Ok(file)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes beside and renames: whoever finds the file finds all of it.
fn write_whole(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".fake-dc-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

impl Drop for CaFile {
    fn drop(&mut self) {
        // Somebody may have removed them already.
        let _ = fs::remove_file(&self.path);
        if let Some(folder) = &self.made {
            let _ = fs::remove_dir(folder);
        }
    }
}
