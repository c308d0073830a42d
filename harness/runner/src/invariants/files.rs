//! Files that are there while something is being done, and must be gone when it is.

use std::{fs, path::Path};

use super::{Breach, look::Look};

/// No temporary file and no backup outlives a step (§§2.2, 2.3).
pub(super) fn nothing_half_done_is_left(look: &Look<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for host in &look.hosts {
        let mut left = Vec::new();
        for folder in FOLDERS {
            collect(host.host.root().directory(), folder, &mut left);
        }
        left.sort();
        let name = host.name();
        left.retain(|path| {
            let bundle = path.strip_suffix(".tmp").unwrap_or(path);
            let mut stores = host.stores.iter();
            // What stands, by hand, where a bundle belongs keeps the new one from its place (§2.2).
            let is_blocked = stores.any(|s| s.is_blocked && s.store.bundle == Some(bundle));
            !is_blocked && !host.memory.was_edited(path) && !host.memory.was_edited(bundle)
        });
        let told =
            left.into_iter().map(|path| Breach::new(name, format!("{name}:{path} is left behind")));
        breaches.extend(told);
    }
    breaches
}

/// Where xapi and the model of Samba write.
const FOLDERS: [&str; 3] = ["/etc", "/var/lib/samba", "/var/lib/xcp"];

const HALF_DONE: [&str; 4] = [".bk", ".tmp", ".writing", ".new"];

/// Adds what is half done in `folder`, a path on a host whose files are below `root`.
fn collect(root: &Path, folder: &str, left: &mut Vec<String>) {
    // Past the checks of `HostRoot`, which resolve every link of every path: a judge reads much.
    let entries = fs::read_dir(root.join(folder.trim_start_matches('/')));
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let path = format!("{folder}/{}", name.to_string_lossy());
        if HALF_DONE.iter().any(|end| path.ends_with(end)) {
            left.push(path);
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(root, &path, left);
        }
    }
}
