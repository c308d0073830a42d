use fake_dc_directory::Reply;
use ldap_wire::{
    LdapResult, ResultCode,
    controls::{PAGED_RESULTS, PagedResults},
};

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault, refuse},
};

/// Pages of a search are refused with `unavailableCriticalExtension` (12).
///
/// The text is that of Windows Server 2022 (`fixtures/samba-ad/README.md`).
#[derive(Debug)]
pub(crate) struct PagingRefused {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    later_pages_only: bool,
}

pub(crate) const ANY_PAGE: PagingRefused = PagingRefused {
    id: "ldap.paging-refused",
    summary: "searches with paged results are refused with unavailableCriticalExtension (12)",
    cause: "what answers is a proxy or a directory that does not know the control",
    drawing: "client → DC   search below DC=…, critical control 1.2.840.113556.1.4.319\n\
              DC → client   12 unavailableCriticalExtension",
    later_pages_only: false,
};

pub(crate) const COOKIE: PagingRefused = PagingRefused {
    id: "ldap.paged-cookie-rejected",
    summary: "the first page of a search comes, and the cookie for the next is rejected",
    cause: "a load balancer sends the next page to another DC, which does not know the cookie",
    drawing: "client → DC   search below DC=…, page of 1000\n\
              DC → client   1000 entries, 0 success, cookie\n\
              client → DC   the same search with the cookie\n\
              DC → client   12 unavailableCriticalExtension",
    later_pages_only: true,
};

impl ServerFault for PagingRefused {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing)
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        asked.search()?;
        let control = asked.message.control(PAGED_RESULTS)?;
        let page = PagedResults::decode(control.value.as_deref()?).ok()?;
        if self.later_pages_only && page.cookie.is_empty() {
            return None;
        }
        let result = LdapResult::new(ResultCode::UNAVAILABLE_CRITICAL_EXTENSION, TEXT);
        refuse(asked.message, result)
    }
}

const TEXT: &str =
    "00000057: LdapErr: DSID-0C0907C8, comment: Error processing control, data 0, v4f7c";
