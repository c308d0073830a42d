//! Bytes in, bytes out: LDAP messages, DNS questions, Kerberos tickets.

use std::{hint::black_box, time::Duration};

use benches::{DOMAIN, PASSWORD};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fake_dc::{facts::Listener, fuzzing::World};
use fake_dc_kerberos::{
    AsExchange, AsOutcome, ClientSecret, Credential, Frame, Principal, PrincipalName, TgsExchange,
    frame, unframe,
};
use ground::{Clock, Secret, Seed, Stream, Timestamp, VirtualClock};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::{Name, RecordType},
};
use ldap_wire::{
    Attribute, Filter, LdapMessage, LdapResult, Limits, ProtocolOp, Scope, SearchRequest,
    SearchResultEntry, decode,
};

criterion_group! {
    name = protocol;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = ldap, dns, kerberos
}
criterion_main!(protocol);

fn ldap(criterion: &mut Criterion) {
    let request = SearchRequest {
        base: "DC=corp,DC=example".to_owned(),
        scope: Scope::WholeSubtree,
        filter: Filter::parse("(|(sAMAccountName=krbtgt)(name=krbtgt))").expect("a filter"),
        attributes: vec!["objectSid".to_owned()],
        ..SearchRequest::default()
    };
    let entry = |number: usize| {
        let name = format!("user{number:04}");
        ProtocolOp::SearchResultEntry(SearchResultEntry {
            dn: format!("CN={name},CN=Users,DC=corp,DC=example"),
            attributes: vec![
                Attribute::new("objectClass", ["top", "person", "organizationalPerson", "user"]),
                Attribute::new("cn", [name.as_str()]),
                Attribute::new("sAMAccountName", [name.as_str()]),
                Attribute::new("userPrincipalName", [format!("{name}@{DOMAIN}")]),
                Attribute::new("objectSid", [vec![7; 28]]),
                Attribute::new("memberOf", (0..8).map(|n| format!("CN=g{n},DC=corp,DC=example"))),
                Attribute::new("whenCreated", ["20260821020000.0Z"]),
            ],
        })
    };
    let done = ProtocolOp::SearchResultDone(LdapResult::default());
    let mut many: Vec<ProtocolOp> = (0..1_000).map(entry).collect();
    many.push(done);
    let cases = [
        ("search-request", vec![ProtocolOp::SearchRequest(request)]),
        ("entry", vec![entry(0)]),
        ("result-of-1000", many),
    ];
    for (name, operations) in cases {
        let messages: Vec<LdapMessage> =
            operations.into_iter().map(|op| LdapMessage::new(2, op)).collect();
        let bytes: Vec<u8> = messages.iter().flat_map(LdapMessage::encode).collect();
        let mut group = criterion.benchmark_group("codec");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("encode-{name}"), |bencher| {
            let mut sent = Vec::with_capacity(bytes.len());
            bencher.iter(|| {
                sent.clear();
                black_box(&messages).iter().for_each(|message| message.encode_into(&mut sent));
                sent.len()
            });
        });
        group.bench_function(format!("decode-{name}"), |bencher| {
            bencher.iter(|| decode_all(black_box(&bytes)));
        });
        group.finish();
    }
    let mut group = criterion.benchmark_group("codec");
    group.bench_function("parse-filter", |bencher| {
        bencher.iter(|| Filter::parse(black_box("(|(sAMAccountName=krbtgt)(name=krbtgt))")));
    });
    group.finish();
}

fn decode_all(mut bytes: &[u8]) -> usize {
    let mut messages = 0;
    while !bytes.is_empty() {
        match decode(bytes, &Limits::default()).expect("sound bytes") {
            ldap_wire::Decoded::Message { consumed, .. } => bytes = &bytes[consumed..],
            ldap_wire::Decoded::Incomplete { .. } => break,
        }
        messages += 1;
    }
    messages
}

fn dns(criterion: &mut Criterion) {
    let world = World::new().expect("a domain");
    let mut group = criterion.benchmark_group("dns");
    for (id, name, record) in [
        ("srv-of-5-dcs", "_ldap._tcp.dc._msdcs.corp.example.", RecordType::SRV),
        ("a", "dc1.corp.example.", RecordType::A),
    ] {
        let mut question = Message::new(7, MessageType::Query, OpCode::Query);
        let name = Name::from_ascii(name).expect("a name");
        question.add_query(Query::query(name, record));
        let bytes = question.to_vec().expect("a question");
        group.bench_function(id, |bencher| {
            bencher.iter(|| world.datagram(Listener::Dns, black_box(&bytes)).expect("an answer"));
        });
    }
    group.finish();
}

fn kerberos(criterion: &mut Criterion) {
    let world = World::new().expect("a domain");
    // The time of that world.
    let clock = VirtualClock::starting_at(Timestamp::from_unix(1_780_000_000)).clock();
    let mut random = Seed::new(1).stream("kerberos");
    // Makes the keys of the account, which is done once.
    let granting = log_on(&world, &clock, &mut random);
    let mut group = criterion.benchmark_group("kdc");
    // Both ends, refusal and second request included. The client makes its key of the password.
    group.bench_function("as-exchange", |bencher| {
        bencher.iter(|| log_on(&world, &clock, &mut random));
    });
    let exchange = initial(&clock, &mut random);
    group.bench_function("as-answer", |bencher| {
        bencher.iter(|| ask(&world, black_box(exchange.request())));
    });
    let ldap = PrincipalName::service("ldap", "dc1.corp.example");
    group.bench_function("tgs-exchange", |bencher| {
        bencher.iter(|| {
            let exchange = TgsExchange::new(&granting, ldap.clone(), &clock, &mut random);
            exchange.answer(&ask(&world, exchange.request())).expect("a ticket")
        });
    });
    group.finish();
}

fn initial(clock: &Clock, random: &mut Stream) -> AsExchange {
    let client =
        Principal { name: PrincipalName::account("Administrator"), realm: DOMAIN.to_uppercase() };
    AsExchange::new(client, ClientSecret::Password(Secret::new(PASSWORD)), clock.clone(), random)
}

fn log_on(world: &World, clock: &Clock, random: &mut Stream) -> Credential {
    let mut exchange = initial(clock, random);
    loop {
        let answer = ask(world, exchange.request());
        if let AsOutcome::Ticket(ticket) = exchange.answer(&answer, random).expect("no refusal") {
            return *ticket;
        }
    }
}

/// What the KDC answers on a connection: tickets of an account with groups fit into no datagram.
fn ask(world: &World, request: &[u8]) -> Vec<u8> {
    let answer = world.connection(0, Listener::Kdc, &frame(request));
    match unframe(&answer) {
        Ok(Frame::Message { message, .. }) => message.to_vec(),
        // Who asks cannot read that.
        _ => Vec::new(),
    }
}
