//! A little Azure for planner tests: it answers reads and carries out a plan's work at once. It knows bodies, not the catalog's
//! list templates; it has no time, no faults and no long-running operations.

use std::collections::BTreeMap;

use akson_catalog::{
    ArmId, SymbolicId,
    body::{body, lay_over},
    encode::Leaf,
    json::{lookup, put},
    kind::Marker,
    marker::{LABEL, Mark, TAG},
};
use akson_config::Config;
use akson_diagnostics::Diagnostics;
use akson_planner::{
    Answer, At, Change, Outcome, Owned, OwnedEntry, OwnedState, Plan, PlanOptions, Read, ReadTarget, Schedule,
    Snapshot, StepId, Work, first_wave, hashes::recorded, next_wave, plan,
};
use serde_json::{Value as Json, json};

use crate::declare::catalog;

/// Everything there is, by folded id.
#[derive(Debug, Clone, Default)]
pub struct Azure {
    pub objects: BTreeMap<SymbolicId, Json>,
    pub deleted: BTreeMap<SymbolicId, Json>,
    /// Nobody can look into a cluster.
    pub closed: bool,
    /// Made up outputs differ from creation to creation.
    births: usize,
}

/// A world: Azure and what of it is ours.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub azure: Azure,
    pub owned: Owned,
}

/// A plan with what was said about it.
pub struct Planned {
    pub plan: Option<Plan>,
    pub diagnostics: Diagnostics,
    pub reads: Vec<Vec<Read>>,
}

impl Azure {
    /// Puts an object in as it is.
    pub fn insert(&mut self, id: &str, body: Json) {
        let mut body = body;
        body["id"] = json!(id);
        self.objects.insert(SymbolicId::of_arm(&ArmId::new(id)), body);
    }

    pub fn edit(&mut self, id: &SymbolicId, pointer: &str, value: Json) {
        let object = self.objects.get_mut(id).expect("the object is there");
        match value {
            Json::Null => akson_catalog::json::remove(object, pointer),
            value => put(object, pointer, value),
        }
    }

    pub fn answer(&self, read: &Read) -> Answer {
        let path = read.path.split('?').next().unwrap_or_default().to_ascii_lowercase();
        let page = |items: Vec<Json>| Answer::Page { items, last: true };
        if let (At::Cluster(cluster), ReadTarget::List { kind, .. }) = (&read.at, &read.target) {
            if self.closed {
                return Answer::Unreachable("the door is shut".to_owned());
            }
            let of = catalog().get(kind).expect("a kind").resource_type.rsplit('/').next().expect("a word");
            let of = format!("/{}/", of.to_ascii_lowercase());
            let (inside, word) = (format!("{cluster}/kubernetes."), of.replacen('/', "/kubernetes.", 1));
            let is = |id: &str| {
                let place = id.rsplit_once('/').map_or("", |(place, _)| place);
                id.starts_with(&inside) && (format!("{place}/").ends_with(&of) || format!("{place}/").ends_with(&word))
            };
            let found = self.objects.iter().filter(|(id, _)| is(id.as_str()));
            return page(found.map(|(_, body)| body.clone()).collect());
        }
        if let Some(group) = path.strip_suffix("/resources") {
            let prefix = format!("{group}/providers/");
            let top = |id: &SymbolicId| {
                id.as_str().strip_prefix(&prefix).is_some_and(|rest| rest.split('/').count() == 3)
                    && !id.as_str().contains("/microsoft.authorization/")
            };
            let of = |body: &Json| json!({"id": body["id"], "tags": body["tags"]});
            return page(self.objects.iter().filter(|(id, _)| top(id)).map(|(_, body)| of(body)).collect());
        }
        if path.ends_with("/deletedvaults") {
            return page(self.deleted.values().cloned().collect());
        }
        if let Some(body) = self.objects.get(&SymbolicId::from_ledger(&path)) {
            return Answer::Object(body.clone());
        }
        if !is_collection(&path) {
            return Answer::NotFound;
        }
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let nested = parent.matches('/').count() > 4 && !parent.ends_with("microsoft.authorization");
        if nested && !self.objects.contains_key(&SymbolicId::from_ledger(parent)) {
            return Answer::NotFound;
        }
        let listed = |id: &SymbolicId| {
            let Some((collection, _)) = id.as_str().rsplit_once('/') else { return false };
            // All of a type below a subscription, or what lies in one collection.
            let of_type = path.split_once("/providers/").is_some_and(|(scope, of)| {
                !scope.contains("/resourcegroups/")
                    && collection.starts_with(&format!("{scope}/"))
                    && collection.ends_with(&format!("/providers/{of}"))
            });
            collection == path || of_type
        };
        page(self.objects.iter().filter(|(id, _)| listed(id)).map(|(_, body)| body.clone()).collect())
    }

    fn create(&mut self, id: &str, mut body: Json) -> Json {
        self.births += 1;
        body["id"] = json!(id);
        if id.to_ascii_lowercase().contains("/userassignedidentities/")
            && !id.to_ascii_lowercase().contains("/federatedidentitycredentials/")
        {
            body["properties"]["principalId"] = json!(format!("principal-{}", self.births));
            body["properties"]["clientId"] = json!(format!("client-{}", self.births));
        }
        body
    }

    pub fn delete(&mut self, id: &SymbolicId) {
        let prefix = format!("{id}/");
        self.objects.retain(|other, body| {
            let goes = other == id || other.as_str().starts_with(&prefix);
            if goes && other.as_str().contains("/microsoft.keyvault/vaults/") {
                let properties = json!({"vaultId": body["id"], "location": body["location"], "tags": body["tags"]});
                self.deleted.insert(other.clone(), json!({ "properties": properties }));
            }
            !goes
        });
    }
}

fn is_collection(path: &str) -> bool {
    let segments = path.split('/').skip(1).collect::<Vec<_>>();
    match segments.iter().rposition(|segment| *segment == "providers") {
        Some(at) => (segments.len() - at) % 2 == 1,
        None => segments.len() % 2 == 1,
    }
}

impl World {
    /// A world with a ledger that is known and empty.
    pub fn new() -> Self {
        Self { azure: Azure::default(), owned: Owned { known: true, ..Owned::default() } }
    }

    pub fn plan(&self, config: &Config) -> Planned {
        self.plan_with(config, &PlanOptions { cloud: "emulator".to_owned(), ..PlanOptions::default() })
    }

    /// Reads in waves as the product does, then plans.
    pub fn plan_with(&self, config: &Config, options: &PlanOptions) -> Planned {
        let mut snapshot = Snapshot::default();
        let mut reads = Vec::new();
        let mut wave = first_wave(config, &self.owned, catalog(), options);
        for number in 0.. {
            if wave.is_empty() && number > 0 {
                break;
            }
            for read in &wave {
                snapshot.absorb(read, self.azure.answer(read));
            }
            reads.push(wave);
            wave = next_wave(config, &self.owned, catalog(), options, &mut snapshot);
        }
        let mut diagnostics = Diagnostics::new();
        let plan = plan(config, &snapshot, &self.owned, catalog(), options, &mut diagnostics);
        Planned { plan, diagnostics, reads }
    }

    /// Plans and carries it out.
    #[track_caller]
    pub fn apply(&mut self, config: &Config) -> Plan {
        let plan = self.plan(config).sound();
        self.carry_out(&plan);
        plan
    }

    pub fn carry_out(&mut self, plan: &Plan) {
        let mut schedule = Schedule::new(plan);
        loop {
            let steps = schedule.next_ready(4);
            if steps.is_empty() {
                break;
            }
            for StepId(at) in steps {
                self.step(&plan.changes[at], plan);
                schedule.complete(StepId(at), Outcome::Succeeded);
            }
        }
        assert_eq!(schedule.remaining(), [], "every step was carried out");
    }

    /// One step: what the applier would do, without a network.
    pub fn step(&mut self, change: &Change, plan: &Plan) {
        match &change.work {
            Work::Nothing => {}
            Work::Record { leaves } => self.record(change, leaves),
            Work::Forget => drop(self.owned.entries.remove(&change.symbolic_id)),
            Work::Delete { .. } => {
                self.azure.delete(&change.symbolic_id);
                let entry = self.owned.entries.get_mut(&change.symbolic_id).expect("what is deleted is owned");
                entry.state = OwnedState::Tombstone;
            }
            Work::Write { id, leaves, exists, recover, replace, marker, .. } => {
                let leaves: Vec<Leaf> = leaves.iter().map(|leaf| self.filled(leaf, plan)).collect();
                if *replace {
                    self.azure.delete(&change.symbolic_id);
                }
                if *recover {
                    self.azure.deleted.remove(&change.symbolic_id).expect("it was soft-deleted");
                }
                let live = self.azure.objects.get(&change.symbolic_id).filter(|_| *exists && !replace).cloned();
                let mut body = match &live {
                    Some(live) => {
                        let mut laid = lay_over(&change.kind, live.clone(), &leaves).expect("no holes are left");
                        for output in change.kind.outputs.values() {
                            if let Some(value) = lookup(live, &output.pointer) {
                                put(&mut laid, &output.pointer, value.clone());
                            }
                        }
                        laid
                    }
                    None => body(&leaves).expect("no holes are left"),
                };
                match &change.kind.marker {
                    Marker::Tag => put(&mut body, &format!("/tags/{TAG}"), json!(marker)),
                    Marker::Text(pointer) => {
                        let mark = Mark::parse(marker).expect("a marker");
                        let text = lookup(&body, pointer).and_then(Json::as_str).unwrap_or_default();
                        let marked = mark.append_to(text);
                        put(&mut body, pointer, json!(marked));
                    }
                    Marker::Label => put(&mut body, LABEL, json!(Mark::parse(marker).expect("a marker").label())),
                    Marker::UniqueName(_) | Marker::Parent => {}
                }
                let body = match live {
                    Some(_) => {
                        body["id"] = json!(id);
                        body
                    }
                    None => self.azure.create(id, body),
                };
                self.azure.objects.insert(change.symbolic_id.clone(), body);
                self.record(change, &leaves);
            }
        }
    }

    fn filled(&self, leaf: &Leaf, plan: &Plan) -> Leaf {
        let mut leaf = leaf.clone();
        if let akson_catalog::Value::Unknown { residual, .. } = &leaf.want
            && let akson_catalog::Residual::Output { of, output, .. } = residual.as_ref()
        {
            let known = plan.known.get(&(of.clone(), output.clone())).cloned();
            let change = plan.change(of);
            let told = change.and_then(|change| {
                let output = change.kind.outputs.get(output)?;
                akson_catalog::decode::output_value(output, self.azure.objects.get(of)?)
            });
            leaf.want = known.or(told).expect("what it refers to was written before");
        }
        leaf
    }

    fn record(&mut self, change: &Change, leaves: &[Leaf]) {
        let body = self.azure.objects.get(&change.symbolic_id).expect("what is recorded is there");
        let (mut sent, mut observed) = recorded(leaves, body);
        // What stays as it is is remembered as it was.
        let before = self.owned.entries.get(&change.symbolic_id).cloned().unwrap_or_default();
        for pointer in &change.kept {
            for (now, before) in [(&mut sent, &before.sent), (&mut observed, &before.observed)] {
                now.remove(pointer);
                now.extend(before.get(pointer).map(|hash| (pointer.clone(), hash.clone())));
            }
        }
        self.owned.entries.insert(
            change.symbolic_id.clone(),
            OwnedEntry {
                id: body["id"].as_str().unwrap_or_default().to_owned(),
                kind: change.kind.keyword.clone(),
                resource_type: change.kind.resource_type.clone(),
                api_version: change.kind.api_version.clone(),
                state: OwnedState::Owned,
                sent,
                observed,
                dependencies: change.dependencies.clone(),
                conflict_domain: change.conflict_domain.clone(),
                protected: change.protect,
                keep: change.keep,
                address: change.address.clone(),
            },
        );
    }
}

impl Planned {
    /// The plan, which is there and without errors.
    #[track_caller]
    pub fn sound(self) -> Plan {
        let Some(plan) = self.plan else { panic!("no plan: {:#?}", self.diagnostics) };
        plan
    }

    /// The codes of what was said, sorted.
    pub fn codes(&self) -> Vec<u16> {
        let mut codes: Vec<u16> = self.diagnostics.iter().map(|diagnostic| diagnostic.code.0).collect();
        codes.sort_unstable();
        codes
    }

    pub fn requests(&self) -> usize {
        self.reads.iter().map(Vec::len).sum()
    }
}
