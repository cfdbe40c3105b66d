//! Where the objects of clusters are kept: keys, resource versions, what a new cluster has, and what
//! goes with the time: terminated namespaces, clusters that are gone, kinds whose add-on was switched
//! off.

use std::time::Duration;

use serde_json::{Value, json};

use super::fields::Body;
use super::kinds::{self, KINDS, Kind, STORE};
use crate::clock::WorldTime;
use crate::world::principals::guid_of;
use crate::world::{KubeCluster, KubeObject, World};

/// How long it takes until a namespace and everything in it is gone.
const TERMINATION: (u64, u64) = (6, 18);

/// What stands for the namespace of objects that have none. No namespace is called so.
const NOWHERE: &str = "-";

/// What all keys of a cluster's objects begin with. No id has two slashes.
fn prefix(cluster: &str) -> String {
    format!("{cluster}//")
}

/// What all keys of objects of a kind begin with, in a namespace or in all.
pub(super) fn prefix_of(cluster: &str, kind: &Kind, namespace: Option<&str>) -> String {
    let all = format!("{cluster}//{}.{}/", kind.plural, kind.group);
    match namespace {
        Some(namespace) => format!("{all}{namespace}/"),
        None => all,
    }
}

pub(super) fn key(cluster: &str, kind: &Kind, namespace: Option<&str>, name: &str) -> String {
    format!("{}{name}", prefix_of(cluster, kind, Some(namespace.filter(|_| kind.namespaced).unwrap_or(NOWHERE))))
}

/// A kind by its plural name.
pub(super) fn kind(plural: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.plural == plural)
}

/// The next resource version of a cluster.
pub(super) fn next_version(world: &mut World, cluster: &str) -> String {
    let version = world.kube_clusters.edit(cluster, |row| {
        row.version += 1;
        row.version
    });
    version.unwrap_or(1).to_string()
}

/// Applies everything whose time has come.
pub(crate) fn settle(world: &mut World, now: WorldTime) {
    let index = world.arm_index();
    if index.clusters.is_empty() && world.kube_clusters.len() == 0 {
        return;
    }
    let known: Vec<(String, WorldTime)> =
        world.kube_clusters.iter().map(|(key, row)| (key.to_owned(), row.created)).collect();
    for (cluster, created) in known {
        let object = world.objects.get(&cluster);
        let same = object.is_some_and(|object| object.created == created && index.clusters.contains(&cluster));
        let store = object.is_some_and(kinds::has_secret_store);
        if !same {
            remove_all(world, &prefix(&cluster));
            world.kube_clusters.remove(&cluster);
        } else if !store {
            for kind in KINDS.iter().filter(|kind| kind.group == STORE) {
                remove_all(world, &prefix_of(&cluster, kind, None));
            }
        }
    }
    let new: Vec<String> =
        index.clusters.iter().filter(|cluster| !world.kube_clusters.contains(cluster)).cloned().collect();
    for cluster in new {
        furnish(world, &cluster);
    }
    terminate(world, now);
}

fn remove_all(world: &mut World, prefix: &str) {
    let keys: Vec<String> = world.kube_objects.starting_with(prefix, "").map(|(key, _)| key.to_owned()).collect();
    if let Some((cluster, _)) = prefix.split_once("//").filter(|_| !keys.is_empty()) {
        next_version(world, cluster);
    }
    for key in keys {
        world.kube_objects.remove(&key);
    }
}

/// Begins the end of a namespace.
pub(super) fn begin_termination(world: &mut World, key: &str, now: WorldTime) {
    let ends = now.plus(Duration::from_secs(world.dice.between(TERMINATION.0, TERMINATION.1)));
    let version = key.split_once("//").map(|(cluster, _)| next_version(world, cluster));
    world.kube_objects.edit(key, |row| {
        row.ends = Some(ends);
        row.body.insert("status".to_owned(), json!({ "phase": "Terminating" }));
        if let Some(Value::Object(metadata)) = row.body.get_mut("metadata") {
            metadata.insert("resourceVersion".to_owned(), version.unwrap_or_default().into());
            metadata.insert("deletionTimestamp".to_owned(), now.to_seconds().into());
        }
    });
}

/// Namespaces whose time has come go, and everything in them.
fn terminate(world: &mut World, now: WorldTime) {
    let Some(spaces) = kind("namespaces") else { return };
    let prefixes: Vec<String> =
        world.kube_clusters.iter().map(|(cluster, _)| prefix_of(cluster, spaces, None)).collect();
    let ended: Vec<String> = prefixes
        .iter()
        .flat_map(|prefix| world.kube_objects.starting_with(prefix, ""))
        .filter(|(_, row)| row.ends.is_some_and(|ends| ends <= now))
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in ended {
        let Some((cluster, rest)) = key.split_once("//") else { continue };
        let name = rest.rsplit('/').next().unwrap_or_default();
        for kind in KINDS.iter().filter(|kind| kind.namespaced) {
            remove_all(world, &prefix_of(cluster, kind, Some(name)));
        }
        next_version(world, cluster);
        world.kube_objects.remove(&key);
    }
}

/// What every cluster has from its first moment.
fn furnish(world: &mut World, cluster: &str) {
    let Some(created) = world.objects.get(cluster).map(|object| object.created) else { return };
    world.kube_clusters.insert(cluster.to_owned(), KubeCluster { created, version: 1 });
    for namespace in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        let body = json!({
            "metadata": { "name": namespace, "labels": { "kubernetes.io/metadata.name": namespace } },
            "spec": { "finalizers": ["kubernetes"] },
            "status": { "phase": "Active" },
        });
        put(world, cluster, "namespaces", None, body, created);
        furnish_namespace(world, cluster, namespace, created);
    }
    let everything = json!([
        { "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] },
        { "nonResourceURLs": ["*"], "verbs": ["*"] },
    ]);
    let writes = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    let reads = ["get", "list", "watch"];
    let plain = ["configmaps", "pods", "serviceaccounts", "services"];
    let rules = |verbs: &[&str], secrets: bool| {
        let mut core: Vec<&str> = plain.to_vec();
        if secrets {
            core.push("secrets");
        }
        vec![
            json!({ "apiGroups": [""], "resources": core, "verbs": verbs }),
            json!({ "apiGroups": ["apps"], "resources": ["daemonsets", "deployments", "statefulsets"], "verbs": verbs }),
            json!({ "apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": verbs }),
            json!({ "apiGroups": [""], "resources": ["limitranges", "namespaces", "resourcequotas"], "verbs": reads }),
        ]
    };
    let mut admin = rules(&writes, true);
    admin.push(json!({
        "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings", "roles"], "verbs": writes,
    }));
    for (name, rules) in [
        ("cluster-admin", everything),
        ("admin", Value::from(admin)),
        ("edit", Value::from(rules(&writes, true))),
        ("view", Value::from(rules(&reads, false))),
    ] {
        let labels = json!({ "kubernetes.io/bootstrapping": "rbac-defaults" });
        let body = json!({ "metadata": { "name": name, "labels": labels }, "rules": rules });
        put(world, cluster, "clusterroles", None, body, created);
    }
    for (name, group) in [("cluster-admin", "system:masters"), ("aks-cluster-admin-binding", "clusterAdmin")] {
        let body = json!({
            "metadata": { "name": name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group }],
        });
        put(world, cluster, "clusterrolebindings", None, body, created);
    }
}

/// What controllers make in every namespace.
pub(super) fn furnish_namespace(world: &mut World, cluster: &str, namespace: &str, now: WorldTime) {
    put(world, cluster, "serviceaccounts", Some(namespace), json!({ "metadata": { "name": "default" } }), now);
    let certificate = json!({
        "metadata": {
            "name": "kube-root-ca.crt",
            "annotations": { "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver." },
        },
        "data": { "ca.crt": format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", guid_of(&[cluster, "ca"])) },
    });
    put(world, cluster, "configmaps", Some(namespace), certificate, now);
}

/// Puts an object of the cluster itself, or from outside, with an id that depends on nothing but its place and time,
/// so that a look at a cluster changes no other ids.
pub(super) fn put(
    world: &mut World,
    cluster: &str,
    plural: &str,
    namespace: Option<&str>,
    body: Value,
    now: WorldTime,
) {
    let (Some(kind), Value::Object(body)) = (kind(plural), body) else { return };
    let mut whole = Body::new();
    whole.insert("apiVersion".to_owned(), kind.api_version().into());
    whole.insert("kind".to_owned(), kind.word.into());
    whole.extend(body.into_iter().filter(|(name, _)| name != "apiVersion" && name != "kind"));
    let version = next_version(world, cluster);
    let name = whole.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Value::as_str);
    let key = key(cluster, kind, namespace, name.unwrap_or_default());
    let uid = guid_of(&[&world.key, &key, &now.to_string()]);
    if let Some(Value::Object(metadata)) = whole.get_mut("metadata") {
        if let Some(namespace) = namespace {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
        metadata.insert("uid".to_owned(), uid.into());
        metadata.insert("resourceVersion".to_owned(), version.into());
        metadata.insert("creationTimestamp".to_owned(), now.to_seconds().into());
    }
    world.kube_objects.insert(key, KubeObject { body: whole, ends: None });
}

/// The definition of a custom kind, which stands nowhere but comes with the add-on.
pub(super) fn definition(world: &World, cluster: &str, kind: &Kind) -> Body {
    let created = world.objects.get(cluster).map_or(WorldTime(0), |object| object.created);
    let name = format!("{}.{}", kind.plural, kind.group);
    let body = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": name,
            "uid": guid_of(&[&world.key, cluster, &name]),
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": created.to_seconds(),
        },
        "spec": {
            "group": kind.group,
            "names": { "kind": kind.word, "listKind": format!("{}List", kind.word), "plural": kind.plural, "singular": kind.singular },
            "scope": "Namespaced",
            "versions": [{ "name": kind.version, "served": true, "storage": true }],
        },
        "status": { "conditions": [{ "type": "Established", "status": "True", "reason": "InitialNamesAccepted" }] },
    });
    if let Value::Object(body) = body { body } else { Body::new() }
}
