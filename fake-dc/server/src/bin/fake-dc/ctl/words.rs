//! Answers of the control port in words for people.

use serde_json::Value;

/// The text of an answer, whatever was asked.
pub(super) fn say(answer: &Value) -> String {
    let lines = if answer.get("domain").is_some() {
        domain(answer)
    } else if let Some(events) = answer.get("events") {
        each(events).map(event).collect()
    } else if is_catalogue(answer) {
        each(&answer["faults"]).map(fault).collect()
    } else if answer["open"] == false {
        vec![format!("{} → {}  closed", text(answer, "host"), text(answer, "dc"))]
    } else {
        vec![place(answer)]
    };
    lines.into_iter().map(|line| line + "\n").collect()
}

fn is_catalogue(answer: &Value) -> bool {
    each(&answer["faults"]).any(Value::is_object)
}

fn domain(answer: &Value) -> Vec<String> {
    let places = each(&answer["dcs"]).chain(each(&answer["routes"]));
    std::iter::once(text(answer, "domain").to_owned())
        .chain(places.map(|of| format!("  {}", place(of))))
        .collect()
}

/// A DC or a route: name, ports, faults.
fn place(of: &Value) -> String {
    let name = match of.get("host") {
        Some(_) => format!("{} → {}", text(of, "host"), text(of, "dc")),
        None => text(of, "name").to_owned(),
    };
    let ports: String = ["dns", "kdc", "kpasswd", "ldap", "ldaps", "gc", "gcs"]
        .iter()
        .filter_map(|service| Some(format!("  {service} {}", of.get(service)?)))
        .collect();
    let faults: Vec<&str> = each(&of["faults"]).filter_map(Value::as_str).collect();
    let faults = if faults.is_empty() { "no faults".to_owned() } else { faults.join(" ") };
    format!("{name}  {}{ports}  {faults}", text(of, "address"))
}

fn fault(info: &Value) -> String {
    let value = info["value"].as_str().map_or_else(String::new, |value| format!(" Takes {value}."));
    format!("{:36}  {}.{value}", text(info, "id"), text(info, "summary"))
}

fn event(event: &Value) -> String {
    let (at, actor, kind) = (text(event, "at"), text(event, "actor"), text(event, "kind"));
    format!("{:>6}  {at}  {actor}  {kind}  {}", event["n"].to_string(), event["data"])
}

fn each(values: &Value) -> impl Iterator<Item = &Value> {
    values.as_array().into_iter().flatten()
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_default()
}
