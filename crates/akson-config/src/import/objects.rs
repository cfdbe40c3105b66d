//! Raw objects as Azure returns them: of which kind each is, what it is called and where it lies; objects that come inside of others
//! taken out of them. Not what their bodies say.

use std::{collections::BTreeSet, sync::Arc};

use akson_catalog::{
    ArmId, Catalog, Kind,
    kind::{LateId, Plane, Role, ids},
};
use serde_json::{Value as Json, json};

/// An object of a kind.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub kind: Arc<Kind>,
    /// Azure's id, in Azure's casing.
    pub id: String,
    pub body: Json,
    /// The last part of its id; of the directory's objects their name for people.
    pub name: String,
    /// The id of what it lies in.
    pub parent: Option<String>,
    /// Other attributes that say where it lies, with what they say: the namespace.
    pub places: Vec<(String, String)>,
    pub subscription: Option<String>,
}

/// Objects one by one: lists opened, and what comes inside of another object beside it. Each once.
pub fn spread(answers: &[Json], catalog: &Catalog) -> Vec<Json> {
    let mut whole = Vec::new();
    for answer in answers {
        open(answer, &mut whole);
    }
    house(&mut whole, catalog);
    let mut seen: BTreeSet<String> = whole.iter().filter_map(folded).collect();
    let mut at = 0;
    while let Some(object) = whole.get(at) {
        for inner in inside(object, catalog) {
            if folded(&inner).is_some_and(|id| seen.insert(id)) {
                whole.push(inner);
            }
        }
        at += 1;
    }
    // Of several answers about one object the last counts.
    let mut last = BTreeSet::new();
    let mut kept: Vec<Json> =
        whole.into_iter().rev().filter(|object| folded(object).is_none_or(|id| last.insert(id))).collect();
    kept.reverse();
    kept
}

/// The objects of a list of a cluster: what its items are stands in the list, if not in them.
fn listed(list: &serde_json::Map<String, Json>, found: &mut Vec<Json>) {
    let own = list.get("kind").and_then(Json::as_str).and_then(|kind| kind.strip_suffix("List"));
    let own = own.filter(|kind| !kind.is_empty()).map(Json::from);
    for item in list.get("items").and_then(Json::as_array).into_iter().flatten() {
        let mut item = item.clone();
        if let (Some(kind), Json::Object(members)) = (&own, &mut item) {
            members.entry("kind").or_insert_with(|| kind.clone());
            if let Some(version) = list.get("apiVersion") {
                members.entry("apiVersion").or_insert_with(|| version.clone());
            }
        }
        open(&item, found);
    }
}

/// Gives objects of a cluster, as its own tools print them, the id that they have here, if there is just one cluster that they can be of.
fn house(whole: &mut [Json], catalog: &Catalog) {
    let is_home = |object: &Json| {
        let kind = kind_of(object, catalog).filter(|kind| kind.plane == Plane::Arm)?;
        let homes = |inner: &Arc<Kind>| {
            inner.plane == Plane::Kubernetes && parent_kinds(inner).any(|parent| parent == kind.keyword)
        };
        catalog.iter().any(homes).then(|| folded(object))?
    };
    let homes: BTreeSet<String> = whole.iter().filter_map(is_home).collect();
    let mut homes = homes.into_iter();
    let (Some(home), None) = (homes.next(), homes.next()) else { return };
    let home = whole.iter().find_map(|object| {
        let id = object.get("id").and_then(Json::as_str)?;
        (ArmId::new(id).folded() == home).then(|| id.to_owned())
    });
    let Some(home) = home else { return };
    for object in whole.iter_mut() {
        let text = |pointer: &str| object.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
        let (Some(version), Some(of), Some(name), None) =
            (text("/apiVersion"), text("/kind"), text("/metadata/name"), object.get("id"))
        else {
            continue;
        };
        let own = format!("{version}/{of}");
        let Some(kind) = catalog.iter().find(|kind| kind.plane == Plane::Kubernetes && kind.resource_type == own)
        else {
            continue;
        };
        let namespace = text("/metadata/namespace");
        let id = kind.id_for(|part| match part {
            "name" => Some(name.as_str()),
            "namespace" => namespace.as_deref(),
            _ => Some(home.as_str()),
        });
        if let (Ok(id), Json::Object(members)) = (id, object) {
            members.insert("id".to_owned(), json!(id.as_str()));
        }
    }
}

fn folded(object: &Json) -> Option<String> {
    object.get("id").and_then(Json::as_str).map(|id| ArmId::new(id).folded().to_owned())
}

fn open(answer: &Json, found: &mut Vec<Json>) {
    match answer {
        Json::Array(items) => items.iter().for_each(|item| open(item, found)),
        Json::Object(entries) => match entries.get("value") {
            Some(Json::Array(items)) if !entries.contains_key("properties") => {
                for item in items {
                    open(item, found);
                }
            }
            _ if entries.contains_key("apiVersion") && entries.get("items").is_some_and(Json::is_array) => {
                listed(entries, found);
            }
            _ => found.push(answer.clone()),
        },
        _ => {}
    }
}

/// Objects of kinds that stand in the body of what they lie in.
fn inside(object: &Json, catalog: &Catalog) -> Vec<Json> {
    let Some(id) = object.get("id").and_then(Json::as_str) else { return Vec::new() };
    let Some(kind) = kind_of(object, catalog) else { return Vec::new() };
    let mut found = Vec::new();
    for nested in kind.blocks.values() {
        let (Some(first), Some(inner)) = (&nested.first, catalog.get(&nested.kind)) else { continue };
        let items = object.pointer(&first.place).and_then(Json::as_array);
        for item in items.into_iter().flatten() {
            let Some(name) = item.get("name").and_then(Json::as_str) else { continue };
            let part = |part: &str| match part {
                _ if Some(part) == inner.parent.as_deref() => Some(id),
                "name" => Some(name),
                _ => None,
            };
            let Ok(inner_id) = inner.id_for(part) else { continue };
            let mut properties = item.clone();
            if let Json::Object(entries) = &mut properties {
                entries.shift_remove("name");
            }
            found.push(
                json!({"id": inner_id.as_str(), "name": name, "type": inner.resource_type, "properties": properties}),
            );
        }
    }
    let members = object.get("properties").and_then(Json::as_object).into_iter().flatten();
    for item in members.filter_map(|(_, value)| value.as_array()).flatten() {
        let lies_here = item.get("properties").is_some_and(Json::is_object)
            && item.get("id").and_then(Json::as_str).is_some_and(|inner| ArmId::new(inner).is_within(&ArmId::new(id)));
        let of = lies_here.then(|| kind_of(item, catalog)).flatten();
        if of.is_some_and(|inner| parent_kinds(&inner).any(|parent| parent == kind.keyword)) {
            found.push(item.clone());
        }
    }
    found
}

/// The kinds that one lies in.
fn parent_kinds(kind: &Kind) -> impl Iterator<Item = &str> {
    let parent = kind.parent.as_deref().and_then(|name| kind.attributes.get(name));
    let kinds = parent.and_then(|attribute| match &attribute.of {
        akson_catalog::Type::Resource(kinds) => Some(kinds),
        _ => None,
    });
    kinds.into_iter().flatten().map(String::as_str)
}

/// The kind of an object: by the type in its id; of the directory by what only such objects have.
pub fn kind_of(object: &Json, catalog: &Catalog) -> Option<Arc<Kind>> {
    let id = object.get("id").and_then(Json::as_str)?;
    if id.contains("/kubernetes.") {
        let in_clusters = catalog.iter().filter(|kind| kind.plane == Plane::Kubernetes);
        return in_clusters.into_iter().find(|kind| parts_of(&kind.id, id).is_some()).cloned();
    }
    if id.starts_with('/') {
        let of = ids::type_of(&ArmId::new(id))?;
        return catalog
            .iter()
            .find(|kind| kind.plane != Plane::Graph && kind.resource_type.eq_ignore_ascii_case(&of))
            .cloned();
    }
    if object.get("type").is_some() {
        return None;
    }
    let has = |member: &str| object.get(member).is_some_and(|value| !value.is_null());
    let told =
        object.get("@odata.type").and_then(Json::as_str).map(|name| name.trim_start_matches("#microsoft.graph."));
    let of = match told {
        Some("user") => "users",
        Some("group") => "groups",
        Some("application") => "applications",
        Some("servicePrincipal") => "servicePrincipals",
        Some(_) => return None,
        None if has("userPrincipalName") => "users",
        None if has("securityEnabled") || has("mailEnabled") || has("groupTypes") => "groups",
        None if has("servicePrincipalType") || has("servicePrincipalNames") => "servicePrincipals",
        None if has("appId") => "applications",
        None => return None,
    };
    let of = format!("Microsoft.Graph/{of}");
    catalog.iter().find(|kind| kind.plane == Plane::Graph && kind.resource_type == of).cloned()
}

/// Why an object is none to be declared: nobody made it, or somebody else keeps it.
pub(super) fn not_ours(object: &Json) -> Option<&'static str> {
    let property =
        |name: &str| object.pointer(&format!("/properties/{name}")).and_then(Json::as_str).unwrap_or_default();
    let built_in = property("type") == "BuiltInRole" || matches!(property("policyType"), "BuiltIn" | "Static");
    if built_in {
        return Some("it is built in");
    }
    if let Some(why) = kept_in_cluster(object) {
        return Some(why);
    }
    let keeper = object.get("managedBy").and_then(Json::as_str).unwrap_or_default();
    if keeper.starts_with('/') { Some("another resource keeps it") } else { None }
}

/// Why objects of every cluster are not declared.
pub(super) const EVERY_CLUSTER: &str = "every cluster has it";

/// Whether every cluster has a namespace.
pub(super) fn kept_everywhere(name: &str) -> bool {
    crate::workload::namespace::EVERYWHERE.contains(&name)
}

/// Why an object of a cluster is none to be declared: every cluster has it, or another tool keeps it.
fn kept_in_cluster(object: &Json) -> Option<&'static str> {
    /// Namespaces of add-ons.
    const SYSTEM: [&str; 8] = [
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "gatekeeper-system",
        "aks-istio-system",
        "aks-istio-ingress",
        "aks-istio-egress",
        "app-routing-system",
    ];
    let (_, place) = object.get("id").and_then(Json::as_str)?.split_once("/kubernetes.")?;
    let steps: Vec<&str> = place.split('/').collect();
    let has = |place: &str, key: &str| object.pointer(place).and_then(Json::as_object)?.get(key)?.as_str();
    let of_system = match steps.as_slice() {
        ["namespace", name] => kept_everywhere(name) || SYSTEM.contains(name),
        ["namespace", namespace, rest @ ..] => {
            SYSTEM.contains(namespace) || matches!(rest, ["serviceaccount", "default"])
        }
        [_, name] => {
            *name == "cluster-admin"
                || name.starts_with("system:")
                || name.starts_with("aks-")
                || name.starts_with("aks:")
        }
        _ => false,
    };
    let bootstrapped = has("/metadata/labels", "kubernetes.io/bootstrapping").is_some();
    if of_system || bootstrapped {
        return Some(EVERY_CLUSTER);
    }
    let added = ["addonmanager.kubernetes.io/mode", "kubernetes.azure.com/managedby"];
    if added.iter().any(|label| has("/metadata/labels", label).is_some()) {
        return Some("Azure keeps it");
    }
    let helm = has("/metadata/labels", "app.kubernetes.io/managed-by").is_some_and(|tool| tool == "Helm");
    let owned = object.pointer("/metadata/ownerReferences").and_then(Json::as_array).is_some_and(|own| !own.is_empty());
    if helm || owned {
        return Some("another tool keeps it");
    }
    let aggregated = object.pointer("/aggregationRule").is_some_and(Json::is_object);
    aggregated.then_some("the cluster makes its rules of other roles")
}

/// What an object is called and where it lies. None if its kind does not know such a place.
pub(super) fn place(kind: &Arc<Kind>, body: &Json) -> Option<Object> {
    let id = body.get("id").and_then(Json::as_str)?;
    let object = |name: &str, parent: Option<String>, subscription: Option<String>| Object {
        kind: Arc::clone(kind),
        id: id.to_owned(),
        body: body.clone(),
        name: name.to_owned(),
        parent,
        places: Vec::new(),
        subscription,
    };
    if matches!(kind.late, Some(LateId::Told { .. })) {
        let member = ["displayName", "userPrincipalName", "id"].iter().find_map(|name| body.get(*name)?.as_str());
        return Some(object(member?, None, None));
    }
    let template = match &kind.late {
        Some(LateId::Made { path, .. } | LateId::Path(path)) => path,
        _ => &kind.id,
    };
    let parts = parts_of(template, id)?;
    let part = |name: &str| parts.iter().find(|(part, _)| part == name).map(|(_, value)| value.clone());
    let parent = kind.parent.as_deref().and_then(part);
    let name = parts.iter().rev().find(|(part, _)| Some(part.as_str()) != kind.parent.as_deref())?;
    let subscription = ArmId::new(id).subscription().map(str::to_owned);
    let is_place = |part: &&(String, String)| {
        Some(part.0.as_str()) != kind.parent.as_deref()
            && kind.attributes.get(&part.0).is_some_and(|attribute| attribute.role == Role::Parent)
    };
    let places = parts.iter().filter(is_place).cloned().collect();
    Some(Object { places, ..object(&name.1, parent, subscription) })
}

/// Whether a block could have such a name and lie there.
pub(super) fn is_sayable(object: &Object, catalog: &Catalog) -> bool {
    let kind = &object.kind;
    let told = matches!(kind.late, Some(LateId::Told { .. }));
    let named = kind.attributes.values().find(|attribute| attribute.role == Role::Name);
    let ruled =
        named.and_then(|attribute| attribute.rule.as_ref()).is_none_or(|rule| told || rule.allows(&object.name));
    let above = kind.parent.as_deref().and_then(|parent| kind.attributes.get(parent)).zip(object.parent.as_deref());
    let lies = above.is_none_or(|(attribute, parent)| match &attribute.of {
        akson_catalog::Type::Resource(kinds) => catalog.check_reference(kinds, &ArmId::new(parent)).is_ok(),
        _ => true,
    });
    ruled && lies
}

/// What stands in the braces of a template, for an id that it could have made.
fn parts_of(template: &str, id: &str) -> Option<Vec<(String, String)>> {
    let id = ArmId::new(id);
    let mut left: Vec<&str> = id.as_str().split('/').collect();
    let mut wanted: Vec<&str> = template.split('/').collect();
    let mut parts = Vec::new();
    while let Some(step) = wanted.pop() {
        let name = step.strip_prefix('{').and_then(|step| step.strip_suffix('}'));
        match name {
            Some(name) if wanted.is_empty() => {
                let rest = left.join("/");
                // What lies above everything.
                parts.push((name.to_owned(), if rest.is_empty() { "/".to_owned() } else { rest }));
                left.clear();
            }
            Some(name) => parts.push((name.to_owned(), left.pop().filter(|part| !part.is_empty())?.to_owned())),
            None => {
                left.pop().filter(|part| part.eq_ignore_ascii_case(step))?;
            }
        }
    }
    parts.reverse();
    left.is_empty().then_some(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    #[test]
    fn ids_fall_into_parts() {
        let template = "{group}/providers/Microsoft.KeyVault/vaults/{name}";
        let parts =
            parts_of(template, "/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/v").unwrap();
        assert_eq!(
            parts,
            [("group".to_owned(), "/subscriptions/s/resourcegroups/g".to_owned()), ("name".to_owned(), "v".to_owned())]
        );
        assert_eq!(parts_of(template, "/subscriptions/s/resourcegroups/g"), None);
        let parts =
            parts_of("/subscriptions/{subscription}/resourceGroups/{name}", "/subscriptions/s/resourcegroups/g")
                .unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts_of("/subscriptions/{subscription}/x/{name}", "/providers/M/groups/g/x/n"), None);
    }

    #[test]
    fn lists_are_opened_and_what_is_inside_taken_out() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n";
        let answer = json!({"value": [{"id": id, "properties": {"subnets": [
            {"id": format!("{id}/subnets/a"), "name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}
        ]}}]});
        let found = spread(&[answer], Catalog::builtin().unwrap());
        assert_eq!(found.len(), 2);
        assert_eq!(kind_of(&found[1], Catalog::builtin().unwrap()).unwrap().keyword, "subnet");
    }
}
