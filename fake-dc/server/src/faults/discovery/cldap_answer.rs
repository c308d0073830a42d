use fake_dc_directory::{DcView, NetlogonClaims};

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// Netlogon pings get an answer of another kind.
#[derive(Debug)]
pub(crate) struct CldapAnswer {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    claim: fn(&mut NetlogonClaims),
}

pub(crate) const PAUSED: CldapAnswer = CldapAnswer {
    id: "discovery.cldap-paused",
    summary: "netlogon answers say that the Netlogon service is paused (code 24)",
    cause: "the DC was just promoted and waits for SYSVOL, or an administrator paused the service",
    drawing: "client → DC   netlogon ping\n\
              DC → client   LOGON_SAM_LOGON_PAUSE_RESPONSE_EX",
    claim: |claims| claims.paused = true,
};

pub(crate) const NT4_EMULATION: CldapAnswer = CldapAnswer {
    id: "discovery.cldap-nt4-emulation",
    summary: "netlogon answers have the form of Windows NT 4.0: no DNS names, no flags",
    cause: "NT4Emulator is set on the DC, to keep it from being overrun during a migration",
    drawing: "client → DC   netlogon ping, NtVer 6\n\
              DC → client   LOGON_SAM_LOGON_RESPONSE of version 1: \\\\DC1, CORP\n\
              client        has asked for another form, and takes it for no answer",
    claim: |claims| claims.nt4_emulation = true,
};

pub(crate) const WITHHELD: CldapAnswer = CldapAnswer {
    id: "discovery.cldap-no-netlogon",
    summary: "netlogon pings get a result and no entry",
    cause: "what answers on port 389 is another LDAP server, or a DC whose Netlogon is stopped",
    drawing: "client → DC   netlogon ping\n\
              DC → client   0 success, no entry",
    claim: |claims| claims.withheld = true,
};

impl ServerFault for CldapAnswer {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing).at(Listener::PINGED)
    }

    fn netlogon(&self, dc: &mut DcView) {
        (self.claim)(&mut dc.netlogon);
    }
}
