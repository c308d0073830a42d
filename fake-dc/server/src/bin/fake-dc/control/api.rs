//! What the requests of the control port do.

use std::net::Ipv4Addr;

use fake_dc::{
    Dc, Domain, Error, Fault, FaultError, Place, Ports, Route, RouteSpec, facts::Listener, faults,
};
use fake_dc_directory::Secrets;
use hyper::{Method, StatusCode, Uri};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::record;

/// A request that has been understood.
#[derive(Debug)]
pub(super) enum Call {
    Catalogue,
    CloseRoute { host: String, dc: String },
    Dc(String),
    Domain,
    Events { after: u64 },
    Export(Secrets),
    Faults { of: Of, listener: Option<Listener>, action: Action },
    OpenRoute(RouteSpec),
    Renew(String),
    Route { host: String, dc: String },
}

/// Whose faults, as [`Place`], but owned.
#[derive(Debug)]
pub(super) enum Of {
    Dc(String),
    Route { host: String, dc: String },
}

/// What is done with faults.
#[derive(Debug)]
pub(super) enum Action {
    Add(Vec<Fault>),
    Clear,
    Remove(Fault),
    Set(Vec<Fault>),
    Show,
}

/// The body of a request that sets or adds faults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultsBody {
    faults: Vec<String>,
}

/// The body of a request that opens a route.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RouteBody {
    address: Option<Ipv4Addr>,
    kdc: u16,
    kpasswd: u16,
    ldap: u16,
    ldaps: u16,
    gc: u16,
    gcs: u16,
}

impl Call {
    /// Understands a request.
    pub(super) fn parse(method: &Method, uri: &Uri, body: Value) -> Result<Self, Refusal> {
        let path = uri.path();
        let segments: Option<Vec<String>> =
            path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect();
        let segments = segments.ok_or_else(|| Refusal::no_such_path(path))?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let get = |call: Self| match *method {
            Method::GET => Ok(call),
            _ => Err(Refusal::wrong_method(method, "GET")),
        };
        match segments[..] {
            [] | ["v1"] | ["v1", "domain"] => get(Self::Domain),
            ["v1", "faults"] => get(Self::Catalogue),
            ["v1", "events"] => {
                let after = query(uri, "after")?.map_or(Ok(0), |text| {
                    let text = text.parse();
                    text.map_err(|_| bad_query("after", "the number of an event"))
                });
                get(Self::Events { after: after? })
            }
            ["v1", "export"] => match query(uri, "passwords")?.as_deref() {
                None => get(Self::Export(Secrets::LeftOut)),
                Some("included") => get(Self::Export(Secrets::Included)),
                Some(_) => Err(bad_query("passwords", "`included`, or left out")),
            },
            ["v1", "dcs", dc] => get(Self::Dc(dc.to_owned())),
            ["v1", "dcs", dc, "renew"] => match *method {
                Method::POST => Ok(Self::Renew(dc.to_owned())),
                _ => Err(Refusal::wrong_method(method, "POST")),
            },
            ["v1", "dcs", dc, "faults", ref rest @ ..] => {
                faults_call(method, uri, Of::Dc(dc.to_owned()), rest, body)
            }
            ["v1", "routes", host, dc] => {
                let (host, dc) = (host.to_owned(), dc.to_owned());
                match *method {
                    Method::GET => Ok(Self::Route { host, dc }),
                    Method::PUT => {
                        let body: Option<RouteBody> = from_body(body)?;
                        let RouteBody { address, kdc, kpasswd, ldap, ldaps, gc, gcs } =
                            body.unwrap_or_default();
                        let ports = Ports { kdc, kpasswd, ldap, ldaps, gc, gcs, ..Ports::SYSTEM };
                        let spec = RouteSpec::new(host, dc).ports(ports);
                        Ok(Self::OpenRoute(match address {
                            Some(address) => spec.address(address),
                            None => spec,
                        }))
                    }
                    Method::DELETE => Ok(Self::CloseRoute { host, dc }),
                    _ => Err(Refusal::wrong_method(method, "GET, PUT, DELETE")),
                }
            }
            ["v1", "routes", host, dc, "faults", ref rest @ ..] => {
                let of = Of::Route { host: host.to_owned(), dc: dc.to_owned() };
                faults_call(method, uri, of, rest, body)
            }
            _ => Err(Refusal::no_such_path(path)),
        }
    }

    /// Does it, and says how things are afterwards.
    pub(super) fn perform(self, domain: &Domain) -> Result<Value, Refusal> {
        match self {
            Self::Catalogue => Ok(json!({ "version": 1, "faults": faults::catalogue() })),
            Self::CloseRoute { host, dc } => {
                domain.remove_route(&host, &dc)?;
                Ok(json!({ "host": host, "dc": dc, "open": false }))
            }
            Self::Dc(dc) => Ok(dc_json(domain.dc(&dc)?)),
            Self::Domain => Ok(json!({
                "version": 1,
                "domain": domain.name(),
                "dcs": domain.dcs().map(dc_json).collect::<Vec<_>>(),
                "routes": domain.routes().iter().map(route_json).collect::<Vec<_>>(),
            })),
            Self::Events { after } => {
                let events = domain.ledger().events();
                let events = events.iter().filter(|event| event.id.number() > after);
                Ok(json!({ "events": events.map(record::line).collect::<Vec<_>>() }))
            }
            Self::Export(secrets) => {
                Ok(json!({ "version": 1, "ldif": domain.directory().export(secrets) }))
            }
            Self::Faults { of, listener, action } => act(domain, &of, listener, action),
            Self::OpenRoute(spec) => Ok(route_json(&domain.open_route(&spec)?)),
            Self::Renew(dc) => {
                domain.renew_certificate(&dc)?;
                Ok(dc_json(domain.dc(&dc)?))
            }
            Self::Route { host, dc } => Ok(route_json(&known_route(domain, &host, &dc)?)),
        }
    }
}

fn faults_call(
    method: &Method,
    uri: &Uri,
    of: Of,
    rest: &[&str],
    body: Value,
) -> Result<Call, Refusal> {
    let listener = match query(uri, "listener")? {
        Some(text) => Some(text.parse().map_err(FaultError::from)?),
        None => None,
    };
    let parse = |body| {
        let FaultsBody { faults } = from_body(body)?;
        let limited = |text: &String| match (text.parse::<Fault>()?, listener) {
            (fault, Some(listener)) if fault.listener().is_none() => fault.at(listener),
            (fault, _) => Ok(fault),
        };
        Ok::<_, Refusal>(faults.iter().map(limited).collect::<Result<Vec<_>, FaultError>>()?)
    };
    let action = match (method, rest) {
        (&Method::GET, []) => Action::Show,
        (&Method::PUT, []) => Action::Set(parse(body)?),
        (&Method::POST, []) => Action::Add(parse(body)?),
        (&Method::DELETE, []) => Action::Clear,
        (&Method::DELETE, [fault]) => Action::Remove(fault.parse()?),
        (_, []) => return Err(Refusal::wrong_method(method, "GET, PUT, POST, DELETE")),
        (_, [_]) => return Err(Refusal::wrong_method(method, "DELETE")),
        _ => return Err(Refusal::no_such_path(uri.path())),
    };
    Ok(Call::Faults { of, listener, action })
}

/// Changes faults, all of them or those limited to one listener, and shows whose they are.
fn act(
    domain: &Domain,
    of: &Of,
    listener: Option<Listener>,
    action: Action,
) -> Result<Value, Refusal> {
    let place = match of {
        Of::Dc(dc) => Place::Dc(dc),
        Of::Route { host, dc } => Place::Route { host, dc },
    };
    let is_meant = |fault: &Fault| listener.is_none() || fault.listener() == listener;
    let edit = |edit: &mut dyn FnMut(&mut Vec<Fault>) -> Result<(), Error>| {
        domain.edit_faults(None, place, edit)
    };
    match action {
        Action::Add(mut added) => edit(&mut |faults| {
            added.retain(|fault| !faults.contains(fault));
            faults.append(&mut added);
            Ok(())
        })?,
        Action::Clear => edit(&mut |faults| {
            faults.retain(|fault| !is_meant(fault));
            Ok(())
        })?,
        Action::Remove(fault) => {
            edit(&mut |faults| place.remove(faults, std::slice::from_ref(&fault)))?
        }
        Action::Set(mut new) => edit(&mut |faults| {
            faults.retain(|fault| !is_meant(fault));
            faults.append(&mut new);
            Ok(())
        })?,
        Action::Show => {}
    }
    match of {
        Of::Dc(dc) => Ok(dc_json(domain.dc(dc)?)),
        Of::Route { host, dc } => Ok(route_json(&known_route(domain, host, dc)?)),
    }
}

/// The route, which asking for does not open.
fn known_route(domain: &Domain, host: &str, dc: &str) -> Result<Route, Error> {
    domain.dc(dc)?;
    let routes = domain.routes();
    let known = routes.iter().map(|route| format!("{} to {}", route.host, route.dc)).collect();
    let found = routes.into_iter().find(|route| route.host == host && route.dc == dc);
    found.ok_or_else(|| Error::UnknownRoute { host: host.to_owned(), dc: dc.to_owned(), known })
}

fn dc_json(dc: &Dc) -> Value {
    let mut described = json!({
        "name": dc.name(),
        "dns_name": dc.dns_name(),
        "address": dc.ip(),
        "dns": dc.dns().port(),
        "kdc": dc.kdc().port(),
        "kpasswd": dc.kpasswd().port(),
        "cldap": dc.cldap().port(),
        "ldap": dc.ldap().port(),
        "ldaps": dc.ldaps().port(),
        "gc": dc.gc().port(),
        "gcs": dc.gcs().port(),
        "faults": dc.faults(),
    });
    let passed = dc.passed_ports();
    if !passed.is_empty() {
        described["passed"] = json!(passed);
    }
    described
}

fn route_json(route: &Route) -> Value {
    json!({
        "host": route.host,
        "dc": route.dc,
        "address": route.ldap.ip(),
        "kdc": route.kdc.port(),
        "kpasswd": route.kpasswd.port(),
        "cldap": route.ldap.port(),
        "ldap": route.ldap.port(),
        "ldaps": route.ldaps.port(),
        "gc": route.gc.port(),
        "gcs": route.gcs.port(),
        "faults": route.faults,
    })
}

fn from_body<T: DeserializeOwned>(body: Value) -> Result<T, Refusal> {
    serde_json::from_value(body)
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, format!("the body: {error}")))
}

/// The value of the one parameter that a request may have.
fn query(uri: &Uri, wanted: &'static str) -> Result<Option<String>, Refusal> {
    let Some(query) = uri.query().filter(|query| !query.is_empty()) else { return Ok(None) };
    match query.split_once('=') {
        Some((name, value)) if name == wanted && !value.contains('&') => Ok(decode(value)),
        _ => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("`{query}` is not understood; the one parameter is `{wanted}`"),
        )),
    }
}

fn bad_query(name: &str, expected: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, format!("`{name}` must be {expected}"))
}

/// Resolves `%3A` and the like (RFC 3986, section 2.1). `None` if that leaves no text.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}
