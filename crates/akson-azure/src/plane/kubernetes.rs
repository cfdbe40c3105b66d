//! Objects of a cluster at its API server: applied on the server's side under a name of ours, so that each field has one owner and a
//! retry is the same request. What somebody else owns is never taken from them. Not how the server is found: see `reach`.

use serde_json::{Map, Value, json};

use crate::{Audience, Operation, TrustCa};

/// Under which name fields are ours.
pub const MANAGER: &str = "akson";

/// The api-version of calls on a cluster itself: that of its kind.
pub const CLUSTER_VERSION: &str = "2026-05-01";

/// What ids of objects have after their cluster's.
const IN_CLUSTER: &str = "/kubernetes.";

/// How many objects come in one page of a list.
const PAGE: &str = "500";

/// The API server of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiServer {
    /// Its host.
    pub host: String,
    /// Who vouches for it; without it the authorities that the machine trusts.
    pub authority: Option<TrustCa>,
}

/// An object by the id that it has in a stack: `{cluster}/kubernetes.namespace/app/serviceaccount/web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectAt<'i> {
    /// The cluster's id.
    pub cluster: &'i str,
    /// In which namespace; none for what lies in none.
    pub namespace: Option<&'i str>,
    /// Its name.
    pub name: &'i str,
}

impl<'i> ObjectAt<'i> {
    /// None for the id of something else.
    pub fn of(id: &'i str) -> Option<Self> {
        let (cluster, place) = id.split_once(IN_CLUSTER)?;
        let segments: Vec<&str> = place.split('/').collect();
        let (namespace, name) = match segments.as_slice() {
            [_, name] => (None, *name),
            [namespaces, namespace, _, name] if *namespaces == "namespace" => (Some(*namespace), *name),
            _ => return None,
        };
        let sound = !cluster.is_empty() && segments.iter().all(|segment| !segment.is_empty());
        sound.then_some(Self { cluster, namespace, name })
    }

    /// Its path, by the path of the list of all of its kind: `/api/v1/serviceaccounts`.
    pub fn path(&self, list: &str) -> Option<String> {
        let (group, plural) = list.rsplit_once('/')?;
        Some(match self.namespace {
            Some(namespace) => format!("{group}/namespaces/{namespace}/{plural}/{}", self.name),
            None => format!("{list}/{}", self.name),
        })
    }
}

/// The id that an object of a list has in a stack. `of` is its type: `v1/ServiceAccount`. None if it has no name.
pub fn id_of(cluster: &str, of: &str, object: &Value) -> Option<String> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("/metadata/name")?;
    let word = of.rsplit('/').next()?.to_ascii_lowercase();
    Some(match text("/metadata/namespace") {
        Some(namespace) => format!("{cluster}{IN_CLUSTER}namespace/{namespace}/{word}/{name}"),
        None => format!("{cluster}{IN_CLUSTER}{word}/{name}"),
    })
}

impl ApiServer {
    fn at(&self, operation: Operation) -> Operation {
        let operation = operation.at_host(Audience::Cluster, &self.host);
        match &self.authority {
            Some(authority) => operation.trusting(authority.clone()),
            None => operation,
        }
    }

    /// Reads an object by its path.
    pub fn read(&self, path: &str) -> Operation {
        self.at(Operation::read(path))
    }

    /// Reads a page of a list: the first, or the one that a token of the page before leads to.
    pub fn list(&self, path: &str, next: Option<&str>) -> Operation {
        let list = Operation::read(path).asking(&format!("limit={PAGE}"));
        self.at(match next {
            Some(token) => list.asking(&format!("continue={}", escaped(token))),
            None => list,
        })
    }

    /// Makes an object as it is described: what was ours of it and is not described any more goes.
    pub fn apply(&self, path: &str, object: Value) -> Operation {
        let apply = Operation::change(path, object)
            .as_type("application/apply-patch+yaml")
            .asking(&format!("fieldManager={MANAGER}"))
            .asking("fieldValidation=Strict");
        self.at(apply)
    }

    /// Deletes an object, if it still is this one as it was seen.
    pub fn delete(&self, path: &str, seen: &Value) -> Operation {
        let mut preconditions = Map::new();
        for key in ["uid", "resourceVersion"] {
            if let Some(value) = seen.pointer(&format!("/metadata/{key}")).filter(|value| value.is_string()) {
                preconditions.insert(key.to_owned(), value.clone());
            }
        }
        let options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions });
        self.at(Operation::remove(path).saying(options))
    }
}

/// The description of an object that is applied: what is wanted of it, and what it is. `of` is its type.
pub fn described(of: &str, at: &ObjectAt<'_>, mut body: Value) -> Value {
    let (version, kind) = of.rsplit_once('/').unwrap_or(("v1", of));
    let Some(members) = body.as_object_mut() else { return body };
    members.remove("id");
    members.insert("apiVersion".to_owned(), version.into());
    members.insert("kind".to_owned(), kind.into());
    let metadata = members.entry("metadata").or_insert_with(|| json!({}));
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert("name".to_owned(), at.name.into());
        if let Some(namespace) = at.namespace {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
    }
    body
}

/// Whether an object is on its way out.
pub fn is_leaving(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(Value::is_string)
}

/// The items of a page of a list, and the token of the next. None if it is no list.
pub fn page(body: &Value) -> Option<(&[Value], Option<&str>)> {
    let items = match body.get("items")? {
        Value::Array(items) => items.as_slice(),
        // What has no items says so.
        Value::Null => &[],
        _ => return None,
    };
    let next = body.pointer("/metadata/continue").and_then(Value::as_str).filter(|token| !token.is_empty());
    Some((items, next))
}

/// A token as it stands in a query.
fn escaped(token: &str) -> String {
    use std::fmt::Write as _;
    token.bytes().fold(String::with_capacity(token.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;
    use crate::{Cloud, RequestIds};

    const CLUSTER: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";

    fn server() -> ApiServer {
        ApiServer { host: "c-1.hcp.westeurope.azmk8s.io".to_owned(), authority: Some(TrustCa::new("PEM")) }
    }

    #[track_caller]
    fn check(operation: &Operation, line: &str) {
        let request = operation.request(&Cloud::PUBLIC, &RequestIds::default()).unwrap();
        assert_eq!(format!("{} {}", request.method(), request.uri()), line);
        assert_eq!(request.extensions().get::<TrustCa>(), Some(&TrustCa::new("PEM")));
    }

    #[test]
    fn places_of_objects() {
        let id = format!("{CLUSTER}/kubernetes.namespace/app/serviceaccount/web");
        let at = ObjectAt::of(&id).unwrap();
        assert_eq!((at.cluster, at.namespace, at.name), (CLUSTER, Some("app"), "web"));
        assert_eq!(at.path("/api/v1/serviceaccounts").unwrap(), "/api/v1/namespaces/app/serviceaccounts/web");
        let id = format!("{CLUSTER}/kubernetes.namespace/app");
        let at = ObjectAt::of(&id).unwrap();
        assert_eq!((at.namespace, at.path("/api/v1/namespaces").unwrap().as_str()), (None, "/api/v1/namespaces/app"));
        for none in [CLUSTER, "/c/kubernetes.namespace", "/c/kubernetes.namespace//", "/kubernetes.namespace/a"] {
            assert_eq!(ObjectAt::of(none), None, "{none}");
        }
        let object = json!({"metadata": {"name": "web", "namespace": "app"}});
        assert_eq!(
            id_of(CLUSTER, "v1/ServiceAccount", &object).unwrap(),
            format!("{CLUSTER}/kubernetes.namespace/app/serviceaccount/web")
        );
        let role = json!({"metadata": {"name": "system:x"}});
        assert_eq!(
            id_of("/c", "rbac.authorization.k8s.io/v1/ClusterRole", &role).unwrap(),
            "/c/kubernetes.clusterrole/system:x"
        );
    }

    #[test]
    fn requests_go_to_the_cluster_and_name_its_authority() {
        let host = "https://c-1.hcp.westeurope.azmk8s.io";
        check(&server().read("/api/v1/namespaces/app"), &format!("GET {host}/api/v1/namespaces/app"));
        check(
            &server().list("/api/v1/serviceaccounts", Some("a+/=")),
            &format!("GET {host}/api/v1/serviceaccounts?limit=500&continue=a%2B%2F%3D"),
        );
        let apply = server().apply("/api/v1/namespaces/app", json!({}));
        check(&apply, &format!("PATCH {host}/api/v1/namespaces/app?fieldManager=akson&fieldValidation=Strict"));
        let request = apply.request(&Cloud::PUBLIC, &RequestIds::default()).unwrap();
        assert_eq!(request.headers()["content-type"], "application/apply-patch+yaml");
        let seen = json!({"metadata": {"uid": "u", "resourceVersion": "7"}});
        let delete = server().delete("/api/v1/namespaces/app", &seen);
        check(&delete, &format!("DELETE {host}/api/v1/namespaces/app"));
        assert_eq!(delete.body().unwrap()["preconditions"], json!({"uid": "u", "resourceVersion": "7"}));
    }

    #[test]
    fn what_is_applied_says_what_it_is() {
        let id = format!("{CLUSTER}/kubernetes.namespace/app/secretproviderclass/kv");
        let body = json!({"id": id, "metadata": {"labels": {"a": "b"}}, "spec": {}});
        let described =
            described("secrets-store.csi.x-k8s.io/v1/SecretProviderClass", &ObjectAt::of(&id).unwrap(), body);
        assert_eq!(
            described,
            json!({"apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClass", "spec": {},
                "metadata": {"labels": {"a": "b"}, "name": "kv", "namespace": "app"}})
        );
    }

    #[test]
    fn pages() {
        let last = json!({"items": [1], "metadata": {"continue": ""}});
        assert_eq!(page(&last).unwrap(), (&[json!(1)][..], None));
        let more = json!({"items": null, "metadata": {"continue": "x"}});
        assert_eq!(page(&more).unwrap(), (&[][..], Some("x")));
        assert_eq!(page(&json!({"value": []})), None);
    }
}
