//! Which objects are one `workload`: an identity, the credential that trusts a service account, that account, what is granted on the vaults
//! of what it mounts, and the classes that mount it, if they are just what the block would expand to. What differs in a name or says more
//! has a block of its own in it; what differs otherwise stays outside. Not its syntax: `write/workload.rs`.

use std::{collections::BTreeSet, sync::Arc};

use akson_catalog::{
    ArmId, Kind, Value,
    equality::{Equality, equal},
    json::lookup,
    roles,
};
use indexmap::{IndexMap, IndexSet};
use serde_json::{Value as Json, json};

use super::{
    objects::{Object, kept_everywhere},
    read::Written,
    stack::{Stack, Thing},
};

/// The role that a workload grants.
const ROLE: &str = "Key Vault Secrets User";
/// What a class says for every workload, below its parameters.
const PARAMETERS: [&str; 5] = ["usePodIdentity", "clientID", "keyvaultName", "tenantId", "objects"];

/// Objects that are one block. Numbers are places among the things.
#[derive(Debug)]
pub(super) struct Workload {
    pub account: usize,
    pub cluster: usize,
    /// The namespace as a thing; none for one that every cluster has.
    pub namespace: Option<usize>,
    pub identity: usize,
    /// The identity is a part of it, and not only used.
    pub own_identity: bool,
    pub credential: usize,
    pub grants: Vec<usize>,
    pub access: Access,
    pub mounts: Vec<Mount>,
}

/// What is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    None,
    Vaults,
    Secrets,
}

/// A class.
#[derive(Debug)]
pub(super) struct Mount {
    pub class: usize,
    pub vault: usize,
    pub secrets: Vec<usize>,
    /// Secrets of the cluster, with what stands under which key.
    pub sync: Vec<(String, Vec<(String, usize)>)>,
    /// What else its parameters say.
    pub parameters: IndexMap<String, Value>,
}

impl Workload {
    /// What of it is a part, with its name and key below the block.
    pub(super) fn parts(&self, stack: &Stack<'_>) -> Vec<(usize, &'static str, Option<String>)> {
        let name = |at: usize| stack.things.get(at).map(|thing: &Thing| thing.object.name.clone()).unwrap_or_default();
        let mut parts = vec![(self.account, "service_account", None), (self.credential, "federated_credential", None)];
        if self.own_identity {
            parts.push((self.identity, "identity", None));
        }
        for mount in &self.mounts {
            let key = (self.mounts.len() > 1).then(|| name(mount.class));
            parts.push((mount.class, "secret_provider_class", key));
        }
        for grant in &self.grants {
            let on = stack.things.get(*grant).and_then(|grant| grant.parent);
            let above = on.and_then(|on| stack.things.get(on)?.parent);
            let key = match (self.access, on, above) {
                (Access::Secrets, Some(on), Some(above)) => format!("{}/{}", name(above).to_lowercase(), name(on)),
                (_, Some(on), _) => name(on).to_lowercase(),
                _ => continue,
            };
            parts.push((*grant, "grant", Some(key)));
        }
        parts
    }
}

impl Stack<'_> {
    /// Finds them, in the order of the accounts.
    pub(super) fn find_workloads(&mut self) {
        for account in 0..self.things.len() {
            let Some(mut found) = self.workload(account) else { continue };
            found.namespace = self.namespace_of(account);
            let at = self.workloads.len();
            for (part, ..) in found.parts(self) {
                if let Some(thing) = self.things.get_mut(part) {
                    thing.workload = Some(at);
                }
            }
            self.workloads.push(found);
        }
    }

    fn free(&self, at: usize, kind: &str) -> Option<&Thing> {
        let thing = self.things.get(at)?;
        (thing.object.kind.keyword == kind && !thing.existing && thing.workload.is_none() && thing.within.is_none())
            .then_some(thing)
    }

    fn all<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = (usize, &'s Thing)> {
        (0..self.things.len()).filter_map(move |at| Some((at, self.free(at, kind)?)))
    }

    fn workload(&self, at: usize) -> Option<Workload> {
        let account = self.free(at, "service_account")?;
        let client = text(&account.written, "identity")?;
        let namespace = space(&account.object)?;
        let cluster = account.parent?;
        let home = self.things.get(cluster).filter(|home| home.object.kind.keyword == "cluster")?;
        let issuer = told(home, "oidc_issuer_url")?;
        let identity = self.telling(&["identity".to_owned()], "client_id", client)?;
        let used = self.things.get(identity)?;
        // The annotation is compared letter by letter with what Azure says.
        told(used, "client_id").filter(|own| *own == client)?;
        let subject = format!("system:serviceaccount:{namespace}:{}", account.object.name);
        let trusts = |thing: &Thing| {
            let issued = text(&thing.written, "issuer").is_some_and(|own| slashed(own) == slashed(issuer));
            thing.parent == Some(identity) && issued && text(&thing.written, "subject") == Some(subject.as_str())
        };
        let mut credentials = self.all("federated_credential").filter(|(_, thing)| trusts(thing));
        let (credential, None) = (credentials.next()?.0, credentials.next()) else { return None };
        drop(credentials);
        let same = |thing: &Thing| text(&thing.written, "identity").is_some_and(|own| own.eq_ignore_ascii_case(client));
        let alone = self.things.iter().filter(|thing| thing.object.kind.keyword == "service_account" && same(thing));
        let alone = alone.count() == 1;
        let own = alone && self.free(identity, "identity").is_some() && !self.is_used_below(cluster, used);
        let mut mounts: Vec<Mount> = if alone && mounts_secrets(home) {
            let here = |thing: &Thing| thing.parent == Some(cluster) && space(&thing.object) == Some(namespace);
            self.all("secret_provider_class")
                .filter(|(_, thing)| here(thing))
                .filter_map(|(at, thing)| self.mount(at, thing, used))
                .collect()
        } else {
            Vec::new()
        };
        let vaults: Vec<&Thing> = mounts.iter().filter_map(|mount| self.things.get(mount.vault)).collect();
        let own = own && !vaults.iter().any(|vault| names(&vault.object.body, used));
        let (access, grants) = if own { self.granted(&mounts, used) } else { (Access::None, Vec::new()) };
        mounts.sort_by_key(|mount| mount.class);
        Some(Workload {
            account: at,
            cluster,
            namespace: None,
            identity,
            own_identity: own,
            credential,
            grants,
            access,
            mounts,
        })
    }

    /// The namespace that an account lies in; one that is not among the objects is declared as existing.
    fn namespace_of(&mut self, account: usize) -> Option<usize> {
        let thing = self.things.get(account)?;
        let (parent, name) = (thing.parent, space(&thing.object)?.to_owned());
        if kept_everywhere(&name) {
            return None;
        }
        let is = |other: &Thing| {
            other.object.kind.keyword == "namespace" && other.parent == parent && other.object.name == name
        };
        if let Some(at) = self.things.iter().position(is) {
            return Some(at);
        }
        let kind: Arc<Kind> = self.catalog.get("namespace").cloned()?;
        let home = thing.object.parent.clone()?;
        let id = kind.id_for(|part| if part == "name" { Some(name.as_str()) } else { Some(home.as_str()) }).ok()?;
        let object = Object {
            kind,
            id: id.as_str().to_owned(),
            body: json!({ "id": id.as_str() }),
            name,
            parent: Some(home),
            places: Vec::new(),
            subscription: thing.object.subscription.clone(),
        };
        let at = self.add(object, None, true);
        if let Some(thing) = self.things.get_mut(at) {
            thing.parent = parent;
        }
        Some(at)
    }

    /// Whether a cluster, or what its block holds, names an identity: then the identity is there before the cluster is.
    fn is_used_below(&self, cluster: usize, identity: &Thing) -> bool {
        self.things.iter().enumerate().any(|(at, thing)| {
            let here = at == cluster || thing.within.as_ref().is_some_and(|(parent, _)| *parent == cluster);
            here && names(&thing.object.body, identity)
        })
    }

    /// A class as a mount: none if the block would make another one.
    fn mount(&self, at: usize, class: &Thing, identity: &Thing) -> Option<Mount> {
        let plain = |written: &Written| {
            ["vault", "client_id", "tenant_id", "objects", "parameters", "secret_objects"].contains(&written.name())
        };
        let parameters = lookup(&class.object.body, "/spec/parameters")?.as_object()?;
        let says = |key: &str| parameters.get(key).and_then(Json::as_str);
        let vault = says("keyvaultName")?;
        let vault =
            self.things.iter().position(|thing| thing.object.kind.keyword == "vault" && thing.object.name == vault)?;
        let right = says("usePodIdentity") == Some("false")
            && says("clientID") == told(identity, "client_id")
            && says("tenantId") == told(identity, "tenant_id")
            && class.written.iter().all(plain);
        if !right {
            return None;
        }
        let listed = class.written.iter().find(|written| written.name() == "objects")?;
        let names: Vec<&str> =
            items(listed)?.iter().map(|item| only(item, &["name"])?.first().copied()).collect::<Option<_>>()?;
        let array: Vec<Json> = names
            .iter()
            .map(|name| Json::from(json!({"objectName": name, "objectType": "secret"}).to_string()))
            .collect();
        let wanted = Json::from(json!({ "array": array }).to_string());
        if !equal(Equality::Yaml, Some(&wanted), parameters.get("objects")) {
            return None;
        }
        let secret = |name: &str| {
            self.things.iter().position(|thing| {
                thing.object.kind.keyword == "secret" && thing.parent == Some(vault) && thing.object.name == name
            })
        };
        let secrets: Vec<usize> = names.iter().map(|name| secret(name)).collect::<Option<_>>()?;
        let distinct: BTreeSet<usize> = secrets.iter().copied().collect();
        let mut sync = Vec::new();
        if let Some(copied) = class.written.iter().find(|written| written.name() == "secret_objects") {
            let opaque = |item: &Json| item.get("type").is_some_and(|of| of == "Opaque");
            let live = lookup(&class.object.body, "/spec/secretObjects")?.as_array()?;
            if !live.iter().all(opaque) {
                return None;
            }
            for item in items(copied)? {
                sync.push(copy(item, &secret, &secrets)?);
            }
        }
        let once: BTreeSet<&String> = sync.iter().map(|(name, _)| name).collect();
        if once.len() != sync.len() || distinct.len() != secrets.len() || secrets.is_empty() {
            return None;
        }
        let more = parameters.iter().filter(|(key, _)| !PARAMETERS.contains(&key.as_str()));
        let parameters = more.map(|(key, value)| Some((key.clone(), Value::Text(value.as_str()?.to_owned()))));
        Some(Mount { class: at, vault, secrets, sync, parameters: parameters.collect::<Option<_>>()? })
    }

    /// The grants that the block would make of its mounts; all of them, or none.
    fn granted(&self, mounts: &[Mount], identity: &Thing) -> (Access, Vec<usize>) {
        let principal = told(identity, "principal_id").unwrap_or_default();
        let guid = roles::by_name(ROLE).map(|role| role.guid.as_str()).unwrap_or_default();
        let plain = |thing: &Thing| {
            let to = text(&thing.written, "to").is_some_and(|to| to.eq_ignore_ascii_case(principal));
            let role =
                text(&thing.written, "role").is_some_and(|role| ArmId::new(role).name().eq_ignore_ascii_case(guid));
            to && role && thing.written.len() == 2
        };
        let on = |at: usize| self.all("grant").find(|(_, thing)| thing.parent == Some(at) && plain(thing));
        let vaults: IndexSet<usize> = mounts.iter().map(|mount| mount.vault).collect();
        let secrets: IndexSet<usize> = mounts.iter().flat_map(|mount| mount.secrets.iter().copied()).collect();
        for (access, targets) in [(Access::Vaults, vaults), (Access::Secrets, secrets)] {
            let grants: Option<Vec<usize>> = targets.iter().map(|at| on(*at).map(|(grant, _)| grant)).collect();
            if let Some(grants) = grants.filter(|grants| !grants.is_empty()) {
                return (access, grants);
            }
        }
        (Access::None, Vec::new())
    }
}

/// One copied secret; none if the block could not say it.
fn copy(
    item: &IndexMap<String, Value>,
    secret: &impl Fn(&str) -> Option<usize>,
    mounted: &[usize],
) -> Option<(String, Vec<(String, usize)>)> {
    if item.keys().any(|key| !["secret_name", "type", "data"].contains(&key.as_str())) {
        return None;
    }
    let name = item.get("secret_name")?.as_text()?.to_owned();
    let Value::List(data) = item.get("data")? else { return None };
    let mut keys = Vec::new();
    for entry in data {
        let Value::Map(entry) = entry else { return None };
        let said = only(entry, &["object_name", "key"])?;
        let [object, key] = said.as_slice() else { return None };
        let of = secret(object).filter(|of| mounted.contains(of))?;
        if keys.iter().any(|(other, _)| other == key) {
            return None;
        }
        keys.push(((*key).to_owned(), of));
    }
    (!keys.is_empty()).then_some((name, keys))
}

/// The texts of an item that has just these members.
fn only<'v>(item: &'v IndexMap<String, Value>, names: &[&str]) -> Option<Vec<&'v str>> {
    let all = names.iter().map(|name| item.get(*name).and_then(Value::as_text)).collect::<Option<Vec<_>>>()?;
    (all.len() == item.len()).then_some(all)
}

fn items(written: &Written) -> Option<Vec<&IndexMap<String, Value>>> {
    let Written::Value(_, Value::List(items)) = written else { return None };
    items
        .iter()
        .map(|item| match item {
            Value::Map(entries) => Some(entries),
            _ => None,
        })
        .collect()
}

/// Whether a cluster has the driver that mounts; of one that is only looked at nobody knows.
fn mounts_secrets(cluster: &Thing) -> bool {
    cluster.existing || cluster.written.iter().any(|written| written.name() == "secrets_provider")
}

/// Whether a body names an identity, by whichever of its ids.
fn names(body: &Json, identity: &Thing) -> bool {
    let body = body.to_string().to_ascii_lowercase();
    let ids = [Some(identity.object.id.as_str()), told(identity, "principal_id"), told(identity, "client_id")];
    ids.into_iter().flatten().any(|id| body.contains(&id.to_ascii_lowercase()))
}

fn slashed(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// The namespace that an object says it lies in.
fn space(object: &Object) -> Option<&str> {
    object.places.iter().find(|(name, _)| name == "namespace").map(|(_, space)| space.as_str())
}

fn text<'w>(written: &'w [Written], name: &str) -> Option<&'w str> {
    written.iter().find_map(|written| match written {
        Written::Value(own, Value::Text(text)) if own == name => Some(text.as_str()),
        _ => None,
    })
}

/// What a thing tells, as Azure wrote it.
fn told<'t>(thing: &'t Thing, output: &str) -> Option<&'t str> {
    lookup(&thing.object.body, &thing.object.kind.outputs.get(output)?.pointer)?.as_str()
}
