//! What the real services answered, imported: the text is right, and its plan against a world that has just that answer adopts
//! and changes nothing. The recordings are not part of the repository: they are found by `AKSON_AZURE_DATA`, else beside it; without
//! them the test says so and passes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table of what was found")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use akson_catalog::{Catalog, kind::Plane};
use akson_config::import::{ImportOptions, Imported, import, kind_of, spread};
use akson_planner::{Action, Plan};
use akson_tests::world::World;
use serde_json::{Value as Json, json};

/// Where management groups are.
const MANAGEMENT: &str = "/providers/Microsoft.Management/managementGroups/";
/// The built-in role Reader.
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// What of an object is not said, or why it is not declared, with the reason; by what the importer says.
const KNOWN: &[(&str, &str, &str)] = &[
    ("*", "it is built in", "nobody made it"),
    ("cluster", ": what it cannot be without", "it has no pool of the mode `system`"),
    ("cluster", "only looked at", "it has no pool of the mode `system`, or the integration that Azure retired"),
    ("cluster", "entra: it is neither", "the integration that Azure retired"),
    ("cluster", "api_server: none", "integration into a network without a subnet of one's own"),
    ("cluster", "egress: none", "a way out of a preview"),
    ("cluster", "node_resource_group_access: `Unspecified`", "a word of a preview"),
    ("cluster", "sku: `Basic`", "the word of an old api-version for `Base`"),
    ("cluster", "tier: `Paid`", "the word of an old api-version for `Standard`"),
    ("cluster", "machines_autoscale: it is of another type", "the shape of a preview"),
    ("node_pool", "machines_autoscale: it is of another type", "the shape of a preview"),
    ("*", "mode: `", "a word of a preview"),
    ("*", "os_sku: `", "a word of a preview"),
    ("node_pool", "workload_runtime: `KataMshvVmIsolation`", "a word of a preview"),
    ("defender", "it is as Azure has it anyway", "Azure always has it"),
    ("defender", "extensions: it would read back", "extensions with settings of their own"),
    ("grant", "its name or its place", "it holds above all subscriptions"),
    ("network", "encryption: it would read back", "an encryption that is off, with a word for when it is on"),
    ("network_security_group", "rule.Microsoft.Databricks", "labels of blocks have no dots"),
    ("policy", "its name or its place", "Azure refuses names that end with a space"),
    ("private_endpoint", "only looked at", "of targets of other tenants, which somebody there must approve"),
    ("role", "a `role` does not lie there", "its id does not say the management group that it lies in"),
    ("service_principal", "only looked at", "its application is not among the objects"),
    ("user", "only looked at", "users are never made"),
];

fn is_known(kind: &str, what: &str) -> bool {
    KNOWN.iter().any(|(of, start, _)| (*of == "*" || *of == kind) && what.starts_with(start))
}

/// Kinds that are looked at; what lies in clusters has no recordings.
fn is_looked_at(plane: Plane) -> bool {
    matches!(plane, Plane::Arm | Plane::Graph)
}

pub fn folder() -> Option<PathBuf> {
    let data = env::var_os("AKSON_AZURE_DATA").map(PathBuf::from);
    let folder = data.unwrap_or_else(|| akson_tests::root().join("../shared/azure")).join("recordings");
    folder.is_dir().then_some(folder)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "jsonl") {
            found.push(path);
        }
    }
}

/// Every exchange, with the name of its recording.
pub fn exchanges(folder: &Path) -> impl Iterator<Item = (String, Json)> {
    let mut paths = Vec::new();
    files(folder, &mut paths);
    paths.into_iter().flat_map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().map(|line| (name.clone(), serde_json::from_str(line).unwrap())).collect();
        lines
    })
}

/// Every answer about objects, by kind: each once.
pub fn answers(folder: &Path) -> BTreeMap<String, Vec<(String, Json)>> {
    let catalog = Catalog::builtin().unwrap();
    let mut found: BTreeMap<String, Vec<(String, Json)>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (name, exchange) in exchanges(folder) {
        let read = exchange["method"] == "GET" && exchange["status"] == 200;
        // Answers of old interfaces have other shapes; what asks for it says so in its address.
        let own = exchange["url"].as_str().is_some_and(|url| {
            url.starts_with("https://management.azure.com/") || url.starts_with("https://graph.microsoft.com/v1.0/")
        });
        if !read || !own {
            continue;
        }
        for object in spread(&[exchange["response_body"].clone()], catalog) {
            let Some(kind) = kind_of(&object, catalog).filter(|kind| is_looked_at(kind.plane)) else { continue };
            if seen.insert(object.to_string()) {
                let place = format!("{name}:{}", exchange["seq"]);
                found.entry(kind.keyword.clone()).or_default().push((place, object));
            }
        }
    }
    found
}

/// What a plan would do beyond adopting, in words.
fn noise(plan: &Plan) -> Vec<String> {
    let mut noise = Vec::new();
    for change in &plan.changes {
        if !matches!(change.action, Action::Adopt | Action::NoOp) {
            noise.push(format!("{} {}", change.action.as_str(), change.address));
        }
        for difference in &change.differences {
            noise.push(format!(
                "{}: {} {:?} -> {:?}",
                change.kind.keyword, difference.pointer, difference.before, difference.after
            ));
        }
    }
    noise
}

fn imported(world: &World, object: &Json) -> Imported {
    let signed_in = world.emulator.identity();
    let options = ImportOptions {
        stack: "recorded".to_owned(),
        tenant: Some(signed_in.tenant),
        token_exchange_audience: "api://AzureADTokenExchange".to_owned(),
        ..ImportOptions::default()
    };
    import(std::slice::from_ref(object), Catalog::builtin().unwrap(), &options)
}

async fn check(object: &Json) -> Result<(bool, Imported), String> {
    let world = World::new();
    let id = object["id"].as_str().unwrap_or_default();
    let above = id.get(..MANAGEMENT.len()).filter(|start| start.eq_ignore_ascii_case(MANAGEMENT));
    if let Some(above) = above.and_then(|start| id.get(start.len()..)) {
        // Above its subscriptions the emulator's user has no rights of its own.
        let group = above.split('/').next().unwrap_or_default();
        let grant = format!("{MANAGEMENT}{group}/providers/Microsoft.Authorization/roleAssignments/{READER}");
        let body = json!({"properties": {
            "principalId": world.emulator.identity().object_id,
            "principalType": "ServicePrincipal",
            "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{READER}"),
        }});
        world.god().put_object(&grant, body).map_err(|error| format!("grant: {error}"))?;
    }
    world.emulator.seed(vec![object.clone()]).map_err(|error| format!("seed: {error}"))?;
    let imported = imported(&world, object);
    if imported.declared.iter().all(|declared| declared.existing) {
        return Ok((false, imported));
    }
    let plan = world.plan(&imported.text).await.map_err(|why| format!("{why}\n{}", imported.text))?;
    let noise = noise(&plan);
    if noise.is_empty() { Ok((true, imported)) } else { Err(format!("{}\n{}", noise.join("\n"), imported.text)) }
}

#[tokio::test(start_paused = true)]
async fn what_azure_answered_is_adopted_as_it_is() {
    let Some(folder) = folder() else {
        eprintln!("skipped: no recordings (AKSON_AZURE_DATA, else ../shared/azure)");
        return;
    };
    let only = env::var("AKSON_RECORDED_KIND").ok();
    let mut wrong = Vec::new();
    for (kind, answers) in
        answers(&folder).into_iter().filter(|(kind, _)| only.as_ref().is_none_or(|only| only == kind))
    {
        let (mut adopted, mut existing, mut unsaid) =
            (0, BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
        let total = answers.len();
        for (place, object) in answers {
            match check(&object).await {
                Ok((is_adopted, imported)) => {
                    adopted += usize::from(is_adopted);
                    if !is_adopted {
                        let why = imported.skipped.first().map_or("only looked at", |skipped| &skipped.why);
                        *existing.entry(why.to_owned()).or_default() += 1;
                    }
                    for unsaid_here in imported.declared.iter().flat_map(|declared| &declared.unsaid) {
                        *unsaid.entry(format!("{}: {}", unsaid_here.attribute, unsaid_here.why)).or_default() += 1;
                    }
                }
                Err(why) => wrong.push(format!("{kind} {place}\n{why}")),
            }
        }
        println!("{kind}: {adopted} of {total} adopted as they are");
        let told = existing.keys().chain(unsaid.keys());
        wrong.extend(told.filter(|what| !is_known(&kind, what)).map(|what| format!("{kind}: {what}")));
        for (why, count) in existing {
            println!("  {count} not declared: {why}");
        }
        for (what, count) in unsaid {
            println!("  {count} unsaid: {what}");
        }
    }
    assert!(wrong.is_empty(), "{} are not adopted as they are:\n{}", wrong.len(), wrong.join("\n\n"));
}
