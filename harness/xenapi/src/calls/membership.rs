//! The calls by which hosts come into a pool and leave it (xapi-flows.md §§12, 13).

use ground::Secret;
use sim_host::{ApiError, Call, HostCreation, JoinParameters};

use super::{Arguments, Entry, call};

pub(super) const TABLE: &[Entry] = &[
    Entry {
        // ssl_legacy, last_software_update, last_update_hash
        defaulted: 3,
        ..call("host.create", 13, |arguments| {
            let text = |index| arguments.text(index).map(str::to_owned);
            // Licence parameters, licence server, cache of storage and chipset are not modelled.
            Ok(Call::HostCreate(HostCreation {
                uuid: text(0)?,
                name_label: text(1)?,
                name_description: text(2)?,
                hostname: text(3)?,
                address: text(4)?,
                external_auth_type: text(5)?,
                external_auth_service_name: text(6)?,
                external_auth_configuration: arguments.config(7)?,
                edition: text(9)?,
            }))
        })
    },
    call("pool.eject", 1, |arguments| Ok(Call::PoolEject { host: arguments.reference(0)? })),
    call("pool.initial_auth", 0, |_| Ok(Call::PoolInitialAuth)),
    call("pool.join", 3, |arguments| join(arguments, false)),
    call("pool.join_force", 3, |arguments| join(arguments, true)),
];

fn join(arguments: &Arguments<'_>, force: bool) -> Result<Call, ApiError> {
    Ok(Call::PoolJoin(JoinParameters {
        master_address: arguments.text(0)?.to_owned(),
        master_username: arguments.text(1)?.to_owned(),
        master_password: Secret::new(arguments.text(2)?),
        force,
    }))
}
