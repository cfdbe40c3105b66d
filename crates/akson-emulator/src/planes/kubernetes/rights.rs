//! Who may do what in a cluster: members of its admin groups everything; else one of Azure's roles or of
//! the cluster's own must say so. That a writer of roles may give no more than it has is not checked.

use serde_json::Value;

use super::fields::Body;
use super::kinds::Kind;
use super::{reviews, store};
use crate::access::{self, Right};
use crate::clock::WorldTime;
use crate::world::principals::PrincipalKind;
use crate::world::{Object, World};

/// Somebody who is signed in to a cluster.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) object_id: String,
    /// The principal name of a person, else the object id.
    pub(super) name: String,
    pub(super) groups: Vec<String>,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    /// A verb of Kubernetes.
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    pub(super) plural: &'a str,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: &'a str,
}

impl User {
    pub(super) fn new(world: &World, object_id: String) -> Self {
        let person = world.principal(&object_id).filter(|found| found.kind == PrincipalKind::User);
        let name = person.map_or_else(|| object_id.clone(), |found| found.name);
        let mut groups = world.groups_of(&object_id);
        groups.push("system:authenticated".to_owned());
        Self { object_id, name, groups }
    }
}

impl User {
    /// A local account, which is of the group that every cluster is ruled by.
    pub(super) fn local(account: &str) -> Self {
        let groups = ["system:masters", "system:authenticated"].map(str::to_owned).to_vec();
        Self { object_id: String::new(), name: account.to_owned(), groups }
    }
}

impl<'a> Attempt<'a> {
    pub(super) fn new(verb: &'a str, kind: &'a Kind, namespace: Option<&'a str>, name: &'a str) -> Self {
        // A namespace is in itself.
        let namespace = if kind.plural == "namespaces" && !name.is_empty() { Some(name) } else { namespace };
        Self { verb, group: kind.group, plural: kind.plural, namespace, name }
    }

    /// Azure's name for it, as in the roles of AKS.
    fn data_action(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!("{}/", self.group) };
        let verb = match self.verb {
            "get" | "list" | "watch" => "read".to_owned(),
            "create" | "update" | "patch" => "write".to_owned(),
            "delete" | "deletecollection" => "delete".to_owned(),
            other => format!("{other}/action"),
        };
        format!("Microsoft.ContainerService/managedClusters/{group}{}/{verb}", self.plural)
    }
}

/// Whether somebody may do something; else what the authorizers say to that.
pub(super) fn check(
    world: &World,
    cluster: &str,
    user: &User,
    attempt: Attempt<'_>,
    now: WorldTime,
) -> Result<(), &'static str> {
    let object = world.objects.get(cluster);
    let profile = object.and_then(|object| object.properties()).and_then(|properties| properties.get("aadProfile"));
    let profile = |name: &str| profile.and_then(|profile| profile.get(name));
    // Whoever reviews their own rights may do that.
    if reviews::is_named(attempt.plural) || is_admin(object, user) {
        return Ok(());
    }
    let azure = profile("enableAzureRBAC").and_then(Value::as_bool) == Some(true);
    if azure {
        let id = object.map_or(cluster, |object| object.id());
        let scope = match attempt.namespace {
            Some(namespace) => format!("{id}/namespaces/{namespace}"),
            None => id.to_owned(),
        };
        if access::allows(world, &user.object_id, Right::Data(&attempt.data_action()), &scope, now) {
            return Ok(());
        }
    }
    if is_bound(world, cluster, user, attempt) {
        return Ok(());
    }
    Err(if azure {
        "User does not have access to the resource in Azure. Update role assignment to allow access."
    } else {
        ""
    })
}

/// Whether somebody is in one of the groups that rule a cluster.
fn is_admin(cluster: Option<&Object>, user: &User) -> bool {
    let profile = cluster.and_then(Object::properties).and_then(|properties| properties.get("aadProfile"));
    let admins = profile.and_then(|profile| profile.get("adminGroupObjectIDs")).and_then(Value::as_array);
    let mut admins = admins.into_iter().flatten().filter_map(Value::as_str);
    admins.any(|admin| user.groups.iter().any(|group| group.eq_ignore_ascii_case(admin)))
}

/// Whether somebody may do something to a path that is no object's.
pub(super) fn check_path(
    world: &World,
    cluster: &str,
    user: &User,
    verb: &str,
    path: &str,
    now: WorldTime,
) -> Result<(), &'static str> {
    let object = world.objects.get(cluster);
    let attempt = Attempt { verb, group: "", plural: path.trim_matches('/'), namespace: None, name: "" };
    let fits = |rule: &Value| {
        let list =
            |name: &str| rule.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let known = |url: &str| match url.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == url,
        };
        list("nonResourceURLs").any(known) && list("verbs").any(|known| known == "*" || known == verb)
    };
    let bound = || roles_of(world, cluster, user, None).any(|role| rules_in(role).any(fits));
    let action = attempt.data_action();
    let azure = object.and_then(Object::properties).and_then(|properties| properties.get("aadProfile"));
    let azure = azure.and_then(|profile| profile.get("enableAzureRBAC")) == Some(&Value::Bool(true));
    let by_azure = || {
        let id = object.map_or(cluster, |object| object.id());
        azure && access::allows(world, &user.object_id, Right::Data(&action), id, now)
    };
    if is_admin(object, user) || bound() || by_azure() { Ok(()) } else { Err("") }
}

/// The rules that the roles of a cluster give somebody, in the cluster as a whole and in a namespace.
pub(super) fn rules_of(world: &World, cluster: &str, user: &User, namespace: &str) -> Vec<Value> {
    let everywhere = roles_of(world, cluster, user, None);
    everywhere.chain(roles_of(world, cluster, user, Some(namespace))).flat_map(rules_in).cloned().collect()
}

/// Whether a binding in the cluster gives the right.
fn is_bound(world: &World, cluster: &str, user: &User, attempt: Attempt<'_>) -> bool {
    let gives = |role: &Body| gives(role, attempt);
    roles_of(world, cluster, user, None).any(gives)
        || attempt.namespace.is_some_and(|namespace| roles_of(world, cluster, user, Some(namespace)).any(gives))
}

/// The roles that somebody is bound to, in the cluster as a whole or in a namespace.
fn roles_of<'w>(
    world: &'w World,
    cluster: &'w str,
    user: &'w User,
    namespace: Option<&'w str>,
) -> impl Iterator<Item = &'w Body> {
    let plural = if namespace.is_some() { "rolebindings" } else { "clusterrolebindings" };
    let prefix = store::kind(plural).map(|kind| store::prefix_of(cluster, kind, namespace));
    let bindings = prefix.into_iter().flat_map(|prefix| world.kube_objects.starting_with(&prefix, ""));
    let own = bindings.filter(move |(_, row)| is_subject(&row.body, user));
    own.filter_map(move |(_, row)| role_of(world, cluster, &row.body, namespace))
}

fn rules_in(role: &Body) -> impl Iterator<Item = &Value> {
    role.get("rules").and_then(Value::as_array).into_iter().flatten()
}

fn is_subject(binding: &Body, user: &User) -> bool {
    let subjects = binding.get("subjects").and_then(Value::as_array);
    subjects.into_iter().flatten().any(|subject| {
        let text = |name: &str| subject.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("kind") {
            "User" => text("name") == user.name,
            "Group" => user.groups.iter().any(|group| group == text("name")),
            _ => false,
        }
    })
}

fn role_of<'a>(world: &'a World, cluster: &str, binding: &Body, namespace: Option<&str>) -> Option<&'a Body> {
    let role = binding.get("roleRef")?;
    let name = role.get("name")?.as_str()?;
    let (plural, namespace) = match role.get("kind")?.as_str()? {
        "ClusterRole" => ("clusterroles", None),
        _ => ("roles", namespace),
    };
    let key = store::key(cluster, store::kind(plural)?, namespace, name);
    world.kube_objects.get(&key).map(|row| &row.body)
}

fn gives(role: &Body, attempt: Attempt<'_>) -> bool {
    rules_in(role).any(|rule| {
        let list =
            |name: &str| rule.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let has = |name: &str, wanted: &str| list(name).any(|value| value == "*" || value == wanted);
        let mut names = list("resourceNames").peekable();
        has("verbs", attempt.verb)
            && has("apiGroups", attempt.group)
            && has("resources", attempt.plural)
            && (names.peek().is_none() || (!attempt.name.is_empty() && names.any(|name| name == attempt.name)))
    })
}
