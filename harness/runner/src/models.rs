//! The neighbouring models of trust in a scenario: a file for each, which builds its parties as the world names them
//! and carries out its actions.

pub(crate) mod directory;
pub(crate) mod ordered;
pub(crate) mod pinned;
#[cfg(test)]
mod reasons;

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use ground::{Trail, fact};
use scenario::Action;
use serde::Serialize;

use crate::{
    steps::StepError,
    world::{World, WorldError},
};

/// Carries out an action of a model. `None` if it succeeded, or if it is of no model.
///
/// # Errors
///
/// It cannot be tried at all: a scenario asks for what is not there, or the machine refuses ports or files. A party
/// that refuses is no error.
pub(crate) async fn act(
    world: &mut World,
    action: &Action,
    trail: &Trail,
) -> Result<Option<Refusal>, StepError> {
    match action {
        Action::Cloud(action) => {
            let cloud = world.cloud()?;
            let refusal = cloud.act(action, trail).await?;
            let secrets = cloud.secrets()?;
            world.keep_secret(secrets);
            Ok(refusal)
        }
        Action::Pinned(action) => {
            let refusal = world.pinned.act(action, trail.cause()).await?;
            world.keep_secret(world.pinned.secrets()?);
            Ok(refusal)
        }
        Action::Pki(action) => {
            let refusal = directory::act(world, action, trail).await?;
            world.keep_secret(world.pki.secrets().collect());
            Ok(refusal)
        }
        _ => Ok(None),
    }
}

/// An action of a model was refused. Its fact is the end of the step in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Refusal {
    /// Name of the reason, in kebab case: what `expect.refused` names.
    pub(crate) reason: String,
    /// What the party that refused says to its operator.
    pub(crate) words: String,
    /// What an operator should conclude, where the model can tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) diagnosis: Vec<String>,
}
fact!(Refusal, "model.refused");

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.reason, self.words)?;
        self.diagnosis.iter().try_for_each(|finding| write!(f, "\ndiagnosis: {finding}"))
    }
}

/// The lines of a private key in PEM, without its label: what no event may hold.
fn secret_lines(pem: &str) -> impl Iterator<Item = String> {
    pem.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned)
}

/// All files below a folder with their contents, to see whether a refusal has left them as they were.
fn files_below(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, WorldError> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(WorldError::Roots)? {
        let path = entry.map_err(WorldError::Roots)?.path();
        if path.is_dir() {
            found.extend(files_below(&path)?);
        } else {
            let content = fs::read(&path).map_err(WorldError::Roots)?;
            found.insert(path, content);
        }
    }
    Ok(found)
}
