//! Files that are there while something is being done, and must be gone when it is.

use sim_host::{Entry, HostRoot};

use super::{Breach, look::Look};

/// No temporary file and no backup outlives a step (§§2.2, 2.3).
pub(super) fn nothing_half_done_is_left(look: &Look<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for host in &look.hosts {
        let mut left = Vec::new();
        for folder in FOLDERS {
            collect(host.host.root(), folder, &mut left);
        }
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

fn collect(root: &HostRoot, folder: &str, left: &mut Vec<String>) {
    for name in root.list(folder).unwrap_or_default() {
        let path = format!("{folder}/{name}");
        if HALF_DONE.iter().any(|end| name.ends_with(end)) {
            left.push(path);
        } else if root.entry(&path).is_ok_and(|entry| entry == Entry::Directory) {
            collect(root, &path, left);
        }
    }
}
