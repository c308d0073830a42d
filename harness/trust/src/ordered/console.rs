//! A console appliance: a web server whose protocol is decided when it is created.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use ground::{Actor, Trail};
use tokio::{net::TcpListener, task::JoinSet};

use super::{
    Material,
    agent::{self, Certificates, Message},
    facts::{Connected, ConsoleStarted, Served},
    web::{Door, Reply, Request, Server},
};

/// How a console is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Protocol {
    /// As in a URL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A console appliance.
pub struct ConsoleAppliance {
    name: String,
    address: Ipv4Addr,
    protocol: Protocol,
    trail: Trail,
    running: tokio::sync::Mutex<Option<(Server, JoinSet<()>)>>,
}

impl ConsoleAppliance {
    pub(super) fn create(name: &str, address: Ipv4Addr, protocol: Protocol, trail: Trail) -> Self {
        let running = tokio::sync::Mutex::default();
        Self { name: name.to_owned(), address, protocol, trail, running }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its public address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// What it speaks, for as long as it lives.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Where its web server listens.
    pub async fn listens(&self) -> Option<SocketAddr> {
        self.running.lock().await.as_ref().map(|(server, _)| server.address)
    }

    /// Stops if it runs, reports to the management server, and serves what it is given.
    pub(super) async fn start(
        &self,
        management: SocketAddr,
        built_in: &Material,
        trail: &Trail,
    ) -> io::Result<()> {
        self.stop().await;
        let trail =
            trail.of(Actor::Host(self.name.clone())).begin(Connected { address: management });
        let startup = Message::StartupConsole { name: self.name.clone() };
        let (mut session, certificates) = agent::report(management, &startup, &trail).await?;
        let certificates = certificates.unwrap_or_else(|| Certificates::from(built_in.whole()));
        agent::send(&mut session, &Message::Answer { result: true, details: None }).await?;
        let door = match self.protocol {
            Protocol::Http => Door::Plain,
            Protocol::Https => {
                let chain = certificates.cert_chain.unwrap_or_default();
                let shown = format!("{}\n{chain}", certificates.priv_cert.trim_end());
                Door::Tls(Arc::new(agent::server_config(&shown, &certificates.priv_key)?))
            }
        };
        let listener = TcpListener::bind((self.address, 0)).await?;
        let own = self.trail.clone();
        let answer = move |request: Request| {
            let reply = Reply::text(200, "console");
            own.under(request.cause.or(own.cause())).record(Served { status: reply.status });
            std::future::ready(reply)
        };
        let server = Server::start(listener, door, self.trail.ledger().clone(), answer)?;
        trail.record(ConsoleStarted { protocol: self.protocol.name() });
        *self.running.lock().await = Some((server, agent::keep(session)));
        Ok(())
    }

    /// Closes its port and its session.
    pub(super) async fn stop(&self) {
        if let Some((server, _session)) = self.running.lock().await.take() {
            server.stop().await;
        }
    }
}

impl fmt::Debug for ConsoleAppliance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleAppliance")
            .field("name", &self.name)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}
