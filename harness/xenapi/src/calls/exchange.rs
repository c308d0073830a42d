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
            import: arguments.texts_by_name(0)?,
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
            import: arguments.texts_by_name(1)?,
            export: arguments.references(2)?.iter().map(Reference::to_string).collect(),
        }))
    }),
    call("pool.exchange_trusted_certificates_on_join", 4, |arguments| {
        Ok(Call::Exchange(ExchangeCall::ExchangeTrustedCertificatesOnJoin {
            pool: Some(arguments.reference(0)?),
            ca: arguments.bool(1)?,
            import: arguments.sets_by_text(2)?,
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
    fn texts_by_name(&self, index: usize) -> Result<Vec<(String, String)>, ApiError> {
        let wrong = || wrong_type(index, "map of strings");
        let Some(Value::Struct(members)) = self.0.get(index) else { return Err(wrong()) };
        let member = |(name, value): &(String, Value)| match value {
            Value::Text(text) => Ok((name.clone(), text.clone())),
            _ => Err(wrong()),
        };
        members.iter().map(member).collect()
    }

    /// A map of sets of strings, in its order and with keys that recur; or, as it is without quirk
    /// Q18, a list of pairs.
    fn sets_by_text(&self, index: usize) -> Result<Vec<(String, Vec<String>)>, ApiError> {
        let wrong = || wrong_type(index, "map of sets of strings");
        let text = |value: &Value| match value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(wrong()),
        };
        let set = |value: &Value| match value {
            Value::Array(items) => items.iter().map(text).collect::<Result<Vec<_>, _>>(),
            _ => Err(wrong()),
        };
        match self.0.get(index) {
            Some(Value::Struct(members)) => {
                members.iter().map(|(key, value)| Ok((key.clone(), set(value)?))).collect()
            }
            Some(Value::Array(pairs)) => pairs
                .iter()
                .map(|pair| match pair {
                    Value::Array(pair) => match pair.as_slice() {
                        [key, value] => Ok((text(key)?, set(value)?)),
                        _ => Err(wrong()),
                    },
                    _ => Err(wrong()),
                })
                .collect(),
            _ => Err(wrong()),
        }
    }
}
