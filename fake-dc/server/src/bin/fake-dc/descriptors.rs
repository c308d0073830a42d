//! How many files and sockets the process may have open.

use std::io::{self, Write as _};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as it may be, and says on standard error if that is not enough for
/// `connections` beside the ports of `dcs`.
pub(crate) fn raise(connections: usize, dcs: usize) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // None is no limit.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let Some(limit) = (if raised.is_ok() { maximum } else { current }) else { return };
    let wanted = connections.saturating_add(OWN).saturating_add(dcs.saturating_mul(OF_A_DC));
    if usize::try_from(limit).is_ok_and(|limit| limit < wanted) {
        // Standard error is where a failure to write to it would be said.
        let _ = writeln!(
            io::stderr().lock(),
            "warning: this process may have {limit} files open, and {wanted} are wanted for \
             {connections} connections; the most silent ones are dropped when they run out\n  \
             help: raise the limit with `ulimit -Hn {wanted}` (as root), `LimitNOFILE={wanted}` \
             (systemd) or `--ulimit nofile={wanted}` (Docker)",
        );
    }
}

/// Files of the process itself.
const OWN: usize = 64;

/// Sockets of a DC.
const OF_A_DC: usize = 16;
