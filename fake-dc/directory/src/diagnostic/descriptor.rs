//! Why a security descriptor is not changed.

use ldap_wire::{LdapResult, ResultCode};

use super::{
    Diagnostics,
    change::{plain, samba},
};
use crate::{change::Verb, dn::Dn};

impl Diagnostics {
    /// It cannot be read.
    pub(crate) fn bad_descriptor(self, verb: Verb, dn: &Dn) -> LdapResult {
        let line = if matches!(verb, Verb::Add) { 780 } else { 963 };
        let text =
            format!("operations error at source4/dsdb/samdb/ldb_modules/descriptor.c:{line}");
        self.choose(
            samba(ResultCode::OPERATIONS_ERROR, 0x2020, text),
            self.bad_value("nTSecurityDescriptor", dn),
        )
    }

    /// It may be replaced, and not removed.
    pub(crate) fn descriptor_stays(self) -> LdapResult {
        let text = "00002035: MOD_DELETE for nTSecurityDescriptor not supported yet at \
                    source4/dsdb/samdb/ldb_modules/descriptor.c:932";
        self.choose(plain(ResultCode::UNWILLING_TO_PERFORM, text), self.unwilling(0x2035))
    }
}
