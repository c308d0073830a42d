//! DNS of a front: its own zone answers for the names of the DC, so that faults of discovery act;
//! every other question, and every update, is passed to the real DC's name server.
//!
//! Where an answer of the real one has its own address (an alias, an answer to PTR's neighbours),
//! the front's is put there. An answer without it passes as it is, signed or not.

use std::{io, net::IpAddr};

use fake_dc_directory::netlogon_flag;
use ground::{Trail, Transport};
use hickory_proto::{
    op::{Message, OpCode},
    rr::{Name, RData, rdata::A},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::Behind;
use crate::{dc::Dc, dns, facts::Listener, limits};

impl Behind {
    /// Whether our own zone answers `request`.
    pub(crate) fn names(&self, question: &[u8]) -> bool {
        let Ok(request) = Message::from_vec(question) else { return false };
        let [question] = request.queries.as_slice() else { return false };
        let known = self.names.lookup(question.name());
        request.op_code == OpCode::Query
            && known.is_some_and(|records| !records.is_empty())
            && self.has_role(question.name())
    }

    /// Whether a name is none of a role that the real DC has not got: others answer to that.
    fn has_role(&self, name: &Name) -> bool {
        let has_label =
            |wanted: &str| name.iter().any(|label| label.eq_ignore_ascii_case(wanted.as_bytes()));
        let has = |flag: u32| self.real.flags() & flag != 0;
        (!has_label("pdc") || has(netlogon_flag::PDC))
            && (!has_label("gc") && !has_label("_gc") || has(netlogon_flag::GC))
    }

    /// What the real DC's name server answers to the message `question`; `None` if it does not.
    async fn ask_name_server(
        &self,
        question: &[u8],
        over: Transport,
        trail: &Trail,
    ) -> Option<Vec<u8>> {
        if over == Transport::Udp {
            return self.exchange(Listener::Dns, trail, question).await;
        }
        let asking = async {
            let port = self.real.port(Listener::Dns, false);
            let mut link = self.connector.connect(port, false).await?;
            let size = u16::try_from(question.len()).map_err(io::Error::other)?;
            link.write_all(&[&size.to_be_bytes(), question].concat()).await?;
            let mut answer = vec![0; usize::from(link.read_u16().await?)];
            link.read_exact(&mut answer).await?;
            Ok(answer)
        };
        let answer = timeout(limits::BEHIND_ANSWER, asking).await;
        self.recorded(answer.unwrap_or(Err(io::ErrorKind::TimedOut.into())), Listener::Dns, trail)
    }
}

/// Asks the real DC's name server what our zone does not know. `None` if nothing is sent.
pub(crate) async fn ask(
    behind: &Behind,
    dc: &Dc,
    trail: &Trail,
    question: &[u8],
    over: Transport,
) -> Option<Vec<u8>> {
    let mut bytes = behind.ask_name_server(question, over, trail).await?;
    let faults = &dc.condition().faults;
    // What hickory cannot read passes as it is.
    if let Ok(passed) = Message::from_vec(&bytes) {
        let mut response = Some(passed.clone());
        if let Some(response) = &mut response {
            stand_in(response, behind.real.address(), dc);
        }
        for fault in faults.server(Listener::Dns) {
            response = response.and_then(|response| fault.dns(response, over));
        }
        if let Ok(request) = Message::from_vec(question) {
            trail.record(dns::fact(&request, response.as_ref()));
        }
        let response = response?;
        if response != passed {
            bytes = response.to_vec().ok()?;
        }
    }
    faults.server(Listener::Dns).for_each(|fault| fault.dns_bytes(&mut bytes));
    Some(bytes)
}

/// Puts the front's address where that of the real DC is.
fn stand_in(response: &mut Message, real: IpAddr, dc: &Dc) {
    for record in &mut response.answers {
        if let RData::A(address) = &mut record.data
            && IpAddr::from(address.0) == real
        {
            *address = A(dc.ip());
        }
    }
}
