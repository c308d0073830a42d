//! A DC that is handed bytes: what its listeners do around the directory, ledger included; and a KDC.

use std::{hint::black_box, rc::Rc};

use fake_dc::{facts::Listener, fuzzing::World};
use fake_dc_kerberos::PrincipalName;
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::{Name, RecordType},
};
use ldap_wire::{Filter, LdapMessage, ProtocolOp, SearchRequest};

use super::{
    expect, lab,
    ldap::{account_search, bind},
};
use crate::{Failure, HotPath};

pub(super) fn paths() -> Result<Vec<HotPath>, Failure> {
    let world = Rc::new(World::new()?);
    let datagram = |name, listener, question: Vec<u8>| {
        let world = Rc::clone(&world);
        HotPath::new(name, move || {
            (0..100).try_for_each(|_| {
                let answer = world.datagram(listener, black_box(&question)).unwrap_or_default();
                expect(answer.len() > question.len(), || format!("answered: {answer:x?}"))
            })
        })
    };
    let srv = datagram("dns/100-srv-questions", Listener::Dns, srv_question()?);
    let ping = datagram("cldap/100-netlogon-pings", Listener::Cldap, ping()?);
    let mut requests = bind().encode();
    for _ in 0..100 {
        account_search()?.encode_into(&mut requests);
    }
    let mut lab = lab::Lab::new();
    Ok(vec![
        srv,
        ping,
        HotPath::new("dc/bind-and-100-searches", move || {
            let answer = world.connection(0, Listener::Ldap, black_box(&requests));
            expect(answer.len() > 10_000, || format!("answered: {answer:x?}"))
        }),
        HotPath::new("kerberos/as-exchange", move || {
            black_box(lab.log_on(PrincipalName::account("alice"), lab::PASSWORD)?);
            Ok(())
        }),
    ])
}

fn srv_question() -> Result<Vec<u8>, Failure> {
    let name = Name::from_ascii("_ldap._tcp.dc._msdcs.corp.example.")?;
    let mut question = Message::new(7, MessageType::Query, OpCode::Query);
    question.add_query(Query::query(name, RecordType::SRV));
    Ok(question.to_vec()?)
}

fn ping() -> Result<Vec<u8>, Failure> {
    let filter = Filter::parse(r"(&(DnsDomain=corp.example)(NtVer=\06\00\00\00))")?;
    let attributes = vec!["NetLogon".to_owned()];
    let search = SearchRequest { filter, attributes, ..SearchRequest::default() };
    Ok(LdapMessage::new(3, ProtocolOp::SearchRequest(search)).encode())
}
