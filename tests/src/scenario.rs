//! Scenarios of `tests/scenarios`: what is there, what was applied before, and what a run is to do when it is disturbed. Each folder has
//! `before.aks`, `after.aks` or both, and `there.json` if something is there already; without `after.aks` the run is a destroy. A
//! disturbed scenario must come to the end that an undisturbed one comes to.

use std::{collections::BTreeMap, fs};

use akson_applier::{Cancel, End};
use akson_planner::{OwnedState, options::Mode};
use serde_json::Value;

use crate::{
    root,
    world::{Kill, Trouble, World},
};

/// One of them.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its folder's name.
    pub name: String,
    before: Option<String>,
    after: Option<String>,
    there: Vec<Value>,
}

/// Where a scenario ends: how many objects of which names there are. Ids that are drawn are all one.
pub type EndState = BTreeMap<String, usize>;

/// How a run is disturbed.
#[derive(Debug, Clone, Copy)]
pub enum Disturbance {
    /// Killed, and all is well afterwards.
    Kill(Kill),
    /// Killed twice: the second time as it takes up the work again.
    Kills(Kill, Kill),
    /// One request has trouble.
    Trouble(usize, Trouble),
}

/// What came of a disturbed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It was over before the disturbance.
    Undisturbed,
    /// It was disturbed, and what had to hold did hold.
    Held,
}

impl Scenario {
    /// All, by name.
    pub fn all() -> Vec<Self> {
        let folder = root().join("tests/scenarios");
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("the scenarios are there")
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names.iter().map(|name| Self::named(name)).collect()
    }

    /// One of them.
    pub fn named(name: &str) -> Self {
        let folder = root().join("tests/scenarios").join(name);
        let text = |file: &str| fs::read_to_string(folder.join(file)).ok();
        let there = text("there.json").map(|text| serde_json::from_str(&text).expect("there.json is JSON"));
        let scenario = Self {
            name: name.to_owned(),
            before: text("before.aks"),
            after: text("after.aks"),
            there: there.unwrap_or_default(),
        };
        assert!(scenario.before.is_some() || scenario.after.is_some(), "{name} is a scenario");
        scenario
    }

    fn goal(&self) -> (&str, Mode) {
        match (&self.after, &self.before) {
            (Some(after), _) => (after, Mode::Apply),
            (None, before) => (before.as_deref().unwrap_or_default(), Mode::Destroy),
        }
    }

    /// A world as it is when the run begins.
    async fn world(&self) -> World {
        let mut world = World::new();
        // Some scenarios' ledgers get records, and some change from one to the other on the way.
        world.store = world.store.appending_from(4096);
        let subscription = world.emulator.identity().subscription;
        let foreign = "/subscriptions/${subscription}/resourceGroups/foreign-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/foreign";
        let mut there = self.there.clone();
        there.push(serde_json::json!({"id": foreign, "location": "westeurope"}));
        for object in &mut there {
            let id = object["id"].as_str().unwrap().replace("${subscription}", &subscription);
            object["id"] = id.into();
        }
        world.emulator.seed(there).expect("what is there can be seeded");
        if let Some(before) = &self.before {
            world.converge(before).await;
        }
        world
    }

    /// Where it ends if nothing happens, and how many requests that takes.
    pub async fn undisturbed(&self) -> (EndState, usize) {
        let world = self.world().await;
        world.god().clear_request_log();
        let (text, mode) = self.goal();
        let outcome = world.run(text, mode, &Cancel::new()).await;
        assert_eq!(outcome.report.end, End::Done, "{}: {:#?}", self.name, outcome.report.diagnostics);
        let requests = world.god().requests().len();
        self.settle(&world).await.unwrap_or_else(|why| panic!("{}: {why}", self.name));
        (end_state(&world), requests)
    }

    /// Plays it with a disturbance.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn disturbed(&self, by: Disturbance, expected: &EndState) -> Result<Came, String> {
        let mut world = self.world().await;
        let foreign = foreign(&world);
        let (text, mode) = self.goal();
        let disturbed = match by {
            Disturbance::Kill(kill) => world.kill(text, mode, kill).await,
            Disturbance::Kills(first, second) => {
                world.kill(text, mode, first).await && world.kill(text, mode, second).await
            }
            Disturbance::Trouble(at, trouble) => {
                world.god().clear_request_log();
                world.trouble = Some((at, trouble));
                let outcome = world.attempt(text, mode, &Cancel::new()).await;
                world.trouble = None;
                if let Ok(outcome) = &outcome
                    && outcome.report.end != End::Done
                    && !outcome.report.diagnostics.has_errors()
                {
                    return Err(format!("it ended {:?} and does not say why", outcome.report.end));
                }
                world.god().requests().len() >= at
            }
        };
        self.settle(&world).await?;
        let state = end_state(&world);
        if state != *expected {
            return Err(format!("it ends elsewhere: {}", difference(expected, &state)));
        }
        if foreign != self::foreign(&world) {
            return Err("something foreign was touched".to_owned());
        }
        Ok(if disturbed { Came::Held } else { Came::Undisturbed })
    }

    /// After two runs at most the plan is empty and the ledger says what was declared.
    async fn settle(&self, world: &World) -> Result<(), String> {
        /// What a dead run began may still be under way when the next one reads.
        const RUNS: usize = 3;
        let (text, mode) = self.goal();
        let mut said = String::new();
        for _ in 0..RUNS {
            match world.attempt(text, mode, &Cancel::new()).await {
                Ok(outcome)
                    if outcome.plan.is_empty() && outcome.plan.changes.iter().all(|change| !change.work.is_step()) =>
                {
                    return self.recorded(world);
                }
                Ok(outcome) => said = format!("{:?} {:#?}", outcome.report.counts, outcome.report.diagnostics),
                Err(why) => said = why,
            }
        }
        Err(format!("the plan is not empty after {RUNS} runs: {said}"))
    }

    fn recorded(&self, world: &World) -> Result<(), String> {
        let (text, mode) = self.goal();
        let document = world.store.document().ok_or("there is no ledger, or it is damaged")?;
        let declared: Vec<String> = match mode {
            Mode::Destroy => Vec::new(),
            Mode::Apply => {
                let config = world.config(text);
                let own = config.resources.iter().filter(|resource| !resource.existing);
                own.map(|resource| resource.symbolic_id.as_str().to_owned()).collect()
            }
        };
        let left = document.entries.iter().filter(|(id, _)| !declared.iter().any(|declared| declared == id.as_str()));
        let left: Vec<_> = left.map(|(id, entry)| format!("{id} {:?}", entry.owned.state)).collect();
        if !left.is_empty() {
            return Err(format!("the ledger has {left:?}, which nobody declares"));
        }
        match document.entries.values().find(|entry| entry.owned.state != OwnedState::Owned) {
            Some(entry) => Err(format!("the ledger says {:?} of {}", entry.owned.state, entry.owned.id)),
            None => Ok(()),
        }
    }
}

/// Everything in every plane, without what is drawn in its names.
fn end_state(world: &World) -> EndState {
    let snapshot = world.god().snapshot();
    let named = |value: &Value| value["displayName"].as_str().unwrap_or_default().to_owned();
    let objects = snapshot.objects.keys().map(|id| undrawn(id));
    let directory = snapshot.directory.values().map(|object| {
        let members = object["members"].as_array().map_or(0, Vec::len);
        format!("{} {members} {}", named(object), object.get("deletedDateTime").is_some_and(Value::is_string))
    });
    let kubernetes = snapshot.kubernetes.keys().map(|id| undrawn(id));
    let mut state = EndState::new();
    for name in objects.chain(directory).chain(kubernetes) {
        *state.entry(name).or_default() += 1;
    }
    state
}

/// A name with all that looks like a GUID taken out.
fn undrawn(name: &str) -> String {
    let is_guid = |part: &str| part.len() == 36 && part.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    let parts: Vec<&str> = name.split('/').map(|part| if is_guid(part) { "GUID" } else { part }).collect();
    parts.join("/")
}

fn foreign(world: &World) -> BTreeMap<String, Value> {
    world.objects().into_iter().filter(|(id, _)| id.contains("/foreign-rg")).collect()
}

fn difference(expected: &EndState, found: &EndState) -> String {
    let names = expected.keys().chain(found.keys().filter(|name| !expected.contains_key(*name)));
    let differs = names.filter(|name| expected.get(*name) != found.get(*name));
    let told = |state: &EndState, name: &String| state.get(name).copied().unwrap_or_default();
    differs
        .map(|name| format!("{name}: {} and not {}", told(found, name), told(expected, name)))
        .collect::<Vec<_>>()
        .join(", ")
}
