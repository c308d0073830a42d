//! Results with the texts that each product gives.
//!
//! Samba's texts are those of the captures of version 4.22.11. Windows' are the documented ones;
//! the `DSID` numbers and the trailing version change with every build, so no client reads them.
//! Where a text of Samba was not captured, the documented one of Windows stands in.

mod account;
mod change;
mod descriptor;

use ldap_wire::{LdapResult, ResultCode, Scope};

use crate::{config::Flavour, dn::Dn};

/// Makes results in the words of one product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Diagnostics {
    pub(crate) flavour: Flavour,
}

/// Win32 errors behind a refused bind (`data` of the text).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogonError {
    AccountDisabled = 0x533,
    AccountExpired = 0x701,
    AccountLockedOut = 0x775,
    LogonFailure = 0x52e,
    NoSuchUser = 0x525,
    PasswordExpired = 0x532,
    PasswordMustChange = 0x773,
}

/// What Samba 4.22 says of a base that is not there.
const NO_INSTANCE_TYPE: &str = "acl_read: Error retrieving instanceType for base. at \
                                source4/dsdb/samdb/ldb_modules/acl_read.c:975";

impl Diagnostics {
    pub(crate) fn logon(self, error: LogonError) -> LdapResult {
        let (dsid, version, error) = match (self.flavour, error) {
            (Flavour::Samba4_22, LogonError::NoSuchUser) => {
                ("0C0903A9", "v1db1", LogonError::LogonFailure)
            }
            (Flavour::Samba4_22, error) => ("0C0903A9", "v1db1", error),
            (Flavour::WindowsServer2022, error) => ("0C09044E", "v4f7c", error),
        };
        let data = error as u32;
        LdapResult::new(
            ResultCode::INVALID_CREDENTIALS,
            format!(
                "80090308: LdapErr: DSID-{dsid}, comment: AcceptSecurityContext error, \
                 data {data:x}, {version}"
            ),
        )
    }

    pub(crate) fn bad_token(self) -> LdapResult {
        let (dsid, version) = self.choose(("0C0904DC", "v1db1"), ("0C090569", "v4f7c"));
        LdapResult::new(
            ResultCode::INVALID_CREDENTIALS,
            format!(
                "8009030C: LdapErr: DSID-{dsid}, comment: AcceptSecurityContext error, data 57, \
                 {version}"
            ),
        )
    }

    /// EXTERNAL of a client that has shown no certificate, or none that stands for an account, in the
    /// words that clients report of Windows (Certipy, issue 156).
    pub(crate) fn no_certificate(self) -> LdapResult {
        LdapResult::new(
            ResultCode::INVALID_CREDENTIALS,
            "80090317: LdapErr: DSID-0C090635, comment: The server did not receive any credentials \
             via TLS, data 0, v4f7c",
        )
    }

    /// Channel bindings are missing or wrong: SEC_E_BAD_BINDINGS.
    pub(crate) fn bad_bindings(self) -> LdapResult {
        // Samba's as a live 4.22.6 gives it to `ldapwhoami -Y GSS-SPNEGO` without bindings.
        let (dsid, data, version) =
            self.choose(("0C090711", "35b", "v1db1"), ("0C090597", "80090346", "v4f7c"));
        LdapResult::new(
            ResultCode::INVALID_CREDENTIALS,
            format!(
                "80090346: LdapErr: DSID-{dsid}, comment: AcceptSecurityContext error, data \
                 {data}, {version}"
            ),
        )
    }

    /// A SASL bind that neither signs nor seals, outside TLS.
    pub(crate) fn sign_or_seal_required(self) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => LdapResult::new(
                ResultCode::STRONGER_AUTH_REQUIRED,
                "SASL:[GSS-SPNEGO]: Sign or Seal are required.",
            ),
            Flavour::WindowsServer2022 => self.strong_auth_required(),
        }
    }

    /// Samba's words from a live 4.22.6; those of Windows as clients report them.
    pub(crate) fn layer_inside_tls(self) -> LdapResult {
        let text = self.choose(
            "SASL:[GSS-SPNEGO]: Sign or Seal are not allowed if TLS is used",
            "00002029: LdapErr: DSID-0C09016D, comment: Cannot start kerberos signing/sealing when \
             using TLS/SSL, data 0, v4f7c",
        );
        LdapResult::new(ResultCode::UNWILLING_TO_PERFORM, text)
    }

    pub(crate) fn strong_auth_required(self) -> LdapResult {
        let text = self.choose(
            "BindSimple: Transport encryption required.",
            "00002028: LdapErr: DSID-0C090202, comment: The server requires binds to turn on \
             integrity checking if SSL\\TLS are not already active on the connection, data 0, \
             v4f7c",
        );
        LdapResult::new(ResultCode::STRONGER_AUTH_REQUIRED, text)
    }

    pub(crate) fn unknown_mechanism(self) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => LdapResult::new(
                ResultCode::OPERATIONS_ERROR,
                "SASL: Failed to start authentication system: NT_STATUS_INVALID_PARAMETER",
            ),
            Flavour::WindowsServer2022 => LdapResult::new(
                ResultCode::AUTH_METHOD_NOT_SUPPORTED,
                "00002027: LdapErr: DSID-0C090568, comment: Invalid Authentication method, \
                 data 0, v4f7c",
            ),
        }
    }

    pub(crate) fn bad_protocol_version(self) -> LdapResult {
        LdapResult::new(ResultCode::PROTOCOL_ERROR, "protocol version is neither 2 nor 3")
    }

    pub(crate) fn unauthenticated(self) -> LdapResult {
        let text = self.choose(
            "00002020: Operation unavailable without authentication",
            "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a \
             successful bind must be completed on the connection., data 0, v4f7c",
        );
        LdapResult::new(ResultCode::OPERATIONS_ERROR, text)
    }

    pub(crate) fn bad_dn(self, text: &str) -> LdapResult {
        let empty_value = |component: &str| component.trim_end().ends_with('=');
        let known = ["<GUID=", "<SID=", "<WKGUID="];
        let strange = text.starts_with('<') && !known.iter().any(|known| text.starts_with(known));
        let diagnostic = match self.flavour {
            Flavour::Samba4_22 if strange => "00002032: ldb_search: invalid basedn ''".to_owned(),
            Flavour::Samba4_22 if text.starts_with("<WKGUID=") => {
                if text.contains(',') {
                    "00002032: Invalid Base DN: (null)".to_owned()
                } else {
                    "00002032: Invalid WKGUID format at \
                     source4/dsdb/samdb/ldb_modules/extended_dn_in.c:687"
                        .to_owned()
                }
            }
            Flavour::Samba4_22 if text.split(',').any(empty_value) => NO_INSTANCE_TYPE.to_owned(),
            Flavour::Samba4_22 => "00002032: ldb_search: invalid basedn '(null)'".to_owned(),
            Flavour::WindowsServer2022 => format!(
                "0000208F: NameErr: DSID-0310021F, problem 2006 (BAD_NAME), data 8350, best match \
                 of:\n\t'{text}'\n"
            ),
        };
        LdapResult::new(ResultCode::INVALID_DN_SYNTAX, diagnostic)
    }

    pub(crate) fn no_such_object(self, matched: &Dn) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => LdapResult::new(ResultCode::NO_SUCH_OBJECT, NO_INSTANCE_TYPE),
            Flavour::WindowsServer2022 => LdapResult::new(
                ResultCode::NO_SUCH_OBJECT,
                format!(
                    "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best \
                     match of:\n\t'{matched}'\n"
                ),
            )
            .with_matched_dn(matched.to_string()),
        }
    }

    /// Nothing here has that GUID, SID or well-known identifier.
    pub(crate) fn no_such_name(self, name: &str) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => {
                LdapResult::new(ResultCode::NO_SUCH_OBJECT, format!("Base-DN '{name}' not found"))
            }
            Flavour::WindowsServer2022 => self.no_such_object(&Dn::default()),
        }
    }

    /// A base by GUID or SID with a DN after it, which Samba 4.22 does not take.
    pub(crate) fn mixed_name(self) -> LdapResult {
        LdapResult::new(
            ResultCode::INVALID_DN_SYNTAX,
            "00002032: invalid number of DN components at \
             source4/dsdb/samdb/ldb_modules/extended_dn_in.c:643",
        )
    }

    pub(crate) fn unregistered_control(self, oid: &str) -> LdapResult {
        LdapResult::new(
            ResultCode::UNAVAILABLE_CRITICAL_EXTENSION,
            format!("Attempt to use critical non-registered control '{oid}'"),
        )
    }

    /// The base is empty where only the rootDSE has an empty name.
    pub(crate) fn empty_base(self) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => LdapResult::new(
                ResultCode::NO_SUCH_OBJECT,
                "empty base DN at source4/dsdb/samdb/ldb_modules/partition.c:821",
            ),
            Flavour::WindowsServer2022 => self.no_such_object(&Dn::default()),
        }
    }

    /// The base lies in a domain that this DC does not hold.
    pub(crate) fn elsewhere(self, base: &Dn, dns_name: &str) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => self.no_such_object(&Dn::default()),
            Flavour::WindowsServer2022 => LdapResult {
                code: ResultCode::REFERRAL,
                matched_dn: String::new(),
                diagnostic: format!(
                    "0000202B: RefErr: DSID-03100781, data 0, 1 access points\n\tref 1: \
                     '{dns_name}'\n"
                ),
                referrals: vec![format!("ldap://{dns_name}/{base}")],
            },
        }
    }

    pub(crate) fn unknown_control(self) -> LdapResult {
        let text = self.choose(
            "",
            "00000057: LdapErr: DSID-0C0907C8, comment: Error processing control, data 0, v4f7c",
        );
        LdapResult::new(ResultCode::UNAVAILABLE_CRITICAL_EXTENSION, text)
    }

    /// A filter that cannot be evaluated on an entry, in a search of that scope. Only Samba's
    /// filters fail.
    pub(crate) fn filter_failed(self, code: ResultCode, scope: Scope) -> LdapResult {
        if scope != Scope::BaseObject {
            let text = "00002020: Indexed and full searches both failed!";
            return LdapResult::new(ResultCode::OPERATIONS_ERROR, text);
        }
        let (number, name) = match code {
            ResultCode::INAPPROPRIATE_MATCHING => ("0000202E", "Inappropriate matching"),
            _ => ("0000200B", "Invalid attribute syntax"),
        };
        let text = format!(
            "{number}: ldb_wait from source4/ldap_server/ldap_backend.c:945 with LDB_WAIT_ALL: \
             {name} ({})",
            code.0
        );
        LdapResult::new(code, text)
    }

    /// Samba 4.22 does not page a part of a list.
    pub(crate) fn page_of_a_view(self) -> LdapResult {
        LdapResult::new(
            ResultCode::UNAVAILABLE_CRITICAL_EXTENSION,
            "error in module dsdb_paged_results: Unsupported critical extension during LDB_SEARCH (12)",
        )
    }

    /// A form of extended DNs that is neither 0 nor 1.
    pub(crate) fn bad_dn_form(self) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => LdapResult::new(
                ResultCode::OPERATIONS_ERROR,
                "00002020: ldb out of memory at source4/dsdb/samdb/ldb_modules/extended_dn_out.c:463",
            ),
            Flavour::WindowsServer2022 => self.unknown_control(),
        }
    }

    pub(crate) fn nothing_to_sort_by(self) -> LdapResult {
        let text =
            self.choose("error in module server_sort: Protocol error during LDB_SEARCH (2)", "");
        LdapResult::new(ResultCode::PROTOCOL_ERROR, text)
    }

    pub(crate) fn view_without_order(self) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => LdapResult::new(
                ResultCode::OPERATIONS_ERROR,
                "error in module vlv: Operations error during LDB_SEARCH (1)",
            ),
            // sortControlMissing of draft-ietf-ldapext-ldapv3-vlv-09.
            Flavour::WindowsServer2022 => LdapResult::new(ResultCode(60), ""),
        }
    }

    pub(crate) fn page_of_nothing(self) -> LdapResult {
        LdapResult::new(
            ResultCode::OPERATIONS_ERROR,
            "error in module dsdb_paged_results: Operations error during LDB_SEARCH (1)",
        )
    }

    pub(crate) fn bad_range(self) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => LdapResult::new(
                ResultCode::UNWILLING_TO_PERFORM,
                "00002035: range request error: range request malformed",
            ),
            Flavour::WindowsServer2022 => self.unwilling(0x57),
        }
    }

    /// A token is asked for in a search that is not of one entry.
    pub(crate) fn token_of_many(self) -> LdapResult {
        LdapResult::new(
            ResultCode::OPERATIONS_ERROR,
            "00002020: operational_search_post_process failed for attribute 'tokenGroups' - Cannot \
             provide tokenGroups attribute, this is not a BASE search",
        )
    }

    /// Replication by LDAP is not served.
    pub(crate) fn no_dirsync(self) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => LdapResult::new(
                ResultCode::INSUFFICIENT_ACCESS_RIGHTS,
                "dN is not one of the naming context at \
                 source4/dsdb/samdb/ldb_modules/dirsync.c:1010",
            ),
            Flavour::WindowsServer2022 => self.no_rights(),
        }
    }

    /// Changes are not announced.
    pub(crate) fn no_notification(self) -> LdapResult {
        self.unwilling(0x32)
    }

    pub(crate) fn bad_cookie(self) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => LdapResult::new(
                ResultCode::UNWILLING_TO_PERFORM,
                "error in module dsdb_paged_results: Unwilling to perform during LDB_SEARCH (53)",
            ),
            Flavour::WindowsServer2022 => self.unknown_control(),
        }
    }

    pub(crate) fn bad_control_value(self, oid: &str) -> LdapResult {
        LdapResult::new(
            ResultCode::PROTOCOL_ERROR,
            format!("value of the control {oid} cannot be read"),
        )
    }

    pub(crate) fn unknown_extended(self, oid: &str) -> LdapResult {
        let text = match self.flavour {
            Flavour::Samba4_22 => format!("Extended Operation({oid}) not supported"),
            Flavour::WindowsServer2022 => "0000203D: LdapErr: DSID-0C090DCC, comment: Unknown \
                 extended request OID, data 0, v4f7c"
                .to_owned(),
        };
        LdapResult::new(ResultCode::PROTOCOL_ERROR, text)
    }

    pub(crate) fn tls_already(self) -> LdapResult {
        LdapResult::new(
            ResultCode::OPERATIONS_ERROR,
            "START-TLS: TLS is already enabled on this LDAP session",
        )
    }

    pub(crate) fn role_owners(self) -> LdapResult {
        LdapResult::new(
            ResultCode::OPERATIONS_ERROR,
            "00002020: operations error at source4/dsdb/samdb/ldb_modules/rootdse.c:590",
        )
    }

    pub(crate) fn no_rights(self) -> LdapResult {
        LdapResult::new(
            ResultCode::INSUFFICIENT_ACCESS_RIGHTS,
            "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0",
        )
    }

    pub(crate) fn exists(self, dn: &Dn) -> LdapResult {
        let text = match self.flavour {
            Flavour::Samba4_22 => format!("Entry {dn} already exists"),
            Flavour::WindowsServer2022 => {
                "00002071: UpdErr: DSID-031B0D7B, problem 6005 (ENTRY_EXISTS), data 0".to_owned()
            }
        };
        LdapResult::new(ResultCode::ENTRY_ALREADY_EXISTS, text)
    }

    pub(crate) fn unknown_class(self, name: &str) -> LdapResult {
        let text = match self.flavour {
            Flavour::Samba4_22 => {
                format!("0000200A: objectclass {name} is not a valid objectClass in schema")
            }
            Flavour::WindowsServer2022 => "00000057: LdapErr: DSID-0C090C80, comment: Error in \
                 attribute conversion operation, data 0, v4f7c"
                .to_owned(),
        };
        LdapResult::new(ResultCode::NO_SUCH_ATTRIBUTE, text)
    }

    pub(crate) fn attribute_problem(
        self,
        code: ResultCode,
        win32: u32,
        attribute: &str,
    ) -> LdapResult {
        let (number, problem) = match code {
            ResultCode::NO_SUCH_ATTRIBUTE => (1001, "NO_ATTRIBUTE_OR_VAL"),
            ResultCode::ATTRIBUTE_OR_VALUE_EXISTS => (1006, "ATT_OR_VALUE_EXISTS"),
            ResultCode::INVALID_ATTRIBUTE_SYNTAX => (1002, "INVALID_ATTRIBUTE_SYNTAX"),
            _ => (1005, "CONSTRAINT_ATT_TYPE"),
        };
        LdapResult::new(
            code,
            format!(
                "{win32:08X}: AtrErr: DSID-03190F80, #1:\n\t0: {win32:08X}: DSID-03190F80, \
                 problem {number} ({problem}), data 0, Att ({attribute})\n"
            ),
        )
    }

    pub(crate) fn unwilling(self, win32: u32) -> LdapResult {
        LdapResult::new(
            ResultCode::UNWILLING_TO_PERFORM,
            format!("{win32:08X}: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0"),
        )
    }

    pub(crate) fn naming_violation(self) -> LdapResult {
        LdapResult::new(
            ResultCode::NAMING_VIOLATION,
            "00002099: NameErr: DSID-03050F78, problem 2005 (NAMING_VIOLATION), data 0, best match \
             of:\n\t''\n",
        )
    }

    pub(crate) fn not_on_rdn(self) -> LdapResult {
        LdapResult::new(
            ResultCode::NOT_ALLOWED_ON_RDN,
            "00002016: UpdErr: DSID-030F1080, problem 6004 (CANT_ON_RDN), data 0",
        )
    }

    pub(crate) fn not_on_non_leaf(self) -> LdapResult {
        LdapResult::new(
            ResultCode::NOT_ALLOWED_ON_NON_LEAF,
            "00002015: UpdErr: DSID-031A112F, problem 6003 (CANT_ON_NON_LEAF), data 0",
        )
    }

    fn choose<T>(self, samba: T, windows: T) -> T {
        match self.flavour {
            Flavour::Samba4_22 => samba,
            Flavour::WindowsServer2022 => windows,
        }
    }
}
