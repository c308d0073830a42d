//! Runs this program under callgrind, and reads what was counted.

use std::{
    collections::BTreeMap,
    env, fs,
    io::ErrorKind,
    path::Path,
    process::{Command, Stdio},
};

use crate::Failure;

/// The word that makes this program go its paths.
pub(crate) const GO: &str = "go";

/// What begins the names of the crypto library's functions.
const CRYPTO: &str = "aws_lc_";

/// Instructions of one path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Those of our code, and of all that it calls but the crypto library.
    pub(crate) ours: u64,
    /// Those of aws-lc. It chooses its code by processor, and signs with random numbers.
    pub(crate) crypto: u64,
}

/// Counts the instructions of every path, by its name.
pub(crate) fn count() -> Result<BTreeMap<String, Count>, Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("counted");
    let output = Command::new("valgrind")
        .args(["-q", "--tool=callgrind", "--dump-line=no"])
        .args(["--compress-strings=no", "--compress-pos=no"])
        .args(["--toggle-collect=budgets::measured", "--dump-after=budgets::measured"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(env::current_exe()?)
        .arg(GO)
        // The same everywhere: what lies on the stack, and which code libc and aws-lc choose.
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-AVX,-ERMS,-FSRM")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => "there is no valgrind (Debian: apt-get install valgrind)".into(),
            _ => format!("valgrind: {error}"),
        })?;
    if !output.status.success() {
        return Err(format!("under valgrind the paths ended with {}", output.status).into());
    }
    let names = String::from_utf8(output.stdout)?;
    let count = |(part, name): (u32, &str)| {
        let counted = read(&file.with_extension(part.to_string()))?;
        if counted.ours == 0 {
            return Err(format!("{name}: nothing was counted").into());
        }
        Ok((name.to_owned(), counted))
    };
    (1..).zip(names.lines()).map(count).collect()
}

/// Sums up what one dump says that each function took itself.
///
/// Function by function there is a line `fn=NAME`, then what it took itself as `POSITION COUNT`. What
/// it called follows `calls=` and belongs to others.
fn read(file: &Path) -> Result<Count, Failure> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut count = Count::default();
    let (mut is_crypto, mut is_call) = (false, false);
    for line in text.lines() {
        if let Some(function) = line.strip_prefix("fn=") {
            is_crypto = function.starts_with(CRYPTO);
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            let instructions: u64 = line.split(' ').nth(1).unwrap_or_default().parse()?;
            match (is_call, is_crypto) {
                (true, _) => {}
                (false, true) => count.crypto += instructions,
                (false, false) => count.ours += instructions,
            }
            is_call = false;
        }
    }
    Ok(count)
}
