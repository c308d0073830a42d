//! `net lookup kdc` and `net ads lookup`: what xapi learns about a domain without trusting it.

use std::net::{IpAddr, SocketAddr};

use crate::{
    Output,
    samba::{
        cldap,
        client::Run,
        console::Console,
        netlogon::{NetlogonAnswer, Opcode},
    },
};

/// `net lookup kdc DOMAIN`: the addresses behind the Kerberos SRV records, nothing else.
pub(in crate::samba) async fn kdc(run: &Run<'_>, domain: &str, mut console: Console) -> Output {
    registered(&mut console);
    let service = format!("_kerberos._tcp.dc._msdcs.{domain}");
    let found = run.resolver().service(&service).await;
    let addresses: Vec<_> = found.iter().map(SocketAddr::ip).collect();
    if addresses.is_empty() {
        console.debug(1, "net_lookup_kdc: get_kdc_list failed (NT_STATUS_NO_LOGON_SERVERS)");
        return console.net_returns(-1);
    }
    for address in addresses {
        console.print(&format!("{address}:88"));
    }
    console.net_returns(0)
}

/// `net ads lookup -S ADDRESS`: the netlogon answer, pinged for twice as the real program does.
pub(in crate::samba) async fn ads_lookup(
    run: &Run<'_>,
    server: IpAddr,
    mut console: Console,
) -> Output {
    registered(&mut console);
    if let Err(error) = run.context().find(server, &mut console).await {
        console.error(&format!("ads_startup_int: ads_connect_cldap_only: {}", error.text));
        console.error("Didn't find the cldap server!");
        return console.net_returns(-1);
    }
    let Some(answer) = cldap::ping(server, run.network, run.trail).await else {
        console.error("CLDAP query failed!");
        return console.net_returns(-1);
    };
    print(server, &answer, &mut console);
    console.net_returns(0)
}

/// The line that every `net` of Samba 4.22 logs at level 2.
pub(in crate::samba) fn registered(console: &mut Console) {
    console.debug(2, "Registered MSG_REQ_DMALLOC_MARK and LOG_CHANGED");
}

/// Lines of the flags in the order of `net_ads_cldap_netlogon`, with their bits.
const FLAGS: [(&str, u32); 19] = [
    ("Is a PDC:", 0x0000_0001),
    ("Is a GC of the forest:", 0x0000_0004),
    ("Is an LDAP server:", 0x0000_0008),
    ("Supports DS:", 0x0000_0010),
    ("Is running a KDC:", 0x0000_0020),
    ("Is running time services:", 0x0000_0040),
    ("Is the closest DC:", 0x0000_0080),
    ("Is writable:", 0x0000_0100),
    ("Has a hardware clock:", 0x0000_0200),
    ("Is a non-domain NC serviced by LDAP server:", 0x0000_0400),
    ("Is NT6 DC that has some secrets:", 0x0000_0800),
    ("Is NT6 DC that has all secrets:", 0x0000_1000),
    ("Runs Active Directory Web Services:", 0x0000_2000),
    ("Runs on Windows 2012 or later:", 0x0000_4000),
    ("Runs on Windows 2012R2 or later:", 0x0000_8000),
    ("Runs on Windows 2016 or later:", 0x0001_0000),
    ("Has a DNS name:", 0x2000_0000),
    ("Is a default NC:", 0x4000_0000),
    ("Is the forest root:", 0x8000_0000),
];

fn print(server: IpAddr, answer: &NetlogonAnswer, console: &mut Console) {
    let kind = match answer.opcode {
        Opcode::Paused => "0x18",
        Opcode::Response => "LOGON_SAM_LOGON_RESPONSE_EX",
        Opcode::UserUnknown => "LOGON_SAM_LOGON_USER_UNKNOWN_EX",
    };
    console.print(&format!("Information for Domain Controller: {server}\n"));
    console.print(&format!("Response Type: {kind}"));
    console.print(&format!("GUID: {}", answer.domain_guid));
    console.print("Flags:");
    for (label, bit) in FLAGS {
        let set = if answer.flags & bit == 0 { "no" } else { "yes" };
        console.print(&format!("\t{label:<44}{set}"));
    }
    console.print(&format!("Forest: {}", answer.forest));
    console.print(&format!("Domain: {}", answer.domain));
    console.print(&format!("Domain Controller: {}", answer.dns_name));
    console.print(&format!("Pre-Win2k Domain: {}", answer.netbios_domain));
    console.print(&format!("Pre-Win2k Hostname: {}", answer.netbios_name));
    if !answer.user.is_empty() {
        console.print(&format!("User name: {}", answer.user));
    }
    console.print(&format!("Server Site Name: {}", answer.server_site));
    console.print(&format!("Client Site Name: {}", answer.client_site));
    console.print(&format!("NT Version: {:x}", answer.nt_version));
    console.print(&format!("LMNT Token: {:02x}", answer.lmnt_token));
    console.print(&format!("LM20 Token: {:02x}", answer.lm20_token));
}
