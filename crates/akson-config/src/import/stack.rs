//! Objects as blocks of one stack: which of them are declared, as what, under which label, and in which place. Not their syntax.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use akson_catalog::{
    ArmId, Catalog, InstanceKey, Kind, Type, Value,
    encode::Context,
    equality::{Equality, equal},
    json::{from_json, lookup},
    kind::{FoundBy, LateId, NameFrom, Plane, Role, ids::type_of},
    roles,
};
use akson_parser::ast::Expr;
use serde_json::{Value as Json, json};

use super::{
    Declared, ImportOptions, Skipped,
    labels::Labels,
    objects::{self, Object},
    read::{Reading, Unsaid, Written},
    workloads::Workload,
};

/// A block to be.
#[derive(Debug)]
pub(super) struct Thing {
    pub object: Object,
    pub label: String,
    /// How it is referred to, where an author wrote its block.
    pub address: Option<Expr>,
    /// The modules that its block is in.
    pub scope: Vec<(String, Option<InstanceKey>)>,
    /// The first label of a raw block.
    pub raw: Option<String>,
    pub existing: bool,
    /// It stands in the block of another, under this word.
    pub within: Option<(usize, String)>,
    /// It is a part of this workload.
    pub workload: Option<usize>,
    /// Which thing it lies in.
    pub parent: Option<usize>,
    pub written: Vec<Written>,
    pub unsaid: Vec<Unsaid>,
    /// Where it lies, if it says so.
    pub location: Option<String>,
    /// Whether its name is written.
    pub name: Option<(String, String)>,
}

impl Thing {
    /// Where a declared object lies.
    pub(super) fn region(&self) -> Option<String> {
        let attribute = self.object.kind.attributes.values().find(|attribute| attribute.role == Role::Location)?;
        let location = lookup(&self.object.body, attribute.pointer.as_deref()?)?.as_str()?;
        (!self.existing).then(|| location.split_whitespace().collect::<String>().to_ascii_lowercase())
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Stack<'a> {
    pub catalog: &'a Catalog,
    pub name: String,
    pub subscription: Option<String>,
    pub location: Option<String>,
    pub things: Vec<Thing>,
    /// How many of them an author declared: they stay as they are.
    pub fixed: usize,
    pub by_id: HashMap<String, usize>,
    pub workloads: Vec<Workload>,
}

impl<'a> Stack<'a> {
    pub(super) fn new(answers: &[Json], catalog: &'a Catalog, options: &ImportOptions) -> (Self, Vec<Skipped>) {
        let mut skipped = Vec::new();
        let found = sorted(objects::spread(answers, catalog), catalog, options, &mut skipped);
        let subscription = options.subscription.clone().or_else(|| {
            most(found.iter().filter_map(|(object, _)| object.subscription.as_deref().map(str::to_ascii_lowercase)))
        });
        let mut stack = Stack {
            catalog,
            name: options.stack.clone(),
            subscription,
            location: None,
            things: Vec::new(),
            fixed: 0,
            by_id: HashMap::new(),
            workloads: Vec::new(),
        };
        for (object, raw) in found {
            let looked_at = options.looked_at.contains(&object.id.to_ascii_lowercase());
            stack.add(object, raw, looked_at);
        }
        stack.parents();
        stack.read(options);
        stack.stand();
        stack.nest();
        stack.find_workloads();
        stack.location = most(stack.things.iter().filter_map(Thing::region));
        stack.locations();
        stack.labels();
        (stack, skipped)
    }

    /// Declares more objects beside what an author declared.
    pub(super) fn declare(&mut self, answers: &[Json], options: &ImportOptions) -> Vec<Skipped> {
        let mut skipped = Vec::new();
        self.fixed = self.things.len();
        for (object, raw) in sorted(objects::spread(answers, self.catalog), self.catalog, options, &mut skipped) {
            if self.find(&object.id).is_none() && !self.is_principal(&object.id) {
                let looked_at = options.looked_at.contains(&object.id.to_ascii_lowercase());
                self.add(object, raw, looked_at);
            }
        }
        self.parents();
        self.read(options);
        self.stand();
        self.nest();
        self.locations();
        self.labels();
        skipped
    }

    /// Whether an object of the directory is what a thing acts as, which needs no block of its own.
    fn is_principal(&self, id: &str) -> bool {
        self.things.iter().any(|thing| {
            let kind = &thing.object.kind;
            let output = kind.principal.as_ref().and_then(|principal| kind.outputs.get(&principal.output));
            let live = output.and_then(|output| lookup(&thing.object.body, &output.pointer)).and_then(Json::as_str);
            live.is_some_and(|live| live.eq_ignore_ascii_case(id))
        })
    }

    pub(super) fn add(&mut self, object: Object, raw: Option<String>, existing: bool) -> usize {
        let at = self.things.len();
        self.by_id.insert(ArmId::new(object.id.as_str()).folded().to_owned(), at);
        self.things.push(Thing {
            existing: existing || !object.kind.managed,
            object,
            label: String::new(),
            address: None,
            scope: Vec::new(),
            raw,
            within: None,
            workload: None,
            parent: None,
            written: Vec::new(),
            unsaid: Vec::new(),
            location: None,
            name: None,
        });
        at
    }

    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.by_id.get(ArmId::new(id).folded()).copied()
    }

    /// What each lies in; what is not among the objects is declared as existing.
    fn parents(&mut self) {
        let mut at = self.fixed;
        while let Some(thing) = self.things.get(at) {
            let told = matches!(thing.object.kind.late, Some(LateId::Told { .. }));
            let parent = match thing.object.parent.clone() {
                Some(parent) => self.find(&parent).or_else(|| self.ancestor(&parent)),
                None if told => self.registration(at),
                None => None,
            };
            if let Some(thing) = self.things.get_mut(at) {
                thing.parent = parent;
            }
            at += 1;
        }
    }

    /// A resource that is not among the objects, as existing; none if it has no kind that can be.
    fn ancestor(&mut self, id: &str) -> Option<usize> {
        let of = type_of(&ArmId::new(id))?;
        let kind = self.catalog.kind_of_type(&of).filter(|kind| kind.existing && kind.plane == Plane::Arm)?;
        let object =
            objects::place(kind, &json!({ "id": id })).filter(|object| objects::is_sayable(object, self.catalog))?;
        (object.parent.is_some() == kind.parent.is_some()).then(|| self.add(object, None, true))
    }

    /// The object of the directory that another belongs to: known by one of its outputs.
    fn registration(&mut self, at: usize) -> Option<usize> {
        let thing = self.things.get(at)?;
        let attribute = thing.object.kind.attributes.get(thing.object.kind.parent.as_deref()?)?;
        let (Type::Resource(kinds), Some(output)) = (&attribute.of, &attribute.stands_for) else { return None };
        let pointer = thing.object.kind.found_by.iter().find_map(|found| found.at.get(&attribute.name))?;
        let live = lookup(&thing.object.body, pointer)?;
        let is = |other: &Thing| {
            let told =
                other.object.kind.outputs.get(output).and_then(|output| lookup(&other.object.body, &output.pointer));
            kinds.contains(&other.object.kind.keyword) && told == Some(live)
        };
        self.things.iter().position(is)
    }

    /// What each says.
    fn read(&mut self, options: &ImportOptions) {
        for thing in self.things.iter_mut().skip(self.fixed) {
            let object = &thing.object;
            let context = Context {
                subscription: object.subscription.clone().or_else(|| self.subscription.clone()).unwrap_or_default(),
                tenant: options.tenant.clone().unwrap_or_default(),
                token_exchange_audience: options.token_exchange_audience.clone(),
                ..Context::default()
            };
            let context = context.with_principals(self.catalog);
            let reading = Reading { catalog: self.catalog, context: &context, everything: false };
            let kind = Arc::clone(&object.kind);
            let orphan = thing.parent.is_none() && object.parent.is_none() && kind.parent.is_some();
            if !thing.existing {
                let (written, unsaid) = reading.attributes(&kind, &object.name, &object.body);
                thing.written = written;
                thing.unsaid = unsaid;
                let said = |name: &str| thing.written.iter().any(|written| written.name() == name);
                let missing = kind.attributes.values().find(|attribute| {
                    attribute.required
                        && matches!(attribute.role, Role::Value | Role::Tags | Role::Key)
                        && !said(&attribute.name)
                });
                // What cannot be said whole is only looked at.
                thing.existing = orphan || missing.is_some();
            }
            if thing.existing {
                let finder = finder(&kind, &object.body, true);
                thing.written = finder.map(|found| finders(&kind, found, &object.body)).unwrap_or_default();
                // It is known by what it is found by.
                if finder.is_some_and(|found| found.id.is_some()) {
                    thing.parent = None;
                    thing.object.parent = None;
                }
            } else if let Some(found) = finder(&kind, &object.body, false) {
                let told = matches!(kind.late, Some(LateId::Told { .. }));
                let own = finders(&kind, found, &object.body);
                let new = |written: &Written| !thing.written.iter().any(|other| other.name() == written.name());
                let more: Vec<Written> = own
                    .into_iter()
                    .filter(|written| told && new(written) && Some(written.name()) != kind.parent.as_deref())
                    .collect();
                thing.written.extend(more);
            }
        }
    }

    /// What stands for a resource that is not among the objects is said as the text that it is, if a map takes it.
    fn stand(&mut self) {
        for at in self.fixed..self.things.len() {
            let Some(thing) = self.things.get(at) else { continue };
            let kind = Arc::clone(&thing.object.kind);
            let lost: Vec<(String, String, String)> = thing
                .written
                .iter()
                .filter_map(|written| {
                    let Written::Value(name, Value::Text(text)) = written else { return None };
                    let attribute = kind.attributes.get(name)?;
                    let Type::Resource(kinds) = &attribute.of else { return None };
                    let stands = self.telling(kinds, attribute.stands_for.as_deref()?, text).is_none();
                    stands.then(|| Some((name.clone(), attribute.pointer.clone()?, text.clone())))?
                })
                .collect();
            let Some(thing) = self.things.get_mut(at) else { continue };
            for (name, pointer, text) in lost {
                thing.written.retain(|written| written.name() != name);
                let map = kind.attributes.values().find_map(|attribute| {
                    let step = pointer.strip_prefix(attribute.pointer.as_deref()?)?.strip_prefix('/')?;
                    matches!(attribute.of, Type::Map(_)).then_some((attribute.name.clone(), step))
                });
                let Some((map, step)) = map else { continue };
                let key = step.replace("~1", "/").replace("~0", "~");
                let there = thing.written.iter_mut().find(|written| written.name() == map);
                match there {
                    Some(Written::Value(_, Value::Map(entries))) => drop(entries.insert(key, Value::Text(text))),
                    _ => thing.written.push(Written::Value(map, Value::Map([(key, Value::Text(text))].into()))),
                }
            }
        }
    }

    /// The thing of one of these kinds whose output says a text.
    pub(super) fn telling(&self, kinds: &[String], output: &str, text: &str) -> Option<usize> {
        self.things.iter().position(|thing| {
            let kind = &thing.object.kind;
            let live = kind.outputs.get(output).and_then(|output| lookup(&thing.object.body, &output.pointer));
            kinds.contains(&kind.keyword)
                && live.and_then(Json::as_str).is_some_and(|live| live.eq_ignore_ascii_case(text))
        })
    }

    /// Blocks in blocks; a kind that cannot be declared without one of them is only looked at if it has none.
    fn nest(&mut self) {
        for at in self.fixed..self.things.len() {
            let word = self.things.get(at).and_then(|thing| {
                // Into an author's block nothing is put.
                let above = thing.parent.filter(|parent| *parent >= self.fixed);
                let above = above.and_then(|parent| self.things.get(parent))?;
                let blocks = above.object.kind.blocks.iter();
                let own = blocks.filter(|(_, nested)| nested.kind == thing.object.kind.keyword);
                let word = own.map(|(word, _)| word.clone()).next()?;
                (!above.existing && !thing.existing).then_some((thing.parent?, word))
            });
            if let Some(thing) = self.things.get_mut(at) {
                thing.within = word;
            }
        }
        let lacks = |at: usize| {
            let kind = &self.things.get(at)?.object.kind;
            let (word, first) = kind.blocks.iter().find_map(|(word, nested)| Some((word, nested.first.as_ref()?)))?;
            let is = |thing: &Thing| {
                let said = thing.written.iter().any(|written| {
                    matches!(written, Written::Value(name, Value::Text(text)) if *name == first.attribute && *text == first.is)
                });
                thing.within.as_ref().is_some_and(|(parent, own)| *parent == at && own == word) && said
            };
            (!self.things.iter().any(is)).then_some(at)
        };
        let without: BTreeSet<usize> = (self.fixed..self.things.len()).filter_map(lacks).collect();
        for at in without {
            if let Some(thing) = self.things.get_mut(at).filter(|thing| !thing.existing) {
                thing.existing = true;
                thing.written.clear();
                thing.unsaid.push(Unsaid {
                    attribute: String::new(),
                    why: "what it cannot be without is not among the objects".to_owned(),
                });
            }
            for thing in
                self.things.iter_mut().filter(|thing| thing.within.as_ref().is_some_and(|(parent, _)| *parent == at))
            {
                thing.within = None;
            }
        }
    }

    /// What does not follow from the stack's location or from the resource group is written.
    fn locations(&mut self) {
        let all: Vec<Option<String>> = self.things.iter().map(Thing::region).collect();
        let inherited = |at: usize| {
            let mut above = self.things.get(at)?.parent;
            while let Some(parent) = above {
                let thing = self.things.get(parent)?;
                if thing.object.kind.keyword == "resource_group" {
                    return all.get(parent).cloned().flatten();
                }
                above = thing.parent;
            }
            None
        };
        let said: Vec<Option<String>> = all
            .iter()
            .enumerate()
            .map(|(at, own)| {
                own.clone().filter(|own| inherited(at).or_else(|| self.location.clone()).as_ref() != Some(own))
            })
            .collect();
        for (thing, said) in self.things.iter_mut().zip(said).skip(self.fixed) {
            thing.location = said;
        }
    }

    fn labels(&mut self) {
        let mut labels = Labels::default();
        // Of what lies in other blocks each has its own labels; the parent's place keeps them apart.
        for thing in
            self.things.iter().take(self.fixed).filter(|thing| thing.scope.is_empty() && thing.within.is_none())
        {
            labels.take(&thing.object.kind.keyword, &thing.label);
        }
        let given: Vec<String> = (self.fixed..self.things.len())
            .filter_map(|at| {
                let thing = self.things.get(at)?;
                let name = self.called(thing);
                let workload = thing.workload.and_then(|workload| self.workloads.get(workload));
                let among = match (&thing.within, workload) {
                    (Some((parent, word)), _) => format!("{word} in {parent}"),
                    (None, Some(workload)) if workload.account == at => "workload".to_owned(),
                    // Parts have names of their own below it.
                    (None, Some(_)) => format!("part {at}"),
                    (None, None) => thing.object.kind.keyword.clone(),
                };
                Some(labels.give(&among, &name))
            })
            .collect();
        for (thing, label) in self.things.iter_mut().skip(self.fixed).zip(given) {
            thing.label = label;
            let kind = &thing.object.kind;
            let attribute = kind.attributes.values().find(|attribute| attribute.role == Role::Name);
            let told = matches!(kind.late, Some(LateId::Told { .. }));
            let follows = kind.name_from == NameFrom::Label && thing.label == thing.object.name;
            thing.name = attribute
                .filter(|_| !told && !follows)
                .map(|attribute| (attribute.name.clone(), thing.object.name.clone()));
        }
    }

    /// What an object is called by people.
    fn called(&self, thing: &Thing) -> String {
        let object = &thing.object;
        let guid = uuid::Uuid::try_parse(&object.name).is_ok();
        if !guid {
            return object.name.clone();
        }
        let text = |name: &str| {
            thing.written.iter().find_map(|written| match written {
                Written::Value(own, Value::Text(text)) if own == name => Some(text.clone()),
                _ => None,
            })
        };
        let role = text("role").map(|role| {
            let last = ArmId::new(role.as_str()).name().to_owned();
            let custom = || {
                let named = |other: &&Thing| other.object.name.eq_ignore_ascii_case(&last);
                self.things
                    .iter()
                    .find(named)
                    .and_then(|other| lookup(&other.object.body, "/properties/roleName")?.as_str().map(str::to_owned))
            };
            roles::by_guid(&last).map(|role| role.name.clone()).or_else(custom).unwrap_or(last)
        });
        let scope = thing.parent.and_then(|parent| self.things.get(parent)).map(|parent| parent.object.name.clone());
        match (role, scope, text("display_name").or_else(|| text("name"))) {
            (Some(role), Some(scope), _) => format!("{role} on {scope}"),
            (Some(role), None, _) => role,
            (None, _, Some(name)) => name,
            (None, ..) => object.name.clone(),
        }
    }

    pub(super) fn declared(&self) -> Vec<Declared> {
        self.order()
            .into_iter()
            .filter_map(|at| {
                let thing = self.things.get(at)?;
                Some(Declared {
                    address: self.address(at),
                    kind: thing.object.kind.keyword.clone(),
                    id: thing.object.id.clone(),
                    existing: thing.existing,
                    unsaid: thing.unsaid.clone(),
                })
            })
            .collect()
    }

    /// Of a part of a workload: the workload's label, the part's name, and which of several it is.
    pub(super) fn part(&self, at: usize) -> Option<(&str, &'static str, Option<String>)> {
        let workload = self.workloads.get(self.things.get(at)?.workload?)?;
        let (_, name, key) = workload.parts(self).into_iter().find(|(part, ..)| *part == at)?;
        Some((&self.things.get(workload.account)?.label, name, key))
    }

    fn address(&self, at: usize) -> String {
        if let Some((label, part, key)) = self.part(at) {
            let key = key.map(|key| akson_catalog::InstanceKey(key).to_string()).unwrap_or_default();
            return format!("workload.{label}.{part}{key}");
        }
        match self.things.get(at) {
            Some(Thing { within: Some((parent, word)), label, .. }) => {
                format!("{}.{word}.{label}", self.address(*parent))
            }
            Some(thing) => format!("{}.{}", thing.object.kind.keyword, thing.label),
            None => String::new(),
        }
    }

    /// The order of blocks: what exists first, then what others lie in before what lies in it.
    pub(super) fn order(&self) -> Vec<usize> {
        let depth = |mut at: usize| {
            let mut depth = 0;
            while let Some(parent) = self.things.get(at).and_then(|thing| thing.parent).filter(|_| depth < 8) {
                depth += 1;
                at = parent;
            }
            depth
        };
        let mut order: Vec<usize> = (0..self.things.len()).collect();
        order.sort_by_key(|at| {
            let thing = self.things.get(*at);
            thing.map(|thing| (!thing.existing, depth(*at), thing.object.kind.keyword.clone(), thing.label.clone()))
        });
        order
    }
}

/// Objects with their kinds, in the order of their ids: the same, however they came.
fn sorted(
    found: Vec<Json>,
    catalog: &Catalog,
    options: &ImportOptions,
    skipped: &mut Vec<Skipped>,
) -> Vec<(Object, Option<String>)> {
    let mut objects = BTreeMap::new();
    let kept: Vec<ArmId> = found
        .iter()
        .filter(|body| objects::not_ours(body).is_some_and(|why| why != objects::EVERY_CLUSTER))
        .filter_map(|body| body.get("id").and_then(Json::as_str).map(ArmId::new))
        .collect();
    for body in found {
        let id = body.get("id").and_then(Json::as_str).unwrap_or_default().to_owned();
        // Not a word of what every cluster has.
        let mut skip = |why: &str| {
            if why != objects::EVERY_CLUSTER {
                skipped.push(Skipped { id: id.clone(), why: why.to_owned() });
            }
        };
        if let Some(why) = objects::not_ours(&body) {
            skip(why);
            continue;
        }
        if kept.iter().any(|above| ArmId::new(id.as_str()).is_within(above)) {
            skip("it lies in what another resource keeps");
            continue;
        }
        let (kind, raw) = match (objects::kind_of(&body, catalog), type_of(&ArmId::new(id.as_str()))) {
            (Some(kind), _) => (kind, None),
            (None, Some(of)) => {
                let own = body.get("apiVersion").and_then(Json::as_str);
                let version = own.or_else(|| options.api_versions.get(&of.to_ascii_lowercase()).map(String::as_str));
                let Some(version) = version else {
                    skip(&format!("it is of no kind, and the api-version of `{of}` is not known"));
                    continue;
                };
                let told = body.get("type").and_then(Json::as_str).filter(|told| told.eq_ignore_ascii_case(&of));
                let label = format!("{}@{version}", told.unwrap_or(&of));
                match catalog.raw_kind(&label) {
                    Ok(kind) => (Arc::new(kind), Some(label)),
                    Err(_) => {
                        skip(&format!("`{label}` is no type"));
                        continue;
                    }
                }
            }
            (None, None) => {
                skip("it is neither an object of ARM nor one of the directory");
                continue;
            }
        };
        if is_reset(&kind, &body) {
            skip("it is as Azure has it anyway");
            continue;
        }
        match objects::place(&kind, &body) {
            Some(object) if !objects::is_sayable(&object, catalog) => skip("its name or its place cannot be written"),
            Some(object) => drop(objects.insert(ArmId::new(id).folded().to_owned(), (object, raw))),
            None => skip(&format!("a `{}` does not lie there", kind.keyword)),
        }
    }
    objects.into_values().collect()
}

/// Whether what Azure always has is as it is without anybody's doing.
fn is_reset(kind: &Kind, body: &Json) -> bool {
    kind.reset.as_ref().is_some_and(|reset| equal(Equality::Subset, Some(reset), Some(body)))
}

/// By what a block finds its object: of an existing one by a name if it has one, else by its id.
fn finder<'k>(kind: &'k Kind, body: &Json, existing: bool) -> Option<&'k FoundBy> {
    let there = |found: &&FoundBy| {
        (existing || !found.existing)
            && found.at.values().all(|pointer| lookup(body, pointer).is_some_and(|value| !value.is_null()))
    };
    let by_id = |found: &FoundBy| found.at.values().any(|pointer| pointer == "/id");
    let parent = |found: &FoundBy| kind.parent.as_ref().is_some_and(|parent| found.at.contains_key(parent));
    let unique =
        |found: &&FoundBy| there(found) && !by_id(found) && !(existing && (parent(found) || by_display(found)));
    kind.found_by.iter().find(unique).or_else(|| kind.found_by.iter().find(|found| there(found) && by_id(found)))
}

/// Names for people are not unique.
fn by_display(found: &FoundBy) -> bool {
    found.at.keys().any(|name| name == "display_name")
}

fn finders(kind: &Kind, found: &FoundBy, body: &Json) -> Vec<Written> {
    let live = |(name, pointer): (&String, &String)| {
        kind.attributes.get(name).and_then(|_| Some(Written::Value(name.clone(), from_json(lookup(body, pointer)?))))
    };
    found.at.iter().filter_map(live).collect()
}

/// The most frequent of some texts; of several the first in order.
fn most(texts: impl Iterator<Item = String>) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(text, _)| text)
}
