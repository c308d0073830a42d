//! What a party keeps: one file, which is replaced whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use ground::Secret;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, error::Category};

/// A file could not be read or replaced.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct StoreError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// A value and the file that holds it. The file is readable for its owner alone: keys are in it.
#[derive(Debug)]
pub(super) struct Store<T> {
    path: PathBuf,
    value: Mutex<T>,
}

impl<T: Clone + PartialEq + Serialize + DeserializeOwned> Store<T> {
    /// Makes the file.
    pub(super) fn create(path: &Path, value: T) -> Result<Self, StoreError> {
        let store = Self { path: path.to_owned(), value: Mutex::new(value) };
        store.replace(&store.lock()).map_err(|source| store.error(source))?;
        Ok(store)
    }

    /// Reads the file. What was being written when its writer died is not looked at.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let read = || serde_json::from_slice(&fs::read(path)?).map_err(damage);
        let error = |source| StoreError { path: path.to_owned(), source };
        Ok(Self { path: path.to_owned(), value: Mutex::new(read().map_err(error)?) })
    }

    /// A copy of the value.
    pub(super) fn get(&self) -> T {
        self.lock().clone()
    }

    /// Changes the value in the file, and then here. A change that alters nothing writes nothing.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R, StoreError> {
        let mut value = self.lock();
        let mut draft = value.clone();
        let result = change(&mut draft);
        if draft != *value {
            self.replace(&draft).map_err(|source| self.error(source))?;
            *value = draft;
        }
        Ok(result)
    }

    fn replace(&self, value: &T) -> io::Result<()> {
        let temporary = self.path.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        // The name must last as long as the bytes.
        self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        // The value is replaced whole, after the file was.
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, source: io::Error) -> StoreError {
        StoreError { path: self.path.clone(), source }
    }
}

/// Where a file is damaged. What serde_json says of it could quote a key.
fn damage(error: serde_json::Error) -> io::Error {
    let (line, column) = (error.line(), error.column());
    let what = match error.classify() {
        Category::Data => "this is no such value",
        Category::Eof => "the text ends here",
        Category::Io | Category::Syntax => "this is no JSON",
    };
    let words =
        format!("line {line}, column {column}: {what}; restore the file, or begin without it");
    io::Error::new(io::ErrorKind::InvalidData, words)
}

/// What a store holds that must not be seen elsewhere: private keys, symmetric keys, and the tokens of
/// deployments. For those who look whether it is.
pub fn secrets_in(store: &[u8]) -> Vec<Secret> {
    fn collect(value: &Value, secrets: &mut Vec<Secret>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    match (name.as_str(), field) {
                        ("key" | "registrar" | "token", Value::String(text)) => {
                            secrets.push(Secret::new(text.as_str()));
                        }
                        _ => collect(field, secrets),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, secrets)),
            _ => {}
        }
    }
    let mut secrets = Vec::new();
    if let Ok(value) = serde_json::from_slice(store) {
        collect(&value, &mut secrets);
    }
    secrets
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Kept {
        host_key: Key,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Key {
        key: String,
    }

    #[test]
    fn what_a_damaged_file_holds_is_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.json");
        for (text, where_and_what) in [
            (r#"{"host_key": "c2VjcmV0"}"#, "line 1, column 23: this is no such value"),
            (r#"{"host_key": {"key": "c2VjcmV0"#, "line 1, column 30: the text ends here"),
            (r#"{"host_key": c2VjcmV0}"#, "line 1, column 14: this is no JSON"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Store::<Kept>::open(&path).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains(where_and_what) && !told.contains("c2VjcmV0"), "{told}");
        }
    }
}
