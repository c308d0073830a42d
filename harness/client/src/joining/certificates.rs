//! Getting the pool's certificates onto the joiner, and off it again (xapi-flows.md §§5.1, 5.3).

use std::collections::BTreeSet;

use super::{Authentication, Desk, Download, JoinError, Param, Side, desk::unexpected};
use crate::{Session, Value, fingerprint::fingerprint_of_pem};

const RECORDS: &str = "Certificate.get_all_records_where";
/// Trusted certificates of either type (xapi-flows.md §0.2).
const TRUSTED: &str = r#"(field "type"="ca" or field "type"="pinned") and field "name"="""#;
const LDAPS: &str = "ldaps";

/// What the client has put on the joiner: references there.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// The joiner's own pool.
    pool: String,
    references: Vec<String>,
}

/// A trusted certificate of one side, as its record says.
struct Trusted {
    reference: String,
    is_ca: bool,
    fingerprint: String,
    purposes: Vec<String>,
}

/// A certificate on its way.
struct Parcel {
    pem: String,
    is_ca: bool,
    fingerprint: String,
    purposes: Vec<String>,
}

impl Copied {
    /// §5.1, steps 1 to 5.
    pub(super) async fn download(
        &mut self,
        desk: &mut Desk<'_>,
        variant: Download,
        (pool, theirs): (&Session, &Authentication),
        (joiner, ours): (&Session, &Authentication),
    ) -> Result<(), JoinError> {
        self.pool.clone_from(&ours.pool);
        let offered = for_ldaps(trusted(desk, Side::Pool, pool).await?);
        let present = trusted(desk, Side::Joiner, joiner).await?;
        let known: BTreeSet<_> = present.iter().map(|row| row.fingerprint.clone()).collect();
        let mut parcels = match variant {
            Download::One | Download::List => {
                let missing = offered.into_iter().filter(|row| !known.contains(&row.fingerprint));
                fetch(desk, variant, pool, &theirs.pool, missing.collect()).await?
            }
            Download::ByPurpose => fetch_by_purpose(desk, pool, &theirs.pool).await?,
        };
        parcels.retain(|parcel| !known.contains(&parcel.fingerprint));
        let mut rows: BTreeSet<_> = present.into_iter().map(|row| row.reference).collect();
        for parcel in parcels {
            let params = vec![
                Param::text("self", &ours.pool),
                Param::bool("ca", parcel.is_ca),
                Param::certificate("cert", &parcel.pem),
                Param::texts("purpose", &parcel.purposes),
            ];
            let method = "pool.install_trusted_certificate";
            let installed = desk.call(Side::Joiner, joiner, method, params).await;
            // The call returns nothing, and one that failed may have left a row.
            let present = trusted(desk, Side::Joiner, joiner).await;
            for row in present.into_iter().flatten() {
                if row.fingerprint == parcel.fingerprint && rows.insert(row.reference.clone()) {
                    self.references.push(row.reference);
                }
            }
            installed?;
        }
        Ok(())
    }

    /// §12.3, step 2 of the landed profile.
    pub(super) async fn sync(
        &mut self,
        desk: &mut Desk<'_>,
        coordinator: &str,
        (pool, theirs): (&Session, &Authentication),
        (joiner, ours): (&Session, &Authentication),
    ) -> Result<(), JoinError> {
        self.pool.clone_from(&ours.pool);
        let host = vec![Param::text("host", &theirs.coordinator)];
        let method = "host.get_server_certificate";
        let certificate = desk.text(Side::Pool, pool, method, host).await?;
        let params = vec![
            Param::text("self", &ours.pool),
            Param::text("remote_pool", coordinator),
            Param::secret("remote_session", pool.reference()),
            Param::certificate("remote_certificate", &certificate),
            Param::bool("ca", true),
        ];
        let method = "pool.sync_trusted_certificates_from";
        self.references = desk.texts(Side::Joiner, joiner, method, params).await?;
        Ok(())
    }

    /// Uninstalls exactly what was added; what goes wrong is put to `left`.
    pub(super) async fn revert(
        &mut self,
        desk: &mut Desk<'_>,
        joiner: &Session,
        left: &mut Vec<JoinError>,
    ) {
        for reference in self.references.drain(..) {
            let params =
                vec![Param::text("self", &self.pool), Param::text("certificate", reference)];
            let method = "pool.uninstall_trusted_certificate";
            left.extend(desk.call(Side::Joiner, joiner, method, params).await.err());
        }
    }
}

/// Those for LDAPS, or the general ones if there are none (§5.1, step 1).
fn for_ldaps(trusted: Vec<Trusted>) -> Vec<Trusted> {
    let is_for_ldaps = |row: &Trusted| row.purposes.iter().any(|purpose| purpose == LDAPS);
    let has_own = trusted.iter().any(is_for_ldaps);
    let wanted = |row: &Trusted| if has_own { is_for_ldaps(row) } else { row.purposes.is_empty() };
    trusted.into_iter().filter(wanted).collect()
}

async fn trusted(
    desk: &mut Desk<'_>,
    at: Side,
    session: &Session,
) -> Result<Vec<Trusted>, JoinError> {
    let records = desk.call(at, session, RECORDS, vec![Param::text("expr", TRUSTED)]).await?;
    let unexpected = || unexpected(at, RECORDS, "records of certificates");
    let read = |(reference, record): &(String, Value)| {
        let text = |name| record.member(name).and_then(Value::as_text).map(str::to_owned);
        // Records before 24.19.0 have only the older field.
        let fingerprint = text("fingerprint_sha256").or_else(|| text("fingerprint"));
        let purposes = record.member("purpose").and_then(Value::as_texts);
        Some(Trusted {
            reference: reference.clone(),
            is_ca: text("type")? == "ca",
            fingerprint: fingerprint?,
            purposes: purposes?.into_iter().map(str::to_owned).collect(),
        })
    };
    let records = records.members().ok_or_else(unexpected)?;
    records.iter().map(read).collect::<Option<_>>().ok_or_else(unexpected)
}

/// D1 and D2: purposes are those of the records; a list comes back in its order.
async fn fetch(
    desk: &mut Desk<'_>,
    variant: Download,
    pool: &Session,
    this: &str,
    missing: Vec<Trusted>,
) -> Result<Vec<Parcel>, JoinError> {
    let mut pems = Vec::new();
    if variant == Download::One {
        let method = "pool.download_trusted_certificate";
        for row in &missing {
            let which = Param::text("certificate", &row.reference);
            let params = vec![Param::text("self", this), which];
            pems.push(desk.text(Side::Pool, pool, method, params).await?);
        }
    } else if !missing.is_empty() {
        let method = "pool.download_trusted_certificates";
        let which = Param::texts("certificates", missing.iter().map(|row| &row.reference));
        pems = desk.texts(Side::Pool, pool, method, vec![Param::text("self", this), which]).await?;
        if pems.len() != missing.len() {
            return Err(unexpected(Side::Pool, method, "as many certificates as were asked for"));
        }
    }
    let parcels = missing.into_iter().zip(pems).map(|(row, pem)| Parcel {
        pem,
        is_ca: row.is_ca,
        fingerprint: row.fingerprint,
        purposes: row.purposes,
    });
    Ok(parcels.collect())
}

/// D3: all that is known of the certificates is the purpose that was asked for. General ones have
/// none, so there is no falling back to them.
async fn fetch_by_purpose(
    desk: &mut Desk<'_>,
    pool: &Session,
    this: &str,
) -> Result<Vec<Parcel>, JoinError> {
    let method = "pool.download_trusted_certificates";
    let params = vec![Param::text("self", this), Param::text("purpose", LDAPS)];
    let mut parcels: Vec<Parcel> = Vec::new();
    for pem in desk.texts(Side::Pool, pool, method, params).await? {
        let fingerprint = fingerprint_of_pem(&pem);
        let fingerprint =
            fingerprint.ok_or_else(|| unexpected(Side::Pool, method, "certificates in PEM"))?;
        let purposes = vec![LDAPS.to_owned()];
        parcels.push(Parcel { pem, is_ca: true, fingerprint, purposes });
    }
    Ok(parcels)
}
