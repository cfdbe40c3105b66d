//! The ways in: what must hold for each to be open, before and after each change. Not what follows from it.

use std::collections::BTreeSet;

use akson_catalog::{
    Catalog, Kind, Quirk, Residual, SymbolicId, Value,
    encode::Leaf,
    json::{from_json, lookup, to_plain_json},
    kind::Plane,
    roles,
};
use akson_config::Resource;
use serde_json::Value as Json;

use super::sends;
use crate::{
    Snapshot,
    decide::{Pending, Setting},
    place::{ancestors, cluster_of, covers, scope_of, symbolic},
    plan::{Action, Work},
    snapshot::LiveObject,
};

/// Whether certificates that bypass Entra are refused.
const NO_LOCAL_ACCOUNTS: &str = "/properties/disableLocalAccounts";
/// The groups whose members are administrators.
const ADMIN_GROUPS: &str = "/properties/aadProfile/adminGroupObjectIDs";
/// Whether role assignments count in the cluster.
const AZURE_RBAC: &str = "/properties/aadProfile/enableAzureRBAC";
/// Whether role assignments decide in the vault, and not its own list.
const VAULT_RBAC: &str = "/properties/enableRbacAuthorization";
/// The vault's own list.
const POLICIES: &str = "/properties/accessPolicies";
/// What a group's members stand below.
const MEMBERS: &str = "/members/";

/// Roles of which one lets administer a cluster.
const CLUSTER_ROLES: [&str; 2] = ["Azure Kubernetes Service RBAC Cluster Admin", "Azure Kubernetes Service RBAC Admin"];
/// Roles of Key Vault that reach nothing of what is in a vault.
const NO_DATA_ROLES: [&str; 3] = ["Key Vault Contributor", "Key Vault Reader", "Key Vault Purge Operator"];

/// One way in: open while all of this holds.
#[derive(Debug)]
pub(super) struct Door {
    holds: Vec<Hold>,
}

/// Something that must hold.
#[derive(Debug, Clone, Copy)]
struct Hold {
    /// The step that changes it, if one does.
    step: Option<usize>,
    before: bool,
    after: bool,
    /// It is deleted and created again.
    gap: bool,
}

impl Door {
    pub(super) fn is_open_before(&self) -> bool {
        self.holds.iter().all(|hold| hold.before)
    }

    pub(super) fn is_open_after(&self) -> bool {
        self.holds.iter().all(|hold| hold.after)
    }

    /// Whether it is open from the first moment to the last.
    pub(super) fn stays(&self) -> bool {
        self.holds.iter().all(|hold| hold.before && hold.after && !hold.gap)
    }

    /// The steps that shut it.
    pub(super) fn closers(&self) -> impl Iterator<Item = usize> {
        self.holds.iter().filter(|hold| hold.before && (!hold.after || hold.gap)).filter_map(|hold| hold.step)
    }

    /// The steps that it is not open without.
    pub(super) fn openers(&self) -> impl Iterator<Item = usize> {
        self.holds.iter().filter(|hold| hold.after && (!hold.before || hold.gap)).filter_map(|hold| hold.step)
    }

    pub(super) fn has_gap(&self, step: usize) -> bool {
        self.holds.iter().any(|hold| hold.step == Some(step) && hold.gap)
    }
}

/// Who has which rights, as far as the plan and its reads show.
pub(super) struct Rights<'a> {
    pending: &'a [Pending<'a>],
    snapshot: &'a Snapshot,
    /// Role assignments, live and planned.
    grants: Vec<Grant>,
    /// The kind of grants.
    grant_kind: Option<&'a str>,
}

/// A role assignment.
struct Grant {
    hold: Hold,
    scope: SymbolicId,
    principal: Principal,
    /// The role's GUID, where it is known.
    role: Option<String>,
    conditional: bool,
}

/// Whom something is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Principal {
    /// By its object id, in small letters.
    Known(String),
    /// What a resource will tell.
    Of(SymbolicId),
    Unknown,
}

/// How far a role goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Yes,
    No,
    /// A role of somebody's own, or under a condition.
    Perhaps,
}

impl<'a> Rights<'a> {
    pub(super) fn new(pending: &'a [Pending<'a>], setting: &Setting<'a>, catalog: &'a Catalog) -> Self {
        let gives = |kind: &Kind| kind.quirks.contains(&Quirk::GivesRights);
        let grant_kind = catalog.iter().find(|kind| gives(kind)).map(|kind| kind.keyword.as_str());
        let snapshot = setting.snapshot;
        let mut grants = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (at, change) in pending.iter().enumerate().filter(|(_, change)| gives(&change.kind)) {
            let live = snapshot.live(change.symbolic_id);
            seen.extend(live.map(|live| live.id.to_ascii_lowercase()));
            grants.push(Grant::of(at, change, live));
        }
        let foreign = grant_kind.and_then(|kind| snapshot.candidates.get(kind)).into_iter().flatten();
        grants.extend(foreign.filter(|(id, _)| !seen.contains(*id)).map(|(_, live)| Grant::foreign(live)));
        Self { pending, snapshot, grants, grant_kind }
    }

    /// The ways into one cluster or vault.
    pub(super) fn doors(&self, at: usize) -> Vec<Door> {
        let Some(change) = self.pending.get(at) else { return Vec::new() };
        let Some(live) = self.snapshot.live(change.symbolic_id) else { return Vec::new() };
        if change.kind.quirks.contains(&Quirk::VaultAccess) {
            return self.of_vault(at, change, live);
        }
        let both = |of: &dyn Fn(&State<'_>) -> bool| {
            let (before, after) = (of(&State { live, change: None }), of(&State { live, change: Some(change) }));
            Hold { step: Some(at), before, after, gap: false }
        };
        let is = |state: &State<'_>, pointer: &str| state.get(pointer) == Some(Value::Bool(true));
        let mut doors = vec![Door { holds: vec![both(&|state| !is(state, NO_LOCAL_ACCOUNTS))] }];
        let groups = |state: &State<'_>| -> BTreeSet<Principal> {
            match state.get(ADMIN_GROUPS) {
                Some(Value::List(items)) => items.iter().map(Principal::of).collect(),
                _ => BTreeSet::new(),
            }
        };
        let (now, then) = (groups(&State { live, change: None }), groups(&State { live, change: Some(change) }));
        for group in now.union(&then) {
            let named = Hold { step: Some(at), before: now.contains(group), after: then.contains(group), gap: false };
            doors.push(Door { holds: [named].into_iter().chain(self.peopled(group)).collect() });
        }
        let by_grants = both(&|state| is(state, AZURE_RBAC));
        for grant in self.granted(change.symbolic_id, &is_cluster_admin, Reach::Yes) {
            doors.push(Door {
                holds: [by_grants, grant.hold].into_iter().chain(self.peopled(&grant.principal)).collect(),
            });
        }
        doors.extend(self.bound(change.symbolic_id).map(|hold| Door { holds: vec![hold] }));
        doors
    }

    fn of_vault(&self, at: usize, change: &Pending<'_>, live: &LiveObject) -> Vec<Door> {
        let rbac = |state: &State<'_>| state.get(VAULT_RBAC) == Some(Value::Bool(true));
        let listed = |state: &State<'_>| matches!(state.get(POLICIES), Some(Value::List(items)) if !items.is_empty());
        let (now, then) = (State { live, change: None }, State { live, change: Some(change) });
        let hold = |before: bool, after: bool| Hold { step: Some(at), before, after, gap: false };
        let by_list = hold(!rbac(&now) && listed(&now), !rbac(&then) && listed(&then));
        let by_grants = hold(rbac(&now), rbac(&then));
        let mut doors = vec![Door { holds: vec![by_list] }];
        for grant in self.granted(change.symbolic_id, &reaches_data, Reach::Yes) {
            doors.push(Door {
                holds: [by_grants, grant.hold].into_iter().chain(self.peopled(&grant.principal)).collect(),
            });
        }
        doors
    }

    /// Whether somebody may have a way in afterwards of whom that cannot be told: roles that are not Azure's, conditions, or role
    /// assignments that nobody read.
    pub(super) fn may_be_open_after(&self, at: usize) -> bool {
        let Some(change) = self.pending.get(at) else { return false };
        let Some(live) = self.snapshot.live(change.symbolic_id) else { return false };
        let vault = change.kind.quirks.contains(&Quirk::VaultAccess);
        let pointer = if vault { VAULT_RBAC } else { AZURE_RBAC };
        if (State { live, change: Some(change) }).get(pointer) != Some(Value::Bool(true)) {
            return false;
        }
        let reach: &dyn Fn(&str) -> Reach = if vault { &reaches_data } else { &is_cluster_admin };
        let read = self.grant_kind.is_some_and(|kind| are_read(self.snapshot, kind, change.symbolic_id));
        !read || self.granted(change.symbolic_id, reach, Reach::Perhaps).any(|grant| grant.hold.after)
    }

    /// The role assignments whose scope has this in it, and whose role goes so far.
    fn granted(
        &self,
        on: &'a SymbolicId,
        reach: &'a dyn Fn(&str) -> Reach,
        wanted: Reach,
    ) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| is_above(&grant.scope, on)).filter(move |grant| {
            let reach = grant.role.as_deref().map_or(Reach::Perhaps, reach);
            let reach = if grant.conditional && reach == Reach::Yes { Reach::Perhaps } else { reach };
            reach == wanted
        })
    }

    /// That a group has somebody in it, where its members are this plan's business.
    fn peopled(&self, principal: &Principal) -> Option<Hold> {
        let (at, change) = self.pending.iter().enumerate().find(|(_, change)| {
            let edges = change
                .kind
                .edges()
                .any(|attribute| attribute.pointer.as_deref() == Some(MEMBERS.trim_end_matches('/')));
            let is_it = match principal {
                Principal::Of(of) => change.symbolic_id == of,
                Principal::Known(id) => {
                    self.snapshot.live(change.symbolic_id).is_some_and(|live| live.id.eq_ignore_ascii_case(id))
                }
                Principal::Unknown => false,
            };
            edges && is_it
        })?;
        let live = self.snapshot.live(change.symbolic_id);
        let members = live.map(|live| lookup(&live.body, MEMBERS.trim_end_matches('/')).and_then(Json::as_object));
        let before: Option<BTreeSet<String>> = match members {
            None => Some(BTreeSet::new()),
            Some(members) => members.map(|members| members.keys().map(|key| key.to_ascii_lowercase()).collect()),
        };
        let mut after = before.clone();
        if let Work::Write { leaves, .. } = &change.decision.work {
            for leaf in leaves {
                let Some(key) = leaf.pointer.strip_prefix(MEMBERS) else { continue };
                let after = after.get_or_insert_with(BTreeSet::new);
                if leaf.want == Value::None {
                    after.remove(&key.to_ascii_lowercase());
                } else {
                    after.insert(key.to_ascii_lowercase());
                }
            }
        }
        // Members that nobody read are taken to be there.
        let any = |members: &Option<BTreeSet<String>>| members.as_ref().is_none_or(|members| !members.is_empty());
        let gone = change.decision.action == Action::Delete;
        let gap = change.decision.action == Action::Replace;
        let hold = Hold { step: Some(at), before: live.is_some() && any(&before), after: !gone && any(&after), gap };
        Some(hold)
    }

    /// Bindings in a cluster that make somebody its administrator.
    fn bound(&self, cluster: &'a SymbolicId) -> impl Iterator<Item = Hold> {
        let in_it = move |id: &SymbolicId| cluster_of(id).as_ref() == Some(cluster);
        let planned = self
            .pending
            .iter()
            .enumerate()
            .filter(move |(_, change)| change.kind.plane == Plane::Kubernetes && in_it(change.symbolic_id));
        planned.filter_map(|(at, change)| {
            let live = self.snapshot.live(change.symbolic_id);
            let before = live.is_some_and(|live| makes_admin(&State { live, change: None }));
            let nothing = LiveObject { id: String::new(), body: Json::Null };
            let then = State { live: live.unwrap_or(&nothing), change: Some(change) };
            let after = change.decision.action != Action::Delete && makes_admin(&then);
            let after = after && (live.is_some() || sends(change));
            let gap = change.decision.action == Action::Replace;
            (before || after).then_some(Hold { step: Some(at), before, after, gap })
        })
    }
}

/// Whether an object gives the role of an administrator in all of its cluster.
fn makes_admin(state: &State<'_>) -> bool {
    let text = |pointer: &str| match state.get(pointer) {
        Some(Value::Text(text)) => text,
        _ => String::new(),
    };
    let somebody = matches!(state.get("/subjects"), Some(Value::List(items)) if !items.is_empty());
    // A binding of one namespace names it.
    text("/roleRef/kind") == "ClusterRole"
        && text("/roleRef/name") == "cluster-admin"
        && text("/metadata/namespace").is_empty()
        && somebody
}

/// An object as it is, or as a change leaves it.
struct State<'a> {
    live: &'a LiveObject,
    change: Option<&'a Pending<'a>>,
}

impl State<'_> {
    fn get(&self, pointer: &str) -> Option<Value> {
        let leaf = self.change.and_then(|change| leaf_at(change, pointer)).filter(|leaf| !leaf.on_create_only);
        if let Some(leaf) = leaf {
            return (leaf.want != Value::None).then(|| leaf.want.clone());
        }
        lookup(&self.live.body, pointer).filter(|live| !live.is_null()).map(from_json)
    }
}

fn leaf_at<'a>(change: &'a Pending<'_>, pointer: &str) -> Option<&'a Leaf> {
    match &change.decision.work {
        Work::Write { leaves, .. } => leaves.iter().find(|leaf| leaf.pointer == pointer),
        _ => None,
    }
}

impl Grant {
    fn of(at: usize, change: &Pending<'_>, live: Option<&LiveObject>) -> Self {
        let leaf = |pointer: &str| leaf_at(change, pointer).map(|leaf| leaf.want.clone());
        let body = |pointer: &str| live.and_then(|live| lookup(&live.body, pointer)).map(from_json);
        let get = |pointer: &str| leaf(pointer).or_else(|| body(pointer));
        let gone = change.decision.action == Action::Delete;
        let after = !gone && (live.is_some() || sends(change));
        let gap = change.decision.action == Action::Replace;
        Self {
            hold: Hold { step: Some(at), before: live.is_some(), after, gap },
            scope: scope_of(change.symbolic_id),
            principal: get("/properties/principalId").as_ref().map_or(Principal::Unknown, Principal::of),
            role: match get("/properties/roleDefinitionId") {
                Some(Value::Text(role)) => role.rsplit('/').next().map(str::to_owned),
                _ => None,
            },
            conditional: !matches!(get("/properties/condition"), None | Some(Value::None)),
        }
    }

    fn foreign(live: &LiveObject) -> Self {
        let text = |pointer: &str| lookup(&live.body, pointer).and_then(Json::as_str);
        let scope = text("/properties/scope").map_or_else(|| scope_of(&symbolic(&live.id)), symbolic);
        Self {
            hold: Hold { step: None, before: true, after: true, gap: false },
            scope,
            principal: text("/properties/principalId")
                .map_or(Principal::Unknown, |id| Principal::Known(id.to_ascii_lowercase())),
            role: text("/properties/roleDefinitionId").and_then(|role| role.rsplit('/').next()).map(str::to_owned),
            conditional: text("/properties/condition").is_some_and(|condition| !condition.is_empty()),
        }
    }
}

impl Principal {
    fn of(value: &Value) -> Self {
        match value {
            Value::Text(id) => Self::Known(id.to_ascii_lowercase()),
            Value::Unknown { residual, .. } => match residual.as_ref() {
                Residual::Output { of, .. } => Self::Of(of.clone()),
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }
}

fn is_cluster_admin(role: &str) -> Reach {
    match roles::by_guid(role) {
        Some(role) if CLUSTER_ROLES.contains(&role.name.as_str()) => Reach::Yes,
        Some(_) => Reach::No,
        None => Reach::Perhaps,
    }
}

fn reaches_data(role: &str) -> Reach {
    match roles::by_guid(role) {
        Some(role) if role.name.starts_with("Key Vault ") && !NO_DATA_ROLES.contains(&role.name.as_str()) => Reach::Yes,
        Some(_) => Reach::No,
        None => Reach::Perhaps,
    }
}

/// Whether what is given at a scope holds on an object: below the scope, or below a management group, of which Azure lists those above.
fn is_above(scope: &SymbolicId, on: &SymbolicId) -> bool {
    let text = scope.as_str();
    covers(scope, on) || text.is_empty() || text == "/" || text.starts_with("/providers/microsoft.management/")
}

/// Whether the role assignments that hold on an object were read.
fn are_read(snapshot: &Snapshot, kind: &str, on: &SymbolicId) -> bool {
    let places = std::iter::once(on.clone()).chain(ancestors(on));
    places.into_iter().any(|place| snapshot.listed.contains(&(kind.to_owned(), place)))
}

/// The kind of which the assignments must be read for a resource that is there: what decides about access to it would change.
pub(crate) fn wants_grants<'a>(resource: &Resource, snapshot: &Snapshot, catalog: &'a Catalog) -> Option<&'a Kind> {
    let quirks = &resource.kind.quirks;
    let pointers: &[&str] = if resource.existing {
        &[]
    } else if quirks.contains(&Quirk::ClusterAccess) {
        &[NO_LOCAL_ACCOUNTS, ADMIN_GROUPS, AZURE_RBAC]
    } else if quirks.contains(&Quirk::VaultAccess) {
        &[VAULT_RBAC]
    } else {
        &[]
    };
    let live = snapshot.live(&resource.symbolic_id)?;
    let changes = resource
        .leaves
        .iter()
        .filter(|leaf| !leaf.on_create_only && pointers.contains(&leaf.pointer.as_str()))
        .any(|leaf| to_plain_json(&leaf.want).is_none() || leaf.in_sync(&live.body) == Some(false));
    let kind = catalog.iter().find(|kind| kind.quirks.contains(&Quirk::GivesRights)).filter(|_| changes)?;
    (!are_read(snapshot, &kind.keyword, &resource.symbolic_id)).then_some(kind)
}
