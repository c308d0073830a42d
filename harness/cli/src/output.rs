//! What a program gives its user: lines, complaints, and files written whole or not at all.

use std::{
    fmt::Display,
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};

use runner::Exit;

/// Prints a line for the user. Whoever has closed the pipe has seen enough; the work goes on, for
/// its exit code and its files.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Says what is wrong with the input.
pub(crate) fn wrong_input(what: impl Display) -> Exit {
    eprintln!("error: {what}");
    Exit::WrongInput
}

/// Writes `path` through a temporary file beside it.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Exit> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let result = (|| {
        let file = tempfile::NamedTempFile::new_in(folder)?;
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        // A temporary file is private; a report is for everybody.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        fs::set_permissions(file.path(), mode)?;
        file.persist(path)?;
        Ok(())
    })();
    result.map_err(|error: io::Error| {
        wrong_input(format_args!(
            "{}: cannot be written: {error}\n  help: name a file in a folder that exists and can be written",
            path.display()
        ))
    })
}
