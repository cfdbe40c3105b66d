//! Kinds against Azure's own type data: every place that a kind writes exists there and may be written; what may be written and no
//! kind says is listed with its reason. The data is found by `AKSON_AZURE_DATA`, else in `../shared/azure` beside the repository.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use akson_catalog::{Attribute, Catalog, Type, kind::embedded::KINDS};
use serde_json::Value as Json;

/// What may be written and is left out on purpose.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    ("grant", "/properties/principalType", "follows from the principal, and is always sent where it does"),
    (
        "grant",
        "/properties/delegatedManagedIdentityResourceId",
        "of grants across tenants, which a stack of one tenant has not",
    ),
    ("resource_group", "/managedBy", "set by the service that manages the group, never by people"),
    ("vault", "/properties/enableSoftDelete", "always true: Azure forces it"),
    (
        "vault",
        "/properties/createMode",
        "recovering a deleted vault is the planner's, by the quirk `soft_deleted_name`",
    ),
    ("vault", "/properties/vaultUri", "an output: Azure says it, though the types call it writable"),
    ("vault", "/properties/provisioningState", "Azure says it, though the types call it writable"),
];

/// Places that kinds write and the data does not call by that name.
const ENVELOPE: [&str; 2] = ["/location", "/tags"];

fn folder() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/azure");
    let folder = env::var_os("AKSON_AZURE_DATA").map_or(beside, PathBuf::from).join("types");
    folder.is_dir().then_some(folder)
}

/// The type data of a resource type, of whichever api-version there is.
fn data(folder: &PathBuf, resource_type: &str) -> Option<Json> {
    let start = format!("{}@", resource_type.replace('/', "."));
    let mut names: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.to_lowercase().starts_with(&start.to_lowercase()))
        })
        .collect();
    names.sort();
    Some(serde_json::from_str(&fs::read_to_string(names.last()?).unwrap()).unwrap())
}

fn has_flag(node: &Json, flag: &str) -> bool {
    node["flags"].as_array().is_some_and(|flags| flags.iter().any(|found| found == flag))
}

/// The node of a pointer; `*` stands for the items of a list. An error says which step is not there or is read-only.
fn find<'a>(body: &'a Json, pointer: &str) -> Result<&'a Json, String> {
    let mut node = body;
    for step in pointer.split('/').skip(1) {
        node = if step == "*" { &node["items"] } else { &node["properties"][step] };
        if node.is_null() {
            return Err(format!("`{pointer}` does not exist at `{step}`"));
        }
        if has_flag(node, "readOnly") {
            return Err(format!("`{pointer}` is read-only at `{step}`"));
        }
    }
    Ok(node)
}

/// Every place below a node that may be written, as pointers; lists of objects are walked as `*`, free keys are one place.
fn writable(node: &Json, at: &str, found: &mut BTreeSet<String>) {
    if has_flag(node, "readOnly") {
        return;
    }
    let inner = if node["type"] == "array" && node["items"]["properties"].is_object() {
        (&node["items"], format!("{at}/*"))
    } else {
        (node, at.to_owned())
    };
    match inner.0["properties"].as_object() {
        Some(properties) => {
            for (name, node) in properties {
                writable(node, &format!("{}/{name}", inner.1), found);
            }
        }
        None => {
            found.insert(at.to_owned());
        }
    }
}

/// Every place an attribute writes: with the places inside of the items of lists.
fn written(attribute: &Attribute, found: &mut BTreeSet<String>) {
    found.extend(attribute.creates.keys().cloned());
    for variant in attribute.variants.values() {
        found.extend(variant.writes.keys().chain(variant.creates.keys()).cloned());
        for argument in variant.arguments.values() {
            written(argument, found);
        }
    }
    let Some(pointer) = &attribute.pointer else { return };
    let objects = matches!(&attribute.of, Type::List(item) | Type::Set(item) if matches!(**item, Type::Object(_)));
    if let Some(key) = &attribute.wrap_items {
        found.insert(format!("{pointer}/*/{key}"));
        found.extend(attribute.wrap_with.keys().map(|key| format!("{pointer}/*/{key}")));
    } else if objects {
        let mut fields = BTreeSet::new();
        for field in attribute.fields.values() {
            written(field, &mut fields);
        }
        found.extend(fields.into_iter().map(|field| format!("{pointer}/*{field}")));
    } else {
        found.insert(pointer.clone());
    }
}

/// The words of an enum, ours mapped to Azure's, must be among Azure's.
fn check_words(keyword: &str, attribute: &Attribute, node: &Json, wrong: &mut Vec<String>) {
    let node = if node["items"].is_object() { &node["items"] } else { node };
    let Some(known) = node["enum"].as_array() else { return };
    let ours = attribute
        .values
        .values()
        .chain(attribute.switch.iter().flat_map(|(enabled, disabled)| [Some(enabled), disabled.as_ref()]).flatten());
    for word in ours.filter(|word| !known.contains(word)) {
        wrong.push(format!("{keyword}.{}: Azure does not know the word {word}", attribute.name));
    }
}

#[test]
fn kinds_write_what_azure_takes() {
    let Some(folder) = folder() else {
        eprintln!("skipped: no Azure type data (AKSON_AZURE_DATA, else ../shared/azure)");
        return;
    };
    let mut wrong: Vec<String> = Vec::new();
    for kind in Catalog::builtin().unwrap().iter().filter(|kind| !kind.resource_type.is_empty()) {
        let Some(data) = data(&folder, &kind.resource_type) else {
            wrong.push(format!("{}: no type data of {}", kind.keyword, kind.resource_type));
            continue;
        };
        let body = &data["body"];
        let mut ours = BTreeSet::new();
        for attribute in kind.attributes.values() {
            written(attribute, &mut ours);
        }
        // Keys of tags are free.
        for pointer in ours.iter().filter(|pointer| !pointer.starts_with("/tags/")) {
            if let Err(why) = find(body, pointer) {
                wrong.push(format!("{}: {why}", kind.keyword));
            }
        }
        let arguments = kind
            .attributes
            .values()
            .flat_map(|attribute| attribute.variants.values())
            .flat_map(|variant| variant.arguments.values());
        for attribute in kind.attributes.values().chain(arguments) {
            if let Some(node) = attribute.pointer.as_deref().and_then(|pointer| find(body, pointer).ok()) {
                check_words(&kind.keyword, attribute, node, &mut wrong);
                for field in attribute.fields.values() {
                    let pointer =
                        format!("{}/*{}", attribute.pointer.as_deref().unwrap(), field.pointer.as_deref().unwrap());
                    check_words(&kind.keyword, field, find(body, &pointer).unwrap(), &mut wrong);
                }
            }
        }
        for output in kind.outputs.values() {
            let steps = output.pointer.replace('/', "/properties/");
            if body.pointer(&steps).is_none() {
                wrong.push(format!("{}: there is no output at `{}`", kind.keyword, output.pointer));
            }
        }

        let mut all = BTreeSet::new();
        for (name, node) in body["properties"].as_object().unwrap() {
            if name != "name" {
                writable(node, &format!("/{name}"), &mut all);
            }
        }
        let covered = all.iter().filter(|place| ours.contains(*place)).count();
        let left_out: Vec<_> = LEFT_OUT.iter().filter(|(keyword, ..)| *keyword == kind.keyword).collect();
        println!(
            "{}: {covered} of {} writable properties by attributes, {} left out",
            kind.keyword,
            all.len(),
            left_out.len()
        );
        for place in all.iter().filter(|place| !ours.contains(*place)) {
            match left_out.iter().find(|(_, pointer, _)| pointer == place) {
                Some((_, pointer, reason)) => println!("  {pointer}: {reason}"),
                None => wrong.push(format!("{}: `{place}` may be written and no attribute says it", kind.keyword)),
            }
        }
        for (_, pointer, _) in
            left_out.iter().filter(|(_, pointer, _)| !all.contains(*pointer) || ours.contains(*pointer))
        {
            wrong.push(format!("{}: `{pointer}` need not be in the list of what is left out", kind.keyword));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_left_out_belongs_to_a_kind() {
    for (keyword, pointer, reason) in LEFT_OUT {
        assert!(
            KINDS.iter().any(|kind| kind.name == format!("{keyword}.toml"))
                && pointer.starts_with('/')
                && !reason.is_empty()
        );
        assert!(!ENVELOPE.contains(pointer), "location and tags are every kind's");
    }
}
