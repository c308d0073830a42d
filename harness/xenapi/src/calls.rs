//! The calls that change something: their names, their parameters, and what they become.

mod exchange;
mod membership;

use std::collections::BTreeMap;

use ground::Timestamp;
use sim_host::{ApiError, AuthConfig, Call, ExtAuthSetting, MessageClass, Profile, Reference};
use xenapi_client::{Value, read_date};

use crate::method::SessionWork;

/// A row of the table below.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// Parameters after the session that must be given.
    pub(crate) required: usize,
    /// Parameters that may be left out, from the right; they follow the required ones.
    defaulted: usize,
    /// Whether those came with the landed profile.
    landed: bool,
    pub(crate) effect: Effect,
}

/// What a method does.
#[derive(Clone, Copy)]
pub(crate) enum Effect {
    /// It becomes a call of the pool.
    Call(fn(&Arguments<'_>) -> Result<Call, ApiError>),
    /// Hosts of a pool use it among each other; a client may not.
    Internal,
    /// It concerns the session that asks.
    Session(fn(&Arguments<'_>) -> Result<SessionWork, ApiError>),
}

impl Entry {
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        TABLE
            .iter()
            .chain(exchange::TABLE)
            .chain(membership::TABLE)
            .find(|entry| entry.name == name)
    }

    pub(crate) fn defaulted(&self, profile: Profile) -> usize {
        if self.landed && profile != Profile::Landed { 0 } else { self.defaulted }
    }
}

const fn call(
    name: &'static str,
    required: usize,
    make: fn(&Arguments<'_>) -> Result<Call, ApiError>,
) -> Entry {
    Entry { name, required, defaulted: 0, landed: false, effect: Effect::Call(make) }
}

const fn session(
    name: &'static str,
    required: usize,
    make: fn(&Arguments<'_>) -> Result<SessionWork, ApiError>,
) -> Entry {
    Entry { name, required, defaulted: 0, landed: false, effect: Effect::Session(make) }
}

const fn internal(name: &'static str) -> Entry {
    Entry { name, required: 1, defaulted: 0, landed: false, effect: Effect::Internal }
}

/// xenapi-wire.md §§6, 7 and 9. Who may use a method, and whether `Async.` may stand before it, is
/// said by [`sim_host::datamodel`], in which each must have a row, too.
const TABLE: &[Entry] = &[
    call("auth.get_group_membership", 1, |arguments| {
        Ok(Call::AuthGetGroupMembership { subject_identifier: arguments.text(0)?.to_owned() })
    }),
    call("auth.get_subject_identifier", 1, |arguments| {
        Ok(Call::AuthGetSubjectIdentifier { subject_name: arguments.text(0)?.to_owned() })
    }),
    call("auth.get_subject_information_from_identifier", 1, |arguments| {
        Ok(Call::AuthGetSubjectInformationFromIdentifier {
            subject_identifier: arguments.text(0)?.to_owned(),
        })
    }),
    internal("host.certificate_sync"),
    internal("host.copy_primary_host_certs"),
    Entry {
        defaulted: 2,
        ..call("host.disable_external_auth", 1, |arguments| {
            Ok(Call::HostDisableExternalAuth {
                host: arguments.reference(0)?,
                config: arguments.config(1)?,
                force: arguments.optional_bool(2)?.unwrap_or(false),
            })
        })
    },
    call("host.enable_external_auth", 4, |arguments| {
        Ok(Call::HostEnableExternalAuth {
            host: arguments.reference(0)?,
            config: arguments.config(1)?,
            service_name: arguments.text(2)?.to_owned(),
            auth_type: arguments.text(3)?.to_owned(),
        })
    }),
    Entry {
        defaulted: 1,
        landed: true,
        ..call("host.external_auth_set_ldaps", 2, |arguments| {
            Ok(Call::HostExternalAuthSetLdaps {
                host: arguments.reference(0)?,
                ldaps: arguments.bool(1)?,
                force: arguments.optional_bool(2)?,
            })
        })
    },
    call("host.get_server_certificate", 1, |arguments| {
        Ok(Call::HostGetServerCertificate { host: arguments.reference(0)? })
    }),
    call("message.create", 5, |arguments| {
        Ok(Call::MessageCreate {
            name: arguments.text(0)?.to_owned(),
            priority: arguments.int(1)?,
            class: arguments.message_class(2)?,
            obj_uuid: arguments.text(3)?.to_owned(),
            body: arguments.text(4)?.to_owned(),
        })
    }),
    call("message.destroy", 1, |arguments| {
        Ok(Call::MessageDestroy { message: arguments.reference(0)? })
    }),
    call("message.destroy_many", 1, |arguments| {
        Ok(Call::MessageDestroyMany { messages: arguments.references(0)? })
    }),
    call("pool.certificate_install", 2, |arguments| {
        Ok(Call::PoolCertificateInstall {
            name: arguments.text(0)?.to_owned(),
            certificate: arguments.text(1)?.to_owned(),
        })
    }),
    call("pool.certificate_list", 0, |_| Ok(Call::PoolCertificateList)),
    call("pool.certificate_sync", 0, |_| Ok(Call::PoolCertificateSync)),
    call("pool.certificate_uninstall", 1, |arguments| {
        Ok(Call::PoolCertificateUninstall { name: arguments.text(0)?.to_owned() })
    }),
    call("pool.crl_install", 2, |arguments| {
        Ok(Call::PoolCrlInstall {
            name: arguments.text(0)?.to_owned(),
            crl: arguments.text(1)?.to_owned(),
        })
    }),
    call("pool.crl_list", 0, |_| Ok(Call::PoolCrlList)),
    call("pool.crl_uninstall", 1, |arguments| {
        Ok(Call::PoolCrlUninstall { name: arguments.text(0)?.to_owned() })
    }),
    call("pool.detect_nonhomogeneous_external_auth", 1, |arguments| {
        Ok(Call::PoolDetectNonhomogeneousExternalAuth { pool: Some(arguments.reference(0)?) })
    }),
    Entry {
        defaulted: 1,
        ..call("pool.disable_external_auth", 1, |arguments| {
            Ok(Call::PoolDisableExternalAuth {
                pool: Some(arguments.reference(0)?),
                config: arguments.config(1)?,
            })
        })
    },
    call("pool.enable_external_auth", 4, |arguments| {
        Ok(Call::PoolEnableExternalAuth {
            pool: Some(arguments.reference(0)?),
            config: arguments.config(1)?,
            service_name: arguments.text(2)?.to_owned(),
            auth_type: arguments.text(3)?.to_owned(),
        })
    }),
    Entry {
        defaulted: 1,
        landed: true,
        ..call("pool.external_auth_set_ldaps", 2, |arguments| {
            Ok(Call::PoolExternalAuthSetLdaps {
                pool: Some(arguments.reference(0)?),
                ldaps: arguments.bool(1)?,
                force: arguments.optional_bool(2)?,
            })
        })
    },
    call("pool.install_ca_certificate", 2, |arguments| {
        Ok(Call::PoolInstallCaCertificate {
            name: arguments.text(0)?.to_owned(),
            certificate: arguments.text(1)?.to_owned(),
        })
    }),
    call("pool.install_trusted_certificate", 4, |arguments| {
        Ok(Call::PoolInstallTrustedCertificate {
            pool: Some(arguments.reference(0)?),
            ca: arguments.bool(1)?,
            certificate: arguments.text(2)?.to_owned(),
            purpose: arguments.words(3)?,
        })
    }),
    call("pool.set_ext_auth_cache_enabled", 2, |arguments| {
        Ok(Call::PoolSetExtAuth { setting: ExtAuthSetting::CacheEnabled(arguments.bool(1)?) })
    }),
    call("pool.set_ext_auth_cache_expiry", 2, |arguments| {
        Ok(Call::PoolSetExtAuth { setting: ExtAuthSetting::CacheExpiry(arguments.count(1)?) })
    }),
    call("pool.set_ext_auth_cache_size", 2, |arguments| {
        Ok(Call::PoolSetExtAuth { setting: ExtAuthSetting::CacheSize(arguments.count(1)?) })
    }),
    call("pool.set_ext_auth_max_threads", 2, |arguments| {
        Ok(Call::PoolSetExtAuth { setting: ExtAuthSetting::MaxThreads(arguments.count(1)?) })
    }),
    Entry {
        defaulted: 1,
        ..call("pool.uninstall_ca_certificate", 1, |arguments| {
            Ok(Call::PoolUninstallCaCertificate {
                name: arguments.text(0)?.to_owned(),
                force: arguments.optional_bool(1)?.unwrap_or(false),
            })
        })
    },
    call("pool.uninstall_trusted_certificate", 2, |arguments| {
        Ok(Call::PoolUninstallTrustedCertificate {
            pool: Some(arguments.reference(0)?),
            certificate: arguments.reference(1)?,
        })
    }),
    call("session.get_all_subject_identifiers", 0, |_| Ok(Call::SessionGetAllSubjectIdentifiers)),
    session("session.logout", 0, |_| Ok(SessionWork::LogOut)),
    session("session.logout_subject_identifier", 1, |arguments| {
        Ok(SessionWork::LogOutSubject(arguments.text(0)?.to_owned()))
    }),
    call("subject.add_to_roles", 2, |arguments| {
        Ok(Call::SubjectAddToRoles {
            subject: arguments.reference(0)?,
            role: arguments.reference(1)?,
        })
    }),
    call("subject.create", 1, |arguments| {
        Ok(Call::SubjectCreate { subject_identifier: arguments.member(0, "subject_identifier")? })
    }),
    call("subject.destroy", 1, |arguments| {
        Ok(Call::SubjectDestroy { subject: arguments.reference(0)? })
    }),
    call("subject.remove_from_roles", 2, |arguments| {
        Ok(Call::SubjectRemoveFromRoles {
            subject: arguments.reference(0)?,
            role: arguments.reference(1)?,
        })
    }),
    session("task.cancel", 1, |arguments| Ok(SessionWork::CancelTask(arguments.reference(0)?))),
    session("task.create", 2, |arguments| {
        Ok(SessionWork::CreateTask {
            label: arguments.text(0)?.to_owned(),
            description: arguments.text(1)?.to_owned(),
        })
    }),
    session("task.destroy", 1, |arguments| Ok(SessionWork::DestroyTask(arguments.reference(0)?))),
];

/// The parameters after the session. Too few is an error that [`crate::method`] has ruled out.
///
/// A parameter of the wrong type is an `INTERNAL_ERROR`, as unknown text of an enumeration is; the
/// real text could not be confirmed. None repeats the value, which may be a secret.
pub(crate) struct Arguments<'a>(pub(crate) &'a [Value]);

impl Arguments<'_> {
    pub(crate) fn text(&self, index: usize) -> Result<&str, ApiError> {
        match self.0.get(index) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(wrong_type(index, "string")),
        }
    }

    /// A text that may be left out.
    pub(crate) fn optional_text(&self, index: usize) -> Result<Option<&str>, ApiError> {
        if self.0.get(index).is_none() { Ok(None) } else { self.text(index).map(Some) }
    }

    pub(crate) fn reference(&self, index: usize) -> Result<Reference, ApiError> {
        self.text(index).map(Reference::new)
    }

    /// A set of references.
    fn references(&self, index: usize) -> Result<Vec<Reference>, ApiError> {
        let wrong = || wrong_type(index, "set of references");
        let Some(Value::Array(values)) = self.0.get(index) else { return Err(wrong()) };
        let reference = |value: &Value| match value {
            Value::Text(text) => Ok(Reference::new(text)),
            _ => Err(wrong()),
        };
        values.iter().map(reference).collect()
    }

    /// A number, or the decimal text of one.
    fn int(&self, index: usize) -> Result<i64, ApiError> {
        let number = match self.0.get(index) {
            Some(Value::Int(number)) => Some(*number),
            Some(Value::Text(text)) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| wrong_type(index, "int"))
    }

    /// A date, or the text of one.
    pub(crate) fn date(&self, index: usize) -> Result<Timestamp, ApiError> {
        let date = match self.0.get(index) {
            Some(Value::Date(date)) => Some(*date),
            Some(Value::Text(text)) => read_date(text),
            _ => None,
        };
        date.ok_or_else(|| wrong_type(index, "datetime"))
    }

    /// A class of messages, whose letter case does not count.
    pub(crate) fn message_class(&self, index: usize) -> Result<MessageClass, ApiError> {
        let text = self.text(index)?;
        let is_it = |class: &MessageClass| class.name().eq_ignore_ascii_case(text);
        MessageClass::ALL.into_iter().find(is_it).ok_or_else(|| wrong_type(index, "cls"))
    }

    /// A number that is not negative.
    fn count(&self, index: usize) -> Result<u32, ApiError> {
        u32::try_from(self.int(index)?).map_err(|_| {
            let text = format!("parameter {} after the session is out of range", index + 1);
            ApiError::new("INTERNAL_ERROR", [text])
        })
    }

    /// A text of a record.
    fn member(&self, index: usize, name: &str) -> Result<String, ApiError> {
        match self.0.get(index).and_then(|record| record.member(name)) {
            Some(Value::Text(text)) => Ok(text.clone()),
            _ => Err(wrong_type(index, "record of a subject")),
        }
    }

    fn bool(&self, index: usize) -> Result<bool, ApiError> {
        self.optional_bool(index)?.ok_or_else(|| wrong_type(index, "bool"))
    }

    fn optional_bool(&self, index: usize) -> Result<Option<bool>, ApiError> {
        match self.0.get(index) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(wrong_type(index, "bool")),
        }
    }

    /// A set of an enumeration, whose letter case does not count.
    fn words(&self, index: usize) -> Result<Vec<String>, ApiError> {
        let wrong = || wrong_type(index, "set of strings");
        let Some(Value::Array(values)) = self.0.get(index) else { return Err(wrong()) };
        let word = |value: &Value| match value {
            Value::Text(text) => Ok(text.to_lowercase()),
            _ => Err(wrong()),
        };
        values.iter().map(word).collect()
    }

    /// A map of strings, empty if left out. Of a key that repeats the first counts, as in the
    /// association lists of xapi.
    fn config(&self, index: usize) -> Result<AuthConfig, ApiError> {
        let wrong = || wrong_type(index, "map of strings");
        let members = match self.0.get(index) {
            None => return Ok(AuthConfig::default()),
            Some(Value::Struct(members)) => members,
            Some(_) => return Err(wrong()),
        };
        let mut config = BTreeMap::new();
        for (key, value) in members {
            let Value::Text(text) = value else { return Err(wrong()) };
            config.entry(key.clone()).or_insert_with(|| text.clone());
        }
        Ok(AuthConfig(config))
    }
}

fn wrong_type(index: usize, expected: &str) -> ApiError {
    let text = format!("parameter {} after the session is no {expected}", index + 1);
    ApiError::new("INTERNAL_ERROR", [text])
}

#[cfg(test)]
mod tests {
    use sim_host::datamodel;

    use super::*;

    #[test]
    fn every_method_is_in_the_data_model() {
        for entry in TABLE.iter().chain(exchange::TABLE).chain(membership::TABLE) {
            assert!(datamodel::Message::find(entry.name).is_some(), "{}", entry.name);
        }
    }
}
