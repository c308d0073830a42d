//! The pool to join, as its coordinator answers over the wire.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
};

use ground::{Secret, Trail};
use uuid::Uuid;
use xenapi_client::{CallError, Client, ClientError, Session, Trust, Value};

use super::side::{CertificateSide, HostSide, PoolSide, Side};
use crate::{
    ApiError, Estate, Reference,
    database::reads_as_true,
    estate::{
        ClusterHost, Identity, Interface, Network, PoolUpdate, SdnController, StorageManager,
    },
    xapi::{certificates::malformed, remote::from_there},
};

/// What a host calls itself when it logs in to another pool.
const ORIGINATOR: &str = "xapi";
/// The name by which a host asks another for its internal certificate.
const POOL_NAME: &str = "pool";

/// A session of the joiner on the coordinator.
#[derive(Debug)]
pub(crate) struct Remote {
    session: Session,
}

impl Remote {
    /// Logs in: with `trust` in the internal certificate of one of a bundle, or in anything.
    pub(crate) async fn log_in(
        address: SocketAddr,
        bundle: Option<String>,
        user: &str,
        password: &Secret,
        trail: &Trail,
    ) -> Result<Self, ApiError> {
        let client = Client::new(address);
        let client = match bundle {
            Some(bundle) => client.tls(Trust::Bundle(bundle)).server_name(POOL_NAME),
            None => client.tls(Trust::Nothing),
        };
        let session =
            client.log_in(user, password, ORIGINATOR, trail).await.map_err(
                |error| match error {
                    CallError::Client(
                        ClientError::Cut
                        | ClientError::Long
                        | ClientError::Malformed(_)
                        | ClientError::NoHttp
                        | ClientError::Status { .. },
                    ) => ApiError::bare("JOINING_HOST_SERVICE_FAILED"),
                    other => of_call(other),
                },
            )?;
        Ok(Self { session })
    }

    /// Ends the session. Whether that works matters to nobody.
    pub(crate) async fn log_out(self, trail: &Trail) {
        let _ = self.session.log_out(trail).await;
    }

    /// Calls a method.
    pub(crate) async fn call(
        &self,
        method: &str,
        params: &[Value],
        trail: &Trail,
    ) -> Result<Value, ApiError> {
        self.session.call(method, params, trail).await.map_err(of_call)
    }

    /// Calls a method that returns a map of texts.
    pub(crate) async fn call_for_texts(
        &self,
        method: &str,
        params: &[Value],
        trail: &Trail,
    ) -> Result<Vec<(String, String)>, ApiError> {
        let answer = self.call(method, params, trail).await?;
        answer.as_texts_by_key().ok_or_else(|| malformed(method))
    }

    /// Calls a method that returns a map of sets of texts, or, without quirk Q18, a list of its
    /// pairs.
    pub(crate) async fn call_for_sets(
        &self,
        method: &str,
        params: &[Value],
        trail: &Trail,
    ) -> Result<Vec<(String, Vec<String>)>, ApiError> {
        let answer = self.call(method, params, trail).await?;
        answer.as_sets_by_key().ok_or_else(|| malformed(method))
    }

    /// All that the pre-checks look at.
    pub(crate) async fn side(&self, trail: &Trail) -> Result<Side, ApiError> {
        const INSTALLED: &str = r#"field "type"="ca" or field "type"="pinned""#;

        let pools = self.records("pool", trail).await?;
        let [pool] = pools.as_slice() else {
            return Err(ApiError::internal("Should get only one pool"));
        };
        let hosts = self.records("host", trail).await?;
        let master = pool.text("master");
        let (coordinator, members): (Vec<_>, Vec<_>) =
            hosts.iter().partition(|host| host.reference == master);
        let coordinator = coordinator
            .first()
            .copied()
            .ok_or_else(|| ApiError::handle_invalid("host", Reference::new(master)))?;
        let certificates = self
            .call("Certificate.get_all_records_where", &[Value::text(INSTALLED)], trail)
            .await?;
        Ok(Side {
            pool: PoolSide {
                reference: Reference::new(pool.reference.as_str()),
                ha_enabled: pool.flag("ha_enabled"),
                is_applying_updates: pool
                    .texts_of("current_operations")
                    .values()
                    .any(|operation| operation == "apply_updates"),
                tls_verification_enabled: pool.flag("tls_verification_enabled"),
            },
            estate: self.estate(pool, coordinator, trail).await?,
            hosts: std::iter::once(coordinator).chain(members).map(host_side).collect(),
            certificates: records_of(&certificates).iter().map(certificate_side).collect(),
            circumstances: BTreeSet::new(),
        })
    }

    async fn estate(
        &self,
        pool: &Row,
        coordinator: &Row,
        trail: &Trail,
    ) -> Result<Estate, ApiError> {
        let rows = async |class| self.records(class, trail).await;
        Ok(Estate {
            api_version: (
                coordinator.number("API_version_major"),
                coordinator.number("API_version_minor"),
            ),
            cpu_vendor: pool.texts_of("cpu_info").remove("vendor").unwrap_or_default(),
            pending_guidances: coordinator.texts("pending_guidances"),
            software_version: coordinator.texts_of("software_version"),
            cluster_hosts: made(&rows("Cluster_host").await?, |row| ClusterHost {
                identity: row.identity(),
                host: Reference::new(row.text("host")),
                interface: Reference::new(row.text("PIF")),
            }),
            interfaces: made(&rows("PIF").await?, |row| Interface {
                identity: row.identity(),
                host: Reference::new(row.text("host")),
                management: row.flag("management"),
                vlan: row.number("VLAN"),
                primary_address_type: row.text("primary_address_type"),
            }),
            networks: made(&rows("network").await?, |row| Network {
                identity: row.identity(),
                purpose: row.texts("purpose"),
            }),
            sdn_controllers: made(&rows("SDN_controller").await?, |row| SdnController {
                identity: row.identity(),
                address: row.text("address"),
            }),
            storage_managers: made(&rows("SM").await?, |row| StorageManager {
                identity: row.identity(),
                kind: row.text("type"),
                features: row.numbers_of("features"),
            }),
            updates: made(&rows("pool_update").await?, |row| PoolUpdate {
                identity: row.identity(),
                enforce_homogeneity: row.flag("enforce_homogeneity"),
            }),
        })
    }

    async fn records(&self, class: &str, trail: &Trail) -> Result<Vec<Row>, ApiError> {
        let method = format!("{class}.get_all_records");
        Ok(records_of(&self.call(&method, &[], trail).await?))
    }
}

/// A call failed: as the server says, or it did not come through.
fn of_call(error: CallError) -> ApiError {
    match error {
        CallError::Client(ClientError::Io(error)) if is_reset(&error) => connection_failed(),
        other => from_there(other),
    }
}

fn is_reset(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionReset
}

fn connection_failed() -> ApiError {
    ApiError::bare("JOINING_HOST_CONNECTION_FAILED")
}

/// A record of the wire. A field that is absent, or of another type, is as in a pool too old to
/// have it: empty, zero or false.
struct Row {
    reference: String,
    fields: Value,
}

fn records_of(value: &Value) -> Vec<Row> {
    let row = |(reference, fields): &(String, Value)| Row {
        reference: reference.clone(),
        fields: fields.clone(),
    };
    value.members().unwrap_or_default().iter().map(row).collect()
}

fn made<T>(rows: &[Row], make: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(make).collect()
}

fn host_side(row: &Row) -> HostSide {
    let configuration = row.texts_of("external_auth_configuration");
    HostSide {
        reference: Reference::new(row.reference.as_str()),
        uuid: row.text("uuid"),
        name_label: row.text("name_label"),
        edition: row.text("edition"),
        external_auth_type: row.text("external_auth_type"),
        external_auth_service_name: row.text("external_auth_service_name"),
        external_auth_ldaps: configuration.get("ldaps").is_some_and(|ldaps| reads_as_true(ldaps)),
    }
}

fn certificate_side(row: &Row) -> CertificateSide {
    CertificateSide {
        reference: Reference::new(row.reference.as_str()),
        name: row.text("name"),
        kind: row.text("type"),
        fingerprint_sha256: row.text("fingerprint_sha256"),
        purpose: row.texts("purpose").into_iter().collect(),
    }
}

impl Row {
    fn identity(&self) -> Identity {
        let uuid = self.text("uuid").parse().unwrap_or(Uuid::nil());
        Identity { reference: Reference::new(self.reference.as_str()), uuid }
    }

    fn text(&self, name: &str) -> String {
        self.fields.member(name).and_then(Value::as_text).unwrap_or_default().to_owned()
    }

    fn flag(&self, name: &str) -> bool {
        self.fields.member(name) == Some(&Value::Bool(true))
    }

    fn number(&self, name: &str) -> i64 {
        self.fields.member(name).map_or(0, number)
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let texts = self.fields.member(name).and_then(Value::as_texts).unwrap_or_default();
        texts.into_iter().map(str::to_owned).collect()
    }

    fn texts_of(&self, name: &str) -> BTreeMap<String, String> {
        let members = self.members(name);
        let text =
            |(key, value): &(String, Value)| Some((key.clone(), value.as_text()?.to_owned()));
        members.iter().filter_map(text).collect()
    }

    fn numbers_of(&self, name: &str) -> BTreeMap<String, i64> {
        self.members(name).iter().map(|(key, value)| (key.clone(), number(value))).collect()
    }

    fn members(&self, name: &str) -> &[(String, Value)] {
        self.fields.member(name).and_then(Value::members).unwrap_or_default()
    }
}

/// XML-RPC has numbers as text.
fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::Text(text) => text.parse().unwrap_or(0),
        _ => 0,
    }
}
