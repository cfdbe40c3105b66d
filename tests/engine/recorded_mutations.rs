//! Single leaves of what the real services answered, changed behind the back of whoever wrote them: each change is found, and the
//! answer itself has none. The recordings are not part of the repository; without them the test says so and passes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table of what was found")]

use std::collections::BTreeMap;

use akson_catalog::{
    Catalog, Kind,
    encode::{Context, Leaf, encode},
    json::{lookup, put, remove},
};
use akson_config::import::{Reading, flatten};
use serde_json::{Value as Json, json};

use crate::recorded_import::{answers, folder};

/// Another value in place of one; none where there is nothing that is certainly another.
fn other(live: &Json) -> Option<Json> {
    Some(match live {
        Json::Bool(flag) => json!(!flag),
        Json::Number(number) => json!(number.as_f64()? + 1.0),
        Json::String(text) if text.is_empty() => return None,
        // Of an id it is often the end that counts.
        Json::String(text) if text.starts_with('/') => json!(format!("{text}7")),
        Json::String(text) => json!(format!("7{text}")),
        Json::Array(items) if items.is_empty() => return None,
        Json::Array(items) => json!(items.get(1..)?),
        Json::Object(_) | Json::Null => return None,
    })
}

/// The leaves that whoever wrote a block of this answer owns.
fn owned(kind: &Kind, name: &str, body: &Json) -> Vec<Leaf> {
    let catalog = Catalog::builtin().unwrap();
    let context = Context::default().with_principals(catalog);
    let reading = Reading { catalog, context: &context, everything: true };
    let (written, _) = reading.attributes(kind, name, body);
    let mut values = Vec::new();
    for written in &written {
        flatten(written, "", &mut values);
    }
    encode(kind, &values, &context).into_iter().filter(|leaf| !leaf.on_create_only).collect()
}

#[test]
fn a_changed_leaf_is_found() {
    let Some(folder) = folder() else {
        eprintln!("skipped: no recordings (AKSON_AZURE_DATA, else ../shared/azure)");
        return;
    };
    let catalog = Catalog::builtin().unwrap();
    let mut hidden: BTreeMap<String, usize> = BTreeMap::new();
    let (mut found, mut phantoms) = (0, Vec::new());
    for (keyword, answers) in answers(&folder) {
        let kind = catalog.get(&keyword).unwrap();
        for (place, body) in answers {
            let name = body["name"].as_str().unwrap_or_default();
            for leaf in owned(kind, name, &body) {
                if leaf.in_sync(&body) == Some(false) {
                    phantoms.push(format!("{keyword} {place}: {}", leaf.pointer));
                }
                let Some(changed) = lookup(&body, &leaf.pointer).and_then(other) else { continue };
                for change in [Some(changed), None] {
                    let mut mutated = body.clone();
                    let taken_away = change.is_none();
                    match change {
                        Some(changed) => put(&mut mutated, &leaf.pointer, changed),
                        None => remove(&mut mutated, &leaf.pointer),
                    }
                    // What is gone may mean just what was there.
                    let silence = taken_away && leaf.in_sync(&mutated) != Some(false);
                    if leaf.in_sync(&mutated) == Some(false) {
                        found += 1;
                    } else if !silence {
                        *hidden.entry(format!("{keyword} {} ({})", leaf.pointer, leaf.attribute)).or_default() += 1;
                    }
                }
            }
        }
    }
    println!("{found} changes of single leaves were found");
    for (place, count) in &hidden {
        println!("  hidden {count}: {place}");
    }
    assert!(phantoms.is_empty(), "{phantoms:#?}");
    assert!(hidden.is_empty(), "{hidden:#?}");
    assert!(found >= 10_000, "only {found}");
}
