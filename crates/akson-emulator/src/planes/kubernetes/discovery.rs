//! What a cluster can do: `/version`, `/api`, `/apis` and below, in the old form of many documents and
//! in the new one of a single one.

use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::kinds::{self, Kind};
use super::status::{self, Outcome};
use crate::reply::{self, Answer};
use crate::world::Object;

fn answer_json(body: &Value) -> Answer {
    reply::typed(StatusCode::OK, "application/json", body.to_string().into())
}

/// `None`, if the path is of no such document.
pub(super) fn answer(call: &Call<'_>, cluster: &str, segments: &[&str]) -> Option<Outcome> {
    let kinds = kinds::of_cluster(&call.state.world, cluster);
    let found = match segments {
        ["version"] => call.state.world.objects.get(cluster).map(|cluster| answer_json(&version(cluster)))?,
        ["healthz" | "livez" | "readyz"] => reply::typed(StatusCode::OK, "text/plain; charset=utf-8", "ok".into()),
        ["api" | "apis"] => match aggregated(call) {
            Some(form) => together(&kinds, segments == ["api"], form),
            None if segments == ["api"] => answer_json(&json!({
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": format!("{}:443", call.visit.host) }],
            })),
            None => {
                let groups: Vec<Value> =
                    groups(&kinds).into_iter().map(|(name, version)| group(name, version)).collect();
                answer_json(&json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }))
            }
        },
        ["apis", name] => match groups(&kinds).into_iter().find(|(known, _)| known == name) {
            Some((name, version)) => {
                let mut body = json!({ "kind": "APIGroup", "apiVersion": "v1" });
                if let (Value::Object(body), Value::Object(group)) = (&mut body, group(name, version)) {
                    body.extend(group);
                }
                answer_json(&body)
            }
            None => return Some(Err(status::no_such_path())),
        },
        ["api", version] => return Some(resources(&kinds, "", version)),
        ["apis", group, version] => return Some(resources(&kinds, group, version)),
        _ => return None,
    };
    Some(Ok(found))
}

fn version(cluster: &Object) -> Value {
    let current = match cluster.property("currentKubernetesVersion") {
        "" => cluster.property("kubernetesVersion"),
        current => current,
    };
    let mut parts = current.split('.');
    let (major, minor) = (parts.next().filter(|part| !part.is_empty()).unwrap_or("1"), parts.next().unwrap_or("33"));
    let patch = parts.next().unwrap_or("0");
    json!({
        "major": major,
        "minor": minor,
        "gitVersion": format!("v{major}.{minor}.{patch}"),
        "gitTreeState": "clean",
        "goVersion": "go1.24.6",
        "compiler": "gc",
        "platform": "linux/amd64",
    })
}

/// Groups but for the core one, each with its version, in the order of kinds.
fn groups(kinds: &[&'static Kind]) -> Vec<(&'static str, &'static str)> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for kind in kinds.iter().filter(|kind| !kind.group.is_empty()) {
        if !found.contains(&(kind.group, kind.version)) {
            found.push((kind.group, kind.version));
        }
    }
    found
}

fn group(name: &str, version: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/{version}"), "version": version });
    json!({ "name": name, "versions": [version], "preferredVersion": version })
}

fn resources(kinds: &[&'static Kind], group: &str, version: &str) -> Outcome {
    let of_group = kinds.iter().filter(|kind| kind.group == group && kind.version == version);
    let resources: Vec<Value> = of_group
        .map(|kind| {
            let mut shown = json!({
                "name": kind.plural,
                "singularName": kind.singular,
                "namespaced": kind.namespaced,
                "kind": kind.word,
                "verbs": kind.verbs(),
            });
            if !kind.short.is_empty() {
                shown["shortNames"] = json!(kind.short);
            }
            shown
        })
        .collect();
    if resources.is_empty() {
        return Err(status::no_such_path());
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut body = json!({ "kind": "APIResourceList", "groupVersion": group_version, "resources": resources });
    if !group.is_empty() {
        body["apiVersion"] = "v1".into();
    }
    Ok(answer_json(&body))
}

/// The version of the single document that is asked for.
fn aggregated(call: &Call<'_>) -> Option<&'static str> {
    let accept = call.visit.header("accept")?;
    accept.split(',').find_map(|kind| {
        let parts: Vec<&str> = kind.split(';').map(str::trim).collect();
        if !parts.contains(&"as=APIGroupDiscoveryList") || !parts.contains(&"g=apidiscovery.k8s.io") {
            return None;
        }
        ["v2", "v2beta1"].into_iter().find(|version| parts.contains(&format!("v={version}").as_str()))
    })
}

fn together(kinds: &[&'static Kind], core: bool, form: &'static str) -> Answer {
    let shown = |group: &str, version: &str| {
        let of_group = kinds.iter().filter(|kind| kind.group == group && kind.version == version);
        let resources: Vec<Value> = of_group
            .map(|kind| {
                json!({
                    "resource": kind.plural,
                    "responseKind": { "group": kind.group, "version": kind.version, "kind": kind.word },
                    "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
                    "singularResource": kind.singular,
                    "shortNames": kind.short,
                    "verbs": kind.verbs(),
                })
            })
            .collect();
        json!({
            "metadata": { "name": if group.is_empty() { Value::Null } else { group.into() } },
            "versions": [{ "version": version, "resources": resources, "freshness": "Current" }],
        })
    };
    let items: Vec<Value> = if core {
        vec![shown("", "v1")]
    } else {
        groups(kinds).into_iter().map(|(group, version)| shown(group, version)).collect()
    };
    let body = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{form}"),
        "metadata": {},
        "items": items,
    });
    let kind = match form {
        "v2" => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        _ => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
    };
    reply::typed(StatusCode::OK, kind, body.to_string().into())
}
