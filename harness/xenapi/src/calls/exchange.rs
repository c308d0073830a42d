//! The calls that move certificates between pools (xapi-flows.md §5).

use ground::Secret;
use sim_host::{ApiError, Call, ExchangeCall, Reference, RemotePool, Wanted};
use xenapi_client::Value;

use super::{Arguments, Entry, call, wrong_type};

pub(super) const TABLE: &[Entry] = &[
    call("pool.download_trusted_certificate", 2, |arguments| {
        Ok(Call::Exchange(ExchangeCall::DownloadTrustedCertificate {
            pool: Some(arguments.reference(0)?),
            certificate: arguments.reference(1)?,
        }))
    }),
    call("pool.download_trusted_certificates", 2, |arguments| {
        Ok(Call::Exchange(ExchangeCall::DownloadTrustedCertificates {
            pool: Some(arguments.reference(0)?),
            wanted: match arguments.0.get(1) {
                Some(Value::Text(purpose)) => Wanted::Purpose(purpose.to_lowercase()),
                _ => Wanted::Certificates(arguments.references(1)?),
            },
        }))
    }),
    call("pool.exchange_ca_certificates_on_join", 2, |arguments| {
        Ok(Call::Exchange(ExchangeCall::ExchangeCaCertificatesOnJoin {
            import: arguments.texts_by_key(0)?,
            export: arguments.references(1)?,
        }))
    }),
    call("pool.exchange_certificates_on_join", 2, |arguments| {
        Ok(Call::Exchange(ExchangeCall::ExchangeCertificatesOnJoin {
            uuid: arguments.text(0)?.to_owned(),
            certificate: arguments.text(1)?.to_owned(),
        }))
    }),
    call("pool.exchange_crls_on_join", 3, |arguments| {
        Ok(Call::Exchange(ExchangeCall::ExchangeCrlsOnJoin {
            pool: Some(arguments.reference(0)?),
            import: arguments.texts_by_key(1)?,
            export: arguments.references(2)?.iter().map(Reference::to_string).collect(),
        }))
    }),
    call("pool.exchange_trusted_certificates_on_join", 4, |arguments| {
        Ok(Call::Exchange(ExchangeCall::ExchangeTrustedCertificatesOnJoin {
            pool: Some(arguments.reference(0)?),
            ca: arguments.bool(1)?,
            import: arguments.sets_by_key(2)?,
            export: arguments.references(3)?,
        }))
    }),
    call("pool.sync_trusted_certificates_from", 5, |arguments| {
        Ok(Call::Exchange(ExchangeCall::SyncTrustedCertificatesFrom {
            pool: Some(arguments.reference(0)?),
            remote: RemotePool {
                address: arguments.text(1)?.to_owned(),
                session: Secret::new(arguments.text(2)?),
                certificate: arguments.text(3)?.to_owned(),
            },
            ca: arguments.bool(4)?,
        }))
    }),
];

impl Arguments<'_> {
    /// A map of strings, in its order and with keys that recur.
    fn texts_by_key(&self, index: usize) -> Result<Vec<(String, String)>, ApiError> {
        let found = self.0.get(index).and_then(Value::as_texts_by_key);
        found.ok_or_else(|| wrong_type(index, "map of strings"))
    }

    /// A map of sets of strings, in its order and with keys that recur.
    fn sets_by_key(&self, index: usize) -> Result<Vec<(String, Vec<String>)>, ApiError> {
        let found = self.0.get(index).and_then(Value::as_sets_by_key);
        found.ok_or_else(|| wrong_type(index, "map of sets of strings"))
    }
}
