//! `fake-dc ctl`: the client of the control port.

mod client;
mod words;

use std::{
    io::{self, Write},
    net::Ipv4Addr,
};

use clap::{Args, Subcommand};
use fake_dc::facts::Listener;
use hyper::Method;
use serde_json::{Map, Value, json};

pub(crate) use self::client::Client;
use crate::exit::Exit;

/// Where the domain is, and what to change.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: ControlPort,
    /// Print the answer as it came: JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ControlPort {
    /// The control port on this machine.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The control port as the ready line of `fake-dc serve` names it.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the DCs, their ports and faults, and the routes.
    List,
    /// Shows all faults that there are.
    Faults,
    /// Gives a DC or a route these faults in place of those it has.
    Set(Change),
    /// Gives a DC or a route these faults beside those it has.
    Add(Change),
    /// Takes these faults from a DC or a route; without its value a fault is taken whatever it is.
    Remove(Change),
    /// Takes all faults from a DC or a route.
    Clear(Target),
    /// Lets a DC choose its certificate anew, as the rootDSE operation renewServerCertificate does.
    Renew {
        /// The DC.
        dc: String,
    },
    /// Opens, shows and closes routes.
    #[command(subcommand)]
    Route(RouteCommand),
    /// Shows what has reached the DCs.
    Events {
        /// Only what came after the event of this number.
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        after: u64,
    },
}

#[derive(Debug, Args)]
struct Target {
    /// The DC, such as dc1.
    dc: String,
    /// The client whose route to the DC is meant; opened if need be.
    #[arg(long, value_name = "HOST")]
    route: Option<String>,
    /// The listener to which the faults are limited: dns, kdc, kpasswd, cldap, ldap, ldaps, gc, gcs
    /// or rpc.
    #[arg(long, value_name = "LISTENER")]
    listener: Option<Listener>,
}

#[derive(Debug, Args)]
struct Change {
    #[command(flatten)]
    target: Target,
    /// Faults, as ID[:VALUE][@LISTENER].
    #[arg(required = true)]
    faults: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum RouteCommand {
    /// Opens ports of a DC for one client.
    Open {
        /// The client: any name.
        host: String,
        /// The DC.
        dc: String,
        /// Their address; by default that of the DC.
        #[arg(long)]
        address: Option<Ipv4Addr>,
        /// Port for Kerberos; by default the system chooses.
        #[arg(long, value_name = "PORT", default_value_t = 0)]
        kdc_port: u16,
        /// Port for changes of passwords; by default the system chooses.
        #[arg(long, value_name = "PORT", default_value_t = 0)]
        kpasswd_port: u16,
        /// Port for LDAP and CLDAP; by default the system chooses.
        #[arg(long, value_name = "PORT", default_value_t = 0)]
        ldap_port: u16,
        /// Port for LDAPS; by default the system chooses.
        #[arg(long, value_name = "PORT", default_value_t = 0)]
        ldaps_port: u16,
        /// Port for the global catalogue; by default the system chooses.
        #[arg(long, value_name = "PORT", default_value_t = 0)]
        gc_port: u16,
        /// Port for the global catalogue over TLS; by default the system chooses.
        #[arg(long, value_name = "PORT", default_value_t = 0)]
        gcs_port: u16,
    },
    /// Shows a route.
    Show {
        /// The client.
        host: String,
        /// The DC.
        dc: String,
    },
    /// Closes the ports of a route and the connections along it.
    Close {
        /// The client.
        host: String,
        /// The DC.
        dc: String,
    },
}

/// A request as the control port understands it.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

/// Does it and prints the answer.
pub(crate) fn run(options: Options) -> Exit {
    let url = match (options.place.port, options.place.url) {
        (Some(port), _) => format!("http://127.0.0.1:{port}/"),
        (None, url) => url.unwrap_or_default(),
    };
    let answered = Client::new(&url).and_then(|client| {
        let mut answer = Value::Null;
        for request in requests(&options.command) {
            answer = client.ask(&request)?;
        }
        Ok(answer)
    });
    match answered {
        Ok(answer) => {
            let text = if options.json { format!("{answer}\n") } else { words::say(&answer) };
            // A reader that has seen enough, such as `head`, is no failure.
            let _ = io::stdout().lock().write_all(text.as_bytes());
            Exit::Held
        }
        Err(failure) => {
            let _ = write!(io::stderr().lock(), "{failure}");
            failure.exit()
        }
    }
}

/// One request, or one per fault that is taken away.
fn requests(command: &Command) -> Vec<Request> {
    let get = |path: &str| Request { method: Method::GET, path: path.to_owned(), body: None };
    let change = |method, change: &Change| Request {
        method,
        path: change.target.path(None),
        body: Some(json!({ "faults": change.faults })),
    };
    vec![match command {
        Command::List => get("v1/domain"),
        Command::Faults => get("v1/faults"),
        Command::Events { after } => get(&format!("v1/events?after={after}")),
        Command::Set(faults) => change(Method::PUT, faults),
        Command::Add(faults) => change(Method::POST, faults),
        Command::Clear(target) => {
            Request { method: Method::DELETE, path: target.path(None), body: None }
        }
        Command::Remove(Change { target, faults }) => {
            let remove = |fault: &String| Request {
                method: Method::DELETE,
                path: target.path(Some(fault)),
                body: None,
            };
            return faults.iter().map(remove).collect();
        }
        Command::Renew { dc } => {
            let path = format!("v1/dcs/{}/renew", encode(dc));
            Request { method: Method::POST, path, body: None }
        }
        Command::Route(RouteCommand::Show { host, dc }) => get(&route_path(host, dc)),
        Command::Route(RouteCommand::Close { host, dc }) => {
            Request { method: Method::DELETE, path: route_path(host, dc), body: None }
        }
        Command::Route(RouteCommand::Open {
            host,
            dc,
            address,
            kdc_port,
            kpasswd_port,
            ldap_port,
            ldaps_port,
            gc_port,
            gcs_port,
        }) => {
            let mut body = Map::new();
            if let Some(address) = address {
                body.insert("address".to_owned(), json!(address));
            }
            let ports = [
                ("kdc", kdc_port),
                ("kpasswd", kpasswd_port),
                ("ldap", ldap_port),
                ("ldaps", ldaps_port),
                ("gc", gc_port),
                ("gcs", gcs_port),
            ];
            for (name, port) in ports {
                body.insert(name.to_owned(), json!(port));
            }
            let body = Some(Value::Object(body));
            Request { method: Method::PUT, path: route_path(host, dc), body }
        }
    }]
}

impl Target {
    fn path(&self, fault: Option<&str>) -> String {
        let mut path = match &self.route {
            Some(host) => route_path(host, &self.dc),
            None => format!("v1/dcs/{}", encode(&self.dc)),
        };
        path.push_str("/faults");
        if let Some(fault) = fault {
            path.push('/');
            path.push_str(&encode(fault));
        }
        if let Some(listener) = self.listener {
            path.push_str("?listener=");
            path.push_str(listener.id());
        }
        path
    }
}

fn route_path(host: &str, dc: &str) -> String {
    format!("v1/routes/{}/{}", encode(host), encode(dc))
}

/// What a segment of a path may hold as it is, and the rest as `%3A` (RFC 3986, section 3.3).
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
