//! Those who are asked: a real DC through a program that carries bytes, and ours.

use std::{
    fs,
    io::{Read, Write},
    process::{Child, Command, Stdio},
};

use fake_dc_directory::{Directory, LdifSource, Protection};
use ldap_wire::{
    Authentication, BindRequest, Decoded, LdapMessage, Limits, ProtocolOp,
    controls::{self, PagedResults},
    decode,
};

use crate::{
    answer,
    question::Question,
    support::{self, Client, PASSWORD, captured_config, captured_dc},
};

/// When the fixture was captured; accounts have the states of that moment.
const CAPTURED_AT: &str = "2026-11-22T07:33:00Z";

/// Our directory with the data of the real one.
pub(crate) struct Fake {
    directory: Directory,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let name = "directory.ldif".to_owned();
        let text = fs::read_to_string(crate::fixture(&name)).unwrap();
        let mut config = captured_config(vec![LdifSource { name, text }]);
        config.clock = support::clock_at(CAPTURED_AT).clock();
        Self { directory: Directory::build(config).unwrap() }
    }

    pub(crate) fn ask(&mut self, question: &Question) -> String {
        let mut client = match question.who.as_str() {
            "nobody" => Client::connect(&self.directory, Protection::Tls),
            name => Client::bound(&self.directory, &format!("{name}@lab.example")),
        };
        client.session.set_dc(captured_dc());
        if question.port == 3269 {
            client.session = client.session.on_global_catalog();
        }
        pages(question, |message| client.send(message))
    }
}

/// A real DC.
pub(crate) struct Real {
    program: String,
    connection: Option<(String, u16, Connection)>,
}

impl Real {
    pub(crate) fn new(program: String) -> Self {
        Self { program, connection: None }
    }

    pub(crate) fn ask(&mut self, question: &Question) -> String {
        let (who, port) = (question.who.clone(), question.port);
        if self.connection.as_ref().is_none_or(|(w, p, _)| (w, p) != (&who, &port)) {
            let connection = Connection::open(&self.program, &who, port);
            self.connection = Some((who, port, connection));
        }
        let (_, _, connection) = self.connection.as_mut().unwrap();
        pages(question, |message| connection.send(message))
    }
}

/// Asks, for further pages too if the question wants them.
fn pages(question: &Question, mut send: impl FnMut(LdapMessage) -> Vec<LdapMessage>) -> String {
    let mut message = question.message();
    let mut messages = Vec::new();
    loop {
        let answer = send(message.clone());
        let page = answer.last().and_then(|last| last.control(controls::PAGED_RESULTS));
        let page = page.map(|page| PagedResults::decode(page.value.as_deref().unwrap()).unwrap());
        messages.extend(answer);
        let Some(page) = page.filter(|page| question.all_pages && !page.cookie.is_empty()) else {
            return answer::text(&messages, question.ordered);
        };
        for control in &mut message.controls {
            if control.oid == controls::PAGED_RESULTS {
                let size = PagedResults::decode(control.value.as_deref().unwrap()).unwrap().size;
                *control = PagedResults { size, ..page.clone() }.to_control(control.critical);
            }
        }
    }
}

struct Connection {
    child: Child,
    received: Vec<u8>,
}

impl Connection {
    fn open(program: &str, who: &str, port: u16) -> Self {
        let command = program.replace("{port}", &port.to_string());
        let mut words = command.split_whitespace();
        let child = Command::new(words.next().unwrap())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut connection = Self { child, received: Vec::new() };
        if who != "nobody" {
            let authentication = Authentication::Simple(PASSWORD.as_bytes().to_vec());
            let name = format!("{who}@lab.example");
            let bind = BindRequest { version: 3, name, authentication };
            let answer = connection.send(LdapMessage::new(1, ProtocolOp::BindRequest(bind)));
            let ProtocolOp::BindResponse(bound) = &answer[0].op else { panic!("{answer:?}") };
            assert!(bound.result.is_success(), "{who}: {bound:?}");
        }
        connection
    }

    /// Sends a request and waits for the end of its answer.
    fn send(&mut self, message: LdapMessage) -> Vec<LdapMessage> {
        self.child.stdin.as_mut().unwrap().write_all(&message.encode()).unwrap();
        let mut answer = Vec::new();
        loop {
            while let Decoded::Message { message, consumed } =
                decode(&self.received, &Limits::default()).unwrap()
            {
                self.received.drain(..consumed);
                let more = matches!(
                    message.op,
                    ProtocolOp::SearchResultEntry(_) | ProtocolOp::SearchResultReference(_)
                );
                answer.push(message);
                if !more {
                    return answer;
                }
            }
            let mut chunk = [0; 65_536];
            let count = self.child.stdout.as_mut().unwrap().read(&mut chunk).unwrap();
            assert!(count > 0, "the DC has closed the connection after {message:?}");
            self.received.extend_from_slice(&chunk[..count]);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
