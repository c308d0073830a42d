//! Puts the bundled scenarios into the library, so that the catalogue can name them wherever the
//! program is installed.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let scenarios = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../scenarios");
    println!("cargo:rerun-if-changed={}", scenarios.display());
    let mut files = Vec::new();
    for folder in fs::read_dir(&scenarios)? {
        let file = folder?.path().join("scenario.toml");
        if file.is_file() {
            files.push(file.canonicalize()?);
        }
    }
    files.sort();
    let mut source = String::from("&[\n");
    for file in files {
        writeln!(source, "    include_str!({:?}),", file.to_string_lossy())?;
    }
    source.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("bundled.rs"), source)?;
    Ok(())
}
