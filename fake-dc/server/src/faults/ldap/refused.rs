use fake_dc_directory::Reply;
use ldap_wire::{LdapResult, ResultCode};

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault, refuse},
};

/// Requests of one kind are answered with one result, whatever they ask for.
///
/// Texts are of the form of AD's directory errors ([MS-ADTS] 3.1.1.3.1.9: the Win32 error in
/// hexadecimal, the class of the error, a DSID, the X.500 problem). DSIDs change with every build of
/// Windows; those here are not confirmed.
#[derive(Debug)]
pub(crate) struct Refused {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    what: What,
    code: ResultCode,
    text: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Everything,
    /// Searches of the directory. The rootDSE is answered.
    Searches,
}

pub(crate) const BUSY: Refused = Refused {
    id: "ldap.busy",
    summary: "every LDAP request is answered with busy (51)",
    cause: "the DC is overloaded, for example while it replicates a large change",
    drawing: "client → DC   search of the rootDSE, bind, anything\n\
              DC → client   51 busy, 0000200E: SvcErr: … problem 5001 (BUSY)",
    what: What::Everything,
    code: ResultCode::BUSY,
    text: "0000200E: SvcErr: DSID-02050000, problem 5001 (BUSY), data 0\n",
};

pub(crate) const UNAVAILABLE: Refused = Refused {
    id: "ldap.unavailable",
    summary: "every LDAP request is answered with unavailable (52)",
    cause: "the directory service is shutting down, or has not finished its first replication",
    drawing: "client → DC   search of the rootDSE, bind, anything\n\
              DC → client   52 unavailable, 0000200F: SvcErr: … problem 5002 (UNAVAILABLE)",
    what: What::Everything,
    code: ResultCode::UNAVAILABLE,
    text: "0000200F: SvcErr: DSID-02050000, problem 5002 (UNAVAILABLE), data 0\n",
};

pub(crate) const OPERATIONS_ERROR_UNBOUND: Refused = Refused {
    id: "ldap.operations-error-unbound",
    summary: "searches are answered with operationsError (1): a bind must be completed first",
    cause: "a load balancer or a reused connection put the search on a session that is not bound",
    drawing: "client → DC   bind\n\
              DC → client   0 success\n\
              client → DC   search below DC=…\n\
              DC → client   1 operationsError, 000004DC: LdapErr: … a successful bind must be \
              completed",
    what: What::Searches,
    code: ResultCode::OPERATIONS_ERROR,
    text: "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a \
           successful bind must be completed on the connection., data 0, v4f7c",
};

pub(crate) const TIME_LIMIT: Refused = Refused {
    id: "ldap.time-limit",
    summary: "searches end with timeLimitExceeded (3)",
    cause: "a filter without an index runs into MaxQueryDuration, 120 seconds by default",
    drawing: "client → DC   search below DC=…\n\
              DC            evaluates the filter on every object, for 120 s\n\
              DC → client   3 timeLimitExceeded",
    what: What::Searches,
    code: ResultCode::TIME_LIMIT_EXCEEDED,
    text: "",
};

pub(crate) const ADMIN_LIMIT: Refused = Refused {
    id: "ldap.admin-limit",
    summary: "searches end with adminLimitExceeded (11)",
    cause: "a search needs more than MaxTempTableSize, or other sessions keep too many result sets",
    drawing: "client → DC   search below DC=…\n\
              DC → client   11 adminLimitExceeded, 00002024: SvcErr: … problem 5008 (ADMIN_LIMIT)",
    what: What::Searches,
    code: ResultCode::ADMIN_LIMIT_EXCEEDED,
    text: "00002024: SvcErr: DSID-02050BBD, problem 5008 (ADMIN_LIMIT), data -1069\n",
};

pub(crate) const INVALID_DN: Refused = Refused {
    id: "ldap.invalid-dn",
    summary: "searches are answered with invalidDNSyntax (34)",
    cause: "a gateway or virtual directory in front of the DC rewrites search bases, and wrongly",
    drawing: "client → DC   search below DC=…\n\
              DC → client   34 invalidDNSyntax, 0000208F: NameErr: … problem 2006 (BAD_NAME)",
    what: What::Searches,
    code: ResultCode::INVALID_DN_SYNTAX,
    text: "0000208F: NameErr: DSID-0310021F, problem 2006 (BAD_NAME), data 8350, best match of:\n",
};

pub(crate) const NO_SUCH_OBJECT: Refused = Refused {
    id: "ldap.no-such-object",
    summary: "searches are answered with noSuchObject (32), whatever their base",
    cause: "the DC was promoted and has not received the domain's partition yet",
    drawing: "client → DC   search below DC=…\n\
              DC → client   32 noSuchObject, 0000208D: NameErr: … problem 2001 (NO_OBJECT)",
    what: What::Searches,
    code: ResultCode::NO_SUCH_OBJECT,
    text: "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of:\n\t\
           ''\n",
};

pub(crate) const INSUFFICIENT_ACCESS: Refused = Refused {
    id: "ldap.insufficient-access",
    summary: "searches are answered with insufficientAccessRights (50)",
    cause: "a hardened domain took \"List contents\" from Authenticated Users, machine accounts \
            included",
    drawing: "client → DC   search below DC=…\n\
              DC → client   50 insufficientAccessRights, 00002098: SecErr: … problem 4003",
    what: What::Searches,
    code: ResultCode::INSUFFICIENT_ACCESS_RIGHTS,
    text: "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n",
};

impl ServerFault for Refused {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing)
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        if matches!(self.what, What::Searches) {
            asked.search()?;
        }
        refuse(asked.message, LdapResult::new(self.code, self.text))
    }
}
