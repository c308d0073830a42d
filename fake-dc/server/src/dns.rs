//! DNS questions in, DNS answers out, in the form of an AD-integrated DNS server.
//!
//! Copies the Samba 4.22.11 internal DNS server as captured in `fixtures/samba-ad/dns`: no
//! additional section and no OPT record, SOA in the authority section of every answer from a zone,
//! NXDOMAIN with nothing outside the zones. Sockets are in the sibling module.

mod server;
mod zone;

use hickory_proto::{
    op::{Message, MessageType, Metadata, OpCode, Query, ResponseCode},
    rr::{DNSClass, Name, RData, Record, RecordType},
};

pub(crate) use self::{
    server::{serve_datagrams, serve_stream},
    zone::{Registration, Zone},
};
use crate::facts::DnsQuery;

/// The answer of one DC's DNS server.
///
/// `server` is that DC's name: each AD-integrated server names itself as primary of the zone.
/// `None` if the message is no question that deserves an answer.
pub(crate) fn answer(zone: &Zone, server: &Name, request: &Message) -> Option<Message> {
    if request.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut response = Message::new(request.id, MessageType::Response, request.op_code);
    response.metadata = Metadata::response_from_request(&request.metadata);
    response.metadata.authentic_data = request.authentic_data;
    response.add_queries(request.queries.iter().cloned());
    if request.op_code != OpCode::Query {
        response.metadata.response_code = ResponseCode::NotImp;
        return Some(response);
    }
    let [question] = request.queries.as_slice() else {
        response.metadata.response_code = ResponseCode::FormErr;
        return Some(response);
    };
    let apex =
        (question.query_class() == DNSClass::IN).then(|| zone.apex_of(question.name())).flatten();
    let Some(apex) = apex else {
        // A name of another domain that a record of ours leads to, as a forwarder would know it.
        match zone.lookup(question.name()) {
            None => response.metadata.response_code = ResponseCode::NXDomain,
            Some(records) => {
                response.add_answers(answers(zone, question, records));
            }
        }
        return Some(response);
    };
    response.metadata.authoritative = true;
    let soa = zone.soa(apex, server);
    match zone.lookup(question.name()) {
        None => response.metadata.response_code = ResponseCode::NXDomain,
        Some(records) => {
            let wanted = question.query_type();
            let is_apex = question.name() == apex;
            if is_apex && matches!(wanted, RecordType::SOA | RecordType::ANY) {
                response.add_answer(soa.clone());
            }
            response.add_answers(answers(zone, question, records));
        }
    }
    response.add_authority(soa);
    Some(response)
}

/// The records of a name that a question wants. An alias brings what it leads to in the same
/// zones, as the DNS servers of Windows and Samba do.
fn answers(zone: &Zone, question: &Query, records: &[RData]) -> Vec<Record> {
    let wanted = question.query_type();
    let own = |name: &Name, records: &[RData]| -> Vec<Record> {
        let of_kind = records.iter().filter(|data| matches(data, wanted));
        of_kind.map(|data| Record::from_rdata(name.clone(), zone::TTL, data.clone())).collect()
    };
    let mut answers = own(question.name(), records);
    if let [Record { data: RData::CNAME(alias), .. }] = answers.as_slice()
        && wanted != RecordType::CNAME
    {
        let target = alias.0.clone();
        answers.extend(own(&target, zone.lookup(&target).unwrap_or_default()));
    }
    answers
}

fn matches(data: &RData, wanted: RecordType) -> bool {
    let own = data.record_type();
    own == wanted || wanted == RecordType::ANY || own == RecordType::CNAME
}

/// What the ledger keeps of a question and its answer.
pub(crate) fn fact(request: &Message, response: Option<&Message>) -> DnsQuery {
    let question = request.queries.first();
    DnsQuery {
        name: question.map_or_else(String::new, |question| text(question.name())),
        record_type: question.map_or_else(String::new, |asked| asked.query_type().to_string()),
        code: response.map_or_else(|| "none".to_owned(), |sent| code_name(sent.response_code)),
        answers: response
            .map(|sent| sent.answers.iter().filter_map(|record| target(&record.data)).collect())
            .unwrap_or_default(),
    }
}

/// A response code in the capitals of RFC 1035 and RFC 2136.
fn code_name(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => u16::from(other).to_string(),
    }
}

/// Where a record leads to, without its port.
fn target(data: &RData) -> Option<String> {
    match data {
        RData::A(address) => Some(address.0.to_string()),
        RData::SRV(service) => Some(text(&service.target)),
        RData::NS(server) => Some(text(&server.0)),
        RData::CNAME(alias) => Some(text(&alias.0)),
        RData::SOA(authority) => Some(text(&authority.mname)),
        _ => None,
    }
}

fn text(name: &Name) -> String {
    let mut text = name.to_ascii();
    if text.len() > 1 && text.ends_with('.') {
        text.pop();
    }
    text
}
