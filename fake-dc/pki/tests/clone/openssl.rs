//! The program `openssl`.

use std::{
    io::ErrorKind,
    path::Path,
    process::{Command, Stdio},
};

/// Runs OpenSSL, which must do as it is told. `None` if there is none.
pub(crate) fn openssl(here: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = command(here, arguments)?;
    assert!(output.0, "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.2));
    Some(output.1)
}

/// Runs OpenSSL and returns all that it says.
pub(crate) fn run(here: &Path, arguments: &[&str]) -> Option<String> {
    let (_, out, err) = command(here, arguments)?;
    Some(String::from_utf8_lossy(&[out, err].concat()).into_owned())
}

#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
fn command(here: &Path, arguments: &[&str]) -> Option<(bool, Vec<u8>, Vec<u8>)> {
    let ended =
        Command::new("openssl").args(arguments).current_dir(here).stdin(Stdio::null()).output();
    match ended {
        Ok(output) => Some((output.status.success(), output.stdout, output.stderr)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some();
            assert!(!required, "openssl is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
            eprintln!("SKIPPED: openssl is not installed (Debian: apt-get install openssl)");
            None
        }
        Err(error) => panic!("openssl cannot be run: {error}"),
    }
}
