//! The plan of a configuration: decisions in the order of need, checks across them, and steps in order. Not the decisions
//! themselves: see `decide`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use akson_catalog::{
    ArmId, Catalog, SymbolicId, Value,
    decode::output_value,
    kind::{NameFrom, Role},
};
use akson_config::{Config, OutputValue, Resource};
use akson_diagnostics::{Diagnostic, Diagnostics, SafeText};

use crate::{
    Owned, Snapshot,
    access::{self, AccessDelta},
    codes,
    decide::{
        Case, Decision, Pending, Removal, Setting, check_credentials, check_existing, check_locks, decide_declared,
        decide_removed, decide_reverted, go_along, go_with_cluster, name_made_anew, name_moves, name_undecided,
        report_tolerated, spare_containers, title, unknown_kind,
    },
    digest::digest,
    graph::Graph,
    held::{name_in, undecided},
    known::{Outputs, referenced},
    lockout,
    options::{Mode, PlanOptions},
    order::{Order, order},
    place::cluster_of,
    plan::{Action, Change, Plan, Work},
    presence::{Presence, Presences, kind_of},
};

/// Plans. What is wrong is reported; with an error there is no plan.
///
/// `snapshot` must hold what [`crate::waves::first_wave`] and [`crate::waves::next_wave`] ask for under the same options.
pub fn plan(
    config: &Config,
    snapshot: &Snapshot,
    owned: &Owned,
    catalog: &Catalog,
    options: &PlanOptions,
    diagnostics: &mut Diagnostics,
) -> Option<Plan> {
    options.check(config, owned, diagnostics);
    let graph = Graph::new(config, diagnostics)?;
    if diagnostics.has_errors() {
        return None;
    }
    let stack_id = config.stack.id();
    let addresses: BTreeMap<&SymbolicId, String> =
        config.resources.iter().map(|resource| (&resource.symbolic_id, resource.address.to_string())).collect();
    let setting = Setting { stack_id: &stack_id, options, snapshot, addresses: &addresses };
    let presences = Presences::new(config, owned, catalog, snapshot);

    let mut planning = Planning {
        config,
        owned,
        catalog,
        setting: &setting,
        presences: &presences,
        graph: &graph,
        outputs: Outputs::default(),
        pending: Vec::new(),
        managed: BTreeMap::new(),
        reports: Vec::new(),
    };
    if options.mode == Mode::Apply {
        planning.declared();
    }
    planning.removed();
    go_along(&mut planning.pending);
    spare_containers(&mut planning.pending, &setting);
    go_with_cluster(&mut planning.pending, &presences);
    check_locks(&mut planning.pending, &setting);
    let waits = check_credentials(&mut planning.pending, &setting);
    planning.check_names();
    planning.check_made_names();
    let mut order = order(&planning.pending, &graph, &planning.managed, (owned, snapshot), &waits);
    lockout::check(&mut planning.pending, &setting, catalog, &mut order);
    let chosen = planning.chosen(&order);
    planning.report(&chosen, diagnostics);
    if diagnostics.has_errors() {
        return None;
    }
    planning.report_unreachable(diagnostics);
    let plan = planning.finish(&order, &chosen, stack_id.clone());
    report_tolerated(config, &plan, options, diagnostics);
    check_limits(&plan, options, diagnostics);
    (!diagnostics.has_errors()).then_some(plan)
}

struct Planning<'a> {
    config: &'a Config,
    owned: &'a Owned,
    catalog: &'a Catalog,
    setting: &'a Setting<'a>,
    presences: &'a Presences<'a>,
    graph: &'a Graph,
    outputs: Outputs<'a>,
    /// Declared resources in source order, then what leaves.
    pending: Vec<Pending<'a>>,
    /// Places in the configuration to places in `pending`.
    managed: BTreeMap<usize, usize>,
    /// About `existing` resources: their places in the configuration.
    reports: Vec<(usize, Diagnostic)>,
}

impl<'a> Planning<'a> {
    /// Decides about what is declared, each after what it needs, so that outputs of what stays are known.
    fn declared(&mut self) {
        let mut decided: BTreeMap<usize, Pending<'a>> = BTreeMap::new();
        // What lies in these is gone with them, or not there yet.
        let mut new: BTreeSet<&SymbolicId> = BTreeSet::new();
        // Not there, and not to be: where only drift is undone.
        let mut missing: BTreeSet<SymbolicId> = BTreeSet::new();
        for at in self.graph.order() {
            let Some(resource) = self.config.resources.get(*at) else { continue };
            let address = self.setting.addresses.get(&resource.symbolic_id).cloned().unwrap_or_default();
            let presence = self.presences.of(&resource.symbolic_id);
            let mut dependencies: Vec<SymbolicId> = self
                .graph
                .dependencies(*at)
                .filter_map(|on| self.config.resources.get(on))
                .map(|on| on.symbolic_id.clone())
                .collect();
            dependencies.sort();
            dependencies.dedup();
            let case = Case {
                resource,
                address: &address,
                leaves: resource.leaves.iter().map(|leaf| self.outputs.fill_leaf(leaf)).collect(),
                late: resource.late.as_ref().map(|late| self.outputs.fill(late)),
                presence,
                entry: self.owned.entries.get(&resource.symbolic_id),
                parent_is_new: crate::place::ancestors(&resource.symbolic_id).any(|above| new.contains(&above)),
                dependencies: &dependencies,
            };
            if resource.existing {
                self.reports.extend(check_existing(&case, self.setting).map(|report| (*at, report)));
                if let Presence::Present(live) = presence {
                    self.outputs.tell(&resource.symbolic_id, &resource.kind, live);
                }
                continue;
            }
            let decision = match &self.setting.options.revert {
                Some(_) => decide_reverted(&case, self.setting, &missing),
                None => decide_declared(&case, self.setting),
            };
            if matches!(presence, Presence::Absent) && decision.action == Action::NoOp {
                missing.insert(resource.symbolic_id.clone());
            }
            match (decision.action, presence) {
                // What was not looked at may be there already, and things in it.
                (Action::Create | Action::Replace, _) if decision.not_verified => {}
                (Action::Create | Action::Replace, _) => drop(new.insert(&resource.symbolic_id)),
                (_, Presence::Present(live)) => self.outputs.tell(&resource.symbolic_id, &resource.kind, live),
                _ => {}
            }
            drop(case);
            let pending = Pending {
                symbolic_id: &resource.symbolic_id,
                address,
                kind: Arc::clone(&resource.kind),
                header: Some(resource.header),
                is_present: matches!(presence, Presence::Present(_)),
                dependencies,
                protect: resource.protect,
                keep: resource.keep,
                conflict_domain: resource.conflict_domain.clone(),
                decision,
            };
            decided.insert(*at, pending);
        }
        for (at, pending) in decided {
            self.managed.insert(at, self.pending.len());
            self.pending.push(pending);
        }
    }

    /// Decides about what is ours and not declared; to destroy, about all that is ours.
    fn removed(&mut self) {
        if self.setting.options.revert.is_some() {
            return;
        }
        let destroy = self.setting.options.mode == Mode::Destroy;
        if !destroy && self.config.stack.span.is_none() {
            // Without a stack block nobody said that this is the whole stack.
            return;
        }
        let declared: BTreeMap<&SymbolicId, &Resource> =
            self.config.resources.iter().map(|resource| (&resource.symbolic_id, resource)).collect();
        for (id, entry) in &self.owned.entries {
            let resource = declared.get(id).copied();
            let existing = resource.is_some_and(|resource| resource.existing);
            if resource.is_some() && !existing && !destroy {
                continue;
            }
            let recorded = if entry.address.is_empty() { id.to_string() } else { entry.address.clone() };
            let address = resource.map_or(recorded, |resource| resource.address.to_string());
            let Some(kind) = kind_of(entry, self.catalog) else {
                self.reports.push((usize::MAX, unknown_kind(&address, &entry.kind)));
                continue;
            };
            let header = resource.map(|resource| resource.header);
            let protect = resource.map_or(entry.protected, |resource| resource.protect);
            let keep = match resource {
                Some(_) if existing => Some("it is declared as existing: it leaves the ledger and stays as it is"),
                _ if resource.map_or(entry.keep, |resource| resource.keep) => {
                    Some("`on_remove = keep`: it leaves the ledger and stays as it is")
                }
                _ => None,
            };
            let removal = Removal { id, entry, kind: Arc::clone(&kind), address: &address, header, protect, keep };
            let decision = decide_removed(&removal, self.presences, self.setting);
            let mut dependencies = entry.dependencies.clone();
            dependencies.sort();
            dependencies.dedup();
            self.pending.push(Pending {
                symbolic_id: id,
                kind,
                header,
                is_present: matches!(self.presences.of(id), Presence::Present(_)),
                dependencies,
                protect,
                keep: keep.is_some(),
                conflict_domain: entry.conflict_domain.clone(),
                decision,
                address,
            });
        }
    }

    /// Reports what would be created under a name that only a deletion in the same plan leaves.
    fn check_names(&mut self) {
        let soft = |change: &Pending<'_>| change.kind.quirks.contains(&akson_catalog::Quirk::SoftDeletedName);
        let named = |change: &Pending<'_>| {
            (change.kind.keyword.clone(), ArmId::new(change.symbolic_id.as_str()).name().to_owned())
        };
        let leaving: BTreeMap<(String, String), String> = self
            .pending
            .iter()
            .filter(|change| soft(change) && change.is_present && change.decision.action == Action::Delete)
            .map(|change| (named(change), change.address.clone()))
            .collect();
        if leaving.is_empty() {
            return;
        }
        for change in self.pending.iter_mut().filter(|change| soft(change) && change.decision.action == Action::Create)
        {
            if let Some(from) = leaving.get(&named(change)) {
                let report = name_moves(&change.address, change.header, from);
                change.decision.diagnostics.push(report);
            }
        }
    }

    /// Reports blocks whose name was made of what is edited: what has an identity is never replaced by inference.
    fn check_made_names(&mut self) {
        let made = |change: &Pending<'_>| change.kind.stateful && matches!(change.kind.name_from, NameFrom::Hash(_));
        let leaving: BTreeMap<(String, String), String> = self
            .pending
            .iter()
            .filter(|change| made(change) && change.is_present && change.decision.action == Action::Delete)
            .map(|change| {
                let had = name_in(change.symbolic_id).to_owned();
                ((change.kind.keyword.clone(), change.address.clone()), had)
            })
            .collect();
        let undecided = undecided(self.config, self.owned);
        let undecided: BTreeMap<&SymbolicId, String> =
            undecided.into_iter().map(|(resource, had)| (&resource.symbolic_id, had)).collect();
        if leaving.is_empty() && undecided.is_empty() {
            return;
        }
        for change in self.pending.iter_mut().filter(|change| made(change)) {
            if let Some(had) = undecided.get(&change.symbolic_id).filter(|_| change.decision.action != Action::Delete) {
                let report = name_undecided(
                    &change.address,
                    change.header,
                    title(&change.kind),
                    name_in(change.symbolic_id),
                    had,
                );
                change.decision.diagnostics.push(report);
                continue;
            }
            if change.decision.action != Action::Create {
                continue;
            }
            if let Some(had) = leaving.get(&(change.kind.keyword.clone(), change.address.clone())) {
                let named = change.kind.attributes.values().find(|attribute| attribute.role == Role::Name);
                let name = named.map_or("name", |attribute| attribute.name.as_str());
                let title = title(&change.kind).to_owned();
                let report = name_made_anew(&change.address, change.header, &title, name, had);
                change.decision.diagnostics.push(report);
            }
        }
    }

    /// Which changes are asked for: all, or the targets and what they wait for.
    fn chosen(&self, order: &Order) -> BTreeSet<usize> {
        if self.setting.options.targets.is_empty() {
            return (0..self.pending.len()).collect();
        }
        let targets =
            self.pending.iter().enumerate().filter(|(_, change)| self.setting.options.targets(&change.address));
        let mut left: Vec<usize> = targets.map(|(at, _)| at).collect();
        let mut chosen = BTreeSet::new();
        while let Some(at) = left.pop() {
            if chosen.insert(at) {
                left.extend(order.needs.get(at).into_iter().flatten());
            }
        }
        chosen
    }

    /// Tells into which clusters nobody could look, where something is planned without having been looked at.
    fn report_unreachable(&self, diagnostics: &mut Diagnostics) {
        for (cluster, why) in &self.setting.snapshot.unreachable {
            let blind: Vec<&Pending<'_>> = self
                .pending
                .iter()
                .filter(|change| {
                    change.decision.not_verified && cluster_of(change.symbolic_id).as_ref() == Some(cluster)
                })
                .collect();
            let Some(first) = blind.first() else { continue };
            let name = self.setting.addresses.get(cluster).cloned().unwrap_or_else(|| cluster.to_string());
            let mut report = Diagnostic::warning(codes::CLUSTER_UNSEEN, format!("nobody could look into `{name}`"))
                .on(&name)
                .note(SafeText(why).to_string())
                .note(match blind.len() {
                    1 => format!("`{}` is planned by what the ledger remembers of it", first.address),
                    count => {
                        format!("`{}` and {} more are planned by what the ledger remembers", first.address, count - 1)
                    }
                })
                .help("plan from where its API server can be reached, as someone who may list there");
            let block = self.config.resources.iter().find(|resource| resource.symbolic_id == *cluster);
            if let Some(block) = block {
                report = report.at(block.header, "");
            }
            diagnostics.push(report);
        }
    }

    fn report(&mut self, chosen: &BTreeSet<usize>, diagnostics: &mut Diagnostics) {
        let all = self.setting.options.targets.is_empty();
        // What `existing` resources lack matters if something chosen needs them.
        let mut needed: BTreeSet<usize> = BTreeSet::new();
        let places = self.managed.iter().filter(|(_, change)| chosen.contains(change)).map(|(at, _)| *at);
        let mut left: Vec<usize> = places.collect();
        while let Some(at) = left.pop() {
            if needed.insert(at) {
                left.extend(self.graph.dependencies(at));
            }
        }
        for (at, report) in self.reports.drain(..) {
            if all || needed.contains(&at) {
                diagnostics.push(report);
            }
        }
        for (at, change) in self.pending.iter_mut().enumerate() {
            if chosen.contains(&at) {
                change.decision.diagnostics.drain(..).for_each(|report| diagnostics.push(report));
            }
        }
    }

    fn finish(self, order: &Order, chosen: &BTreeSet<usize>, stack_id: String) -> Plan {
        let managed = self.managed.len();
        // Resources in source order, then what leaves in the order it leaves.
        let leaving = order.sorted.iter().copied().filter(|at| *at >= managed);
        let places: Vec<usize> = (0..managed).chain(leaving).filter(|at| chosen.contains(at)).collect();
        let ids: Vec<SymbolicId> = self.pending.iter().map(|change| change.symbolic_id.clone()).collect();
        let outputs: Vec<OutputValue> = self
            .config
            .outputs
            .iter()
            .map(|output| OutputValue { value: self.outputs.fill(&output.value), ..output.clone() })
            .collect();
        let known = self.known();
        let names = self.names();
        let mut pending: Vec<Option<Pending<'_>>> = self.pending.into_iter().map(Some).collect();
        let mut changes: Vec<Change> = Vec::with_capacity(places.len());
        for at in places {
            let Some(change) = pending.get_mut(at).and_then(Option::take) else { continue };
            let needs = order.needs.get(at).into_iter().flatten();
            let early = needs
                .clone()
                .filter_map(|need| Some((ids.get(*need)?.clone(), order.early.get(&(at, *need))?.clone())));
            let early = early.collect();
            let needs = needs.filter_map(|need| ids.get(*need).cloned()).collect();
            changes.push(finished(change, needs, early));
        }
        let blocks: BTreeMap<&SymbolicId, &Resource> =
            self.config.resources.iter().map(|resource| (&resource.symbolic_id, resource)).collect();
        let mut access = AccessDelta::default();
        for change in &changes {
            access::of_change(change, blocks.get(&change.symbolic_id).copied(), &names, &mut access);
        }
        let mut plan = Plan {
            access,
            stack: self.config.stack.label.clone(),
            stack_id,
            cloud: self.setting.options.cloud.clone(),
            tenant: self.config.stack.tenant.clone(),
            subscription: self.config.stack.subscription.clone(),
            changes,
            outputs,
            known,
            digest: String::new(),
            reads: self.setting.snapshot.requests,
        };
        plan.digest = digest(&plan);
        plan
    }

    /// How the configuration calls what is there, by the ids that Azure knows it by.
    fn names(&self) -> access::Names {
        let mut names = access::Names::new();
        for resource in &self.config.resources {
            let address = resource.address.to_string();
            names.insert(resource.symbolic_id.as_str().to_ascii_lowercase(), address.clone());
            let Some(live) = self.setting.snapshot.live(&resource.symbolic_id) else { continue };
            names.insert(live.id.to_ascii_lowercase(), address.clone());
            let principal = resource.kind.principal.as_ref().map(|principal| principal.output.as_str());
            let told = principal.and_then(|output| resource.kind.outputs.get(output));
            if let Some(Value::Text(id)) = told.and_then(|output| output_value(output, &live.body)) {
                names.insert(id.to_ascii_lowercase(), address);
            }
        }
        names
    }

    /// Every output that some hole refers to and that is known now.
    fn known(&self) -> BTreeMap<(SymbolicId, String), Value> {
        let mut wanted = BTreeSet::new();
        for leaf in self.config.resources.iter().flat_map(|resource| &resource.leaves) {
            referenced(&leaf.want, &mut wanted);
            referenced(&leaf.shown, &mut wanted);
        }
        for late in self.config.resources.iter().filter_map(|resource| resource.late.as_ref()) {
            referenced(late, &mut wanted);
        }
        for output in &self.config.outputs {
            referenced(&output.value, &mut wanted);
        }
        wanted
            .into_iter()
            .filter_map(|(of, output)| {
                let value = self.outputs.get(&of, &output)?;
                Some(((of, output), value))
            })
            .collect()
    }
}

fn finished(change: Pending<'_>, needs: Vec<SymbolicId>, early: BTreeMap<SymbolicId, BTreeSet<String>>) -> Change {
    let Decision {
        action,
        work,
        id,
        irreversible,
        reasons,
        notes,
        tolerated,
        kept,
        differences,
        not_verified,
        diagnostics: _,
    } = change.decision;
    let seconds = if matches!(work, Work::Write { .. } | Work::Delete { .. }) { change.kind.seconds } else { 0.0 };
    Change {
        address: change.address,
        symbolic_id: change.symbolic_id.clone(),
        seconds,
        kind: change.kind,
        id,
        action,
        irreversible,
        reasons,
        notes,
        tolerated,
        kept,
        source: change.header,
        needs,
        early,
        dependencies: change.dependencies,
        protect: change.protect,
        keep: change.keep,
        differences,
        not_verified,
        conflict_domain: change.conflict_domain,
        work,
    }
}

fn check_limits(plan: &Plan, options: &PlanOptions, diagnostics: &mut Diagnostics) {
    let deletes = plan.count(Action::Delete) + plan.count(Action::Replace);
    if let Some(limit) = options.max_deletes.filter(|limit| deletes > *limit) {
        let gone = plan.changes.iter().filter(|change| matches!(change.action, Action::Delete | Action::Replace));
        let names: Vec<String> = gone.map(|change| format!("`{}`", change.address)).take(10).collect();
        let text = format!("the plan deletes {deletes} resources: `--max-deletes` allows {limit}");
        diagnostics.push(
            Diagnostic::error(codes::TOO_MANY_DELETES, text)
                .note(format!("among them {}", names.join(", ")))
                .help("look at what leaves; raise `--max-deletes` if it is meant"),
        );
    }
    if options.adopt_only {
        for change in plan.changes.iter().filter(|change| !matches!(change.action, Action::Adopt | Action::NoOp)) {
            let mut report = Diagnostic::error(
                codes::MORE_THAN_ADOPTS,
                format!("`{}` would be changed: {}", change.address, change.action.as_str()),
            )
            .on(&change.address)
            .note("the plan of an import adopts and does nothing else")
            .help("plan without the restriction to see what differs");
            if let Some(source) = change.source {
                report = report.at(source, "");
            }
            diagnostics.push(report);
        }
    }
}
