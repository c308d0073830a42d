//! From paths to cases: finds scenario files, parses them all, and reports all mistakes at once.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use scenario::{Colour, Diagnostics, FaultWord, Scenario, Source, Vocabulary};
use sim_host::datamodel::Message;

use crate::{
    CaseName,
    catalogue::{Entry, catalogue},
    host_faults::HostFault,
};

/// Name of a scenario file inside its folder.
const FILE_NAME: &str = "scenario.toml";

/// The words that scenarios may use for things other crates define.
pub fn vocabulary() -> Vocabulary {
    let facts = [
        fake_dc::facts::KINDS,
        sim_host::facts::KINDS,
        trust_models::pinned::facts::KINDS,
        sim_host::samba::facts::KINDS,
        crate::steps::KINDS,
        trust_models::ordered::facts::KINDS,
        crate::models::directory::KINDS,
        trust_models::directory::facts::KINDS,
        xenapi_client::facts::KINDS,
        xenapi_wire::facts::KINDS,
    ];
    Vocabulary {
        faults: catalogue().into_iter().map(fault_word).collect(),
        is_value,
        calls: Message::all().iter().map(|message| message.name.to_owned()).collect(),
        quirks: sim_host::Quirk::ALL.iter().map(|quirk| quirk.name().to_owned()).collect(),
        facts: facts.concat().into_iter().map(str::to_owned).collect(),
    }
}

fn fault_word(entry: Entry) -> FaultWord {
    FaultWord {
        id: entry.id.to_owned(),
        places: entry.places,
        value: entry.value,
        listeners: entry.listeners.into_iter().map(str::to_owned).collect(),
    }
}

fn is_value(id: &str, value: &str) -> bool {
    let text = format!("{id}:{value}");
    text.parse::<HostFault>().is_ok() || text.parse::<fake_dc::Fault>().is_ok()
}

/// Cases that can be run.
#[derive(Clone, Debug)]
pub struct Suite {
    cases: Vec<Case>,
}

/// A scenario in one profile, ready to run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: CaseName,
    /// The scenario file.
    pub path: PathBuf,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// Its text, for pictures of failures.
    pub source: Source,
}

/// Which cases of a suite to keep.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Text that must occur in the case's name; empty takes all.
    pub filter: Option<String>,
    /// Tags of which the scenario must have at least one; empty takes all.
    pub tags: Vec<String>,
}

impl Suite {
    /// Reads the scenario files named by `paths`: a file itself, a folder with all below it.
    ///
    /// # Errors
    ///
    /// All mistakes of all files.
    pub fn load(paths: &[PathBuf]) -> Result<Self, LoadErrors> {
        let vocabulary = vocabulary();
        let mut errors = Vec::new();
        let mut cases: BTreeMap<CaseName, Case> = BTreeMap::new();
        for path in scenario_files(paths, &mut errors) {
            match read(&path, &vocabulary) {
                Ok((scenario, source)) => {
                    for case in cases_of(&path, scenario, source) {
                        if let Some(other) = cases.get(&case.name) {
                            errors.push(LoadError::SameId {
                                id: case.name.scenario,
                                path: case.path,
                                other: other.path.clone(),
                            });
                            break;
                        }
                        cases.insert(case.name.clone(), case);
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(Self { cases: cases.into_values().collect() })
        } else {
            Err(LoadErrors(errors))
        }
    }

    /// The cases that `selection` keeps.
    #[must_use]
    pub fn select(&self, selection: &Selection) -> Self {
        let cases = self.cases.iter().filter(|case| selection.keeps(case)).cloned().collect();
        Self { cases }
    }

    /// These cases.
    pub fn of(cases: impl IntoIterator<Item = Case>) -> Self {
        Self { cases: cases.into_iter().collect() }
    }

    /// All cases, in order of their names.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }
}

impl Case {
    /// The same with the quirks that its scenario states turned round where `which` says so.
    #[must_use]
    pub fn with_quirks_turned(&self, which: impl Fn(sim_host::Quirk) -> bool) -> Self {
        let mut scenario = Scenario::clone(&self.scenario);
        for (name, on) in &mut scenario.world.quirks {
            if name.as_str().parse().is_ok_and(&which) {
                *on = !*on;
            }
        }
        Self { scenario: Arc::new(scenario), ..self.clone() }
    }
}

impl Selection {
    fn keeps(&self, case: &Case) -> bool {
        let named =
            self.filter.as_ref().is_none_or(|filter| case.name.to_string().contains(filter));
        let tagged = self.tags.is_empty()
            || case.scenario.tags.iter().any(|tag| self.tags.iter().any(|t| *t == tag.as_str()));
        named && tagged
    }
}

/// All that is wrong with the scenarios of a run; at least one error.
#[derive(Debug)]
pub struct LoadErrors(Vec<LoadError>);

/// Why a scenario cannot be run.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The id differs from the folder's name.
    IdIsNotFolder {
        /// The scenario file.
        path: PathBuf,
        /// The id in it.
        id: String,
        /// Name of the folder.
        folder: String,
    },
    /// The text has mistakes.
    Mistakes(Diagnostics),
    /// A folder holds no scenario.
    NoScenario {
        /// The folder.
        path: PathBuf,
    },
    /// Two files have one id.
    SameId {
        /// The id.
        id: String,
        /// The later file.
        path: PathBuf,
        /// The earlier file.
        other: PathBuf,
    },
    /// A file or folder cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl LoadErrors {
    /// The errors.
    pub fn iter(&self) -> impl Iterator<Item = &LoadError> {
        self.0.iter()
    }

    /// The errors as a report; each ends with a line feed.
    pub fn render(&self, colour: Colour) -> String {
        self.0.iter().map(|error| error.render(colour)).collect()
    }
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Colour::Plain))
    }
}

impl std::error::Error for LoadErrors {}

impl LoadError {
    fn render(&self, colour: Colour) -> String {
        match self {
            Self::IdIsNotFolder { path, id, folder } => format!(
                "{}: the id is `{id}`, but the folder is `{folder}`\n  help: give both one name\n",
                path.display()
            ),
            Self::Mistakes(diagnostics) => diagnostics.render(colour),
            Self::NoScenario { path } => format!(
                "{}: no scenario here\n  help: name a `.toml` file, or a folder with \
                 `{FILE_NAME}` files below it\n",
                path.display()
            ),
            Self::SameId { id, path, other } => format!(
                "{}: the id `{id}` is taken by {}\n  help: give one of them another id\n",
                path.display(),
                other.display()
            ),
            Self::Unreadable { path, error } => {
                format!("{}: cannot be read: {error}\n", path.display())
            }
        }
    }
}

/// The scenario files below `paths`, each once, in order.
fn scenario_files(paths: &[PathBuf], errors: &mut Vec<LoadError>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        if let Err(error) = collect(path, &mut files) {
            errors.push(error);
        } else if files.len() == before {
            errors.push(LoadError::NoScenario { path: path.clone() });
        }
    }
    files.sort();
    files.dedup();
    files
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let unreadable = |error| LoadError::Unreadable { path: path.to_owned(), error };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?.path();
        if entry.is_dir() {
            collect(&entry, files)?;
        } else if entry.file_name().is_some_and(|name| name == FILE_NAME) {
            files.push(entry);
        }
    }
    Ok(())
}

fn read(path: &Path, vocabulary: &Vocabulary) -> Result<(Scenario, Source), LoadError> {
    let bytes =
        fs::read(path).map_err(|error| LoadError::Unreadable { path: path.to_owned(), error })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let cause = format!("byte {at} is not UTF-8; save the file as UTF-8 text");
        let error = io::Error::new(io::ErrorKind::InvalidData, cause);
        LoadError::Unreadable { path: path.to_owned(), error }
    })?;
    let name = path.display().to_string();
    let scenario = scenario::parse(&name, &text, vocabulary).map_err(LoadError::Mistakes)?;
    check_folder(path, &scenario)?;
    Ok((scenario, Source::new(&name, &text)))
}

/// A bundled scenario lives in a folder of its id, as `scenario.toml`; other files are free.
fn check_folder(path: &Path, scenario: &Scenario) -> Result<(), LoadError> {
    if path.file_name().is_none_or(|name| name != FILE_NAME) {
        return Ok(());
    }
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().and_then(Path::file_name).unwrap_or_default();
    let folder = folder.to_string_lossy();
    if folder == scenario.id.as_str() || folder.starts_with('.') {
        return Ok(());
    }
    Err(LoadError::IdIsNotFolder {
        path: path.to_owned(),
        id: scenario.id.to_string(),
        folder: folder.into_owned(),
    })
}

fn cases_of(path: &Path, scenario: Scenario, source: Source) -> Vec<Case> {
    let scenario = Arc::new(scenario);
    let case = |profile: scenario::Profile| Case {
        name: CaseName { scenario: scenario.id.to_string(), profile },
        path: path.to_owned(),
        scenario: Arc::clone(&scenario),
        source: source.clone(),
    };
    scenario.played_profiles().map(case).collect()
}
