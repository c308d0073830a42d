//! The classes of which a joiner looks at a few fields (xapi-flows.md §12.2); no record of the
//! database stands behind them.

use sim_host::{
    Reference,
    estate::{ClusterHost, Interface, Network, PoolUpdate, SdnController, StorageManager},
};

use super::{Field, Record, View, field};
use xenapi_client::Value;

macro_rules! classes {
    ($($type:ty: $class:literal, $rows:ident, [$($name:literal => $value:expr,)*];)+) => {
        $(impl Record for $type {
            const CLASS: &'static str = $class;
            const FIELDS: &'static [Field<Self>] = &[
                field("uuid", |row, _| Value::text(row.identity.uuid)),
                $(field($name, $value),)*
            ];

            fn rows(view: &View) -> &[Self] {
                &view.estate.$rows
            }

            fn reference(&self) -> &Reference {
                &self.identity.reference
            }
        })+
    };
}

classes! {
    ClusterHost: "Cluster_host", cluster_hosts, [
        "host" => |row, _| Value::text(&row.host),
        "PIF" => |row, _| Value::text(&row.interface),
        "enabled" => |_, _| Value::Bool(true),
    ];
    Interface: "PIF", interfaces, [
        "host" => |row, _| Value::text(&row.host),
        "management" => |row, _| Value::Bool(row.management),
        "VLAN" => |row, _| Value::Int(row.vlan),
        "primary_address_type" => |row, _| Value::text(&row.primary_address_type),
    ];
    Network: "network", networks, [
        "purpose" => |row, _| Value::texts(&row.purpose),
    ];
    PoolUpdate: "pool_update", updates, [
        "enforce_homogeneity" => |row, _| Value::Bool(row.enforce_homogeneity),
    ];
    SdnController: "SDN_controller", sdn_controllers, [
        "address" => |row, _| Value::text(&row.address),
    ];
    StorageManager: "SM", storage_managers, [
        "type" => |row, _| Value::text(&row.kind),
        "features" => |row, _| {
            let features = row.features.iter();
            Value::Struct(features.map(|(name, of)| (name.clone(), Value::Int(*of))).collect())
        },
    ];
}
