//! Making, changing and deleting objects.

use http::StatusCode;
use serde_json::{Value, json};

use super::fields::Body;
use super::managed::{self, Writer};
use super::rights::{self, Attempt};
use super::status::{self, Cause, Outcome};
use super::{Call, Target, json_patch, list, protobuf, reviews, store, strategic, validate};
use crate::reply::{self, Answer, WithHeader};
use crate::world::KubeObject;

/// The longest name of a field manager.
const LONGEST_MANAGER: usize = 128;

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// A change that is ready but for its record.
struct Change {
    body: Body,
    dry_run: bool,
    manager: String,
}

fn is_dry_run(call: &Call<'_>) -> Outcome<bool> {
    match call.visit.query.get("dryRun") {
        None | Some("") => Ok(false),
        Some("All") => Ok(true),
        Some(other) => {
            let cause = Cause {
                reason: "FieldValueNotSupported",
                message: format!("Unsupported value: {other:?}: supported values: \"All\""),
                field: "dryRun".to_owned(),
            };
            Err(status::invalid_as("PatchOptions.meta.k8s.io", "", &[cause]))
        }
    }
}

/// The field manager: as given, else the client's name.
fn manager(call: &Call<'_>, required: bool) -> Outcome<String> {
    let given = call.visit.query.get("fieldManager").unwrap_or_default();
    let refuse = |cause| Err(status::invalid_as("PatchOptions.meta.k8s.io", "", &[cause]));
    if given.len() > LONGEST_MANAGER {
        return refuse(Cause {
            reason: "FieldValueTooLong",
            message: format!("Too long: may not be more than {LONGEST_MANAGER} bytes"),
            field: "fieldManager".to_owned(),
        });
    }
    if !given.is_empty() {
        return Ok(given.to_owned());
    }
    if required {
        return refuse(Cause::required("fieldManager", "is required for apply patch"));
    }
    let agent = call.visit.header("user-agent").unwrap_or_default();
    let name = agent.split('/').next().filter(|name| !name.is_empty()).unwrap_or("unknown");
    Ok(name.chars().take(LONGEST_MANAGER).collect())
}

/// The body as an object, of JSON, of YAML or of the binary form.
pub(super) fn read(call: &Call<'_>) -> Outcome<Body> {
    let bytes = &call.visit.body;
    if call.visit.header("content-type").is_some_and(|kind| kind.starts_with(protobuf::MEDIA)) {
        return protobuf::read(bytes)
            .map_err(|detail| status::unsupported_media(&format!("application/json, application/yaml ({detail})")));
    }
    let json: Result<Value, _> = serde_json::from_slice(bytes);
    let value = json.or_else(|error| {
        let yaml = call.visit.header("content-type").is_some_and(|kind| kind.contains("yaml"));
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        if yaml { serde_saphyr::from_str(text).map_err(|error| error.to_string()) } else { Err(error.to_string()) }
    });
    match value {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(status::bad_request("the object provided is unrecognized (must be of type object)")),
        Err(detail) => Err(status::bad_request(format!("error decoding the body: {detail}"))),
    }
}

fn metadata(body: &mut Body) -> &mut Body {
    let metadata = body.entry("metadata").or_insert_with(|| json!({}));
    if !metadata.is_object() {
        *metadata = json!({});
    }
    metadata.as_object_mut().expect("it was just made an object")
}

fn text<'a>(body: &'a Body, name: &str) -> &'a str {
    body.get("metadata").and_then(|metadata| metadata.get(name)).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a body is of the kind and place that the path says.
pub(super) fn fits(target: &Target, body: &mut Body) -> Outcome<()> {
    let kind = target.kind;
    let said = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, word) = (said("apiVersion"), said("kind"));
    if (!api_version.is_empty() && api_version != kind.api_version()) || (!word.is_empty() && word != kind.word) {
        return Err(status::bad_request(format!(
            "{word} in version \"{api_version}\" cannot be handled as a {}: the object provided is unrecognized",
            kind.word
        )));
    }
    if body.get("metadata").is_some_and(|metadata| !metadata.is_object()) {
        return Err(status::bad_request("metadata must be of type object"));
    }
    let (name, namespace) = (text(body, "name").to_owned(), text(body, "namespace").to_owned());
    if !target.name.is_empty() && !name.is_empty() && name != target.name {
        return Err(status::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            target.name
        )));
    }
    if let Some(own) = target.namespace.as_ref().filter(|own| !namespace.is_empty() && **own != namespace) {
        return Err(status::bad_request(format!(
            "the namespace of the provided object does not match the namespace sent on the request ({own})"
        )));
    }
    // In front, as the server writes them.
    let rest = std::mem::take(body);
    body.insert("apiVersion".to_owned(), kind.api_version().into());
    body.insert("kind".to_owned(), kind.word.into());
    body.extend(rest.into_iter().filter(|(name, _)| name != "apiVersion" && name != "kind"));
    let metadata = metadata(body);
    if !target.name.is_empty() {
        metadata.insert("name".to_owned(), target.name.as_str().into());
    }
    match target.namespace.as_ref().filter(|_| kind.namespaced) {
        Some(namespace) => metadata.insert("namespace".to_owned(), namespace.as_str().into()),
        None => metadata.remove("namespace"),
    };
    Ok(())
}

/// Refuses, drops or reports fields that the kind does not have, as the request wants it.
fn strict(call: &Call<'_>, target: &Target, body: &mut Body) -> Outcome<Vec<String>> {
    let unknown = validate::unknown_fields(target.kind, body);
    validate::drop_unknown(&unknown, body);
    let said: Vec<String> = unknown.iter().map(|field| format!("unknown field \"{field}\"")).collect();
    match call.visit.query.get("fieldValidation").unwrap_or("Warn") {
        "Strict" if !said.is_empty() => Err(status::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
            target.kind.word,
            target.kind.version,
            target.kind.word,
            said.join(", ")
        ))),
        "Ignore" => Ok(Vec::new()),
        _ => Ok(said),
    }
}

/// Whether new content may come into the target's namespace.
fn check_namespace(call: &Call<'_>, target: &Target, name: &str) -> Outcome<()> {
    let Some(namespace) = target.namespace.as_ref().filter(|_| target.kind.namespaced) else { return Ok(()) };
    let spaces = store::kind("namespaces").ok_or_else(status::no_such_path)?;
    match call.state.world.kube_objects.get(&store::key(&target.cluster, spaces, None, namespace)) {
        None => Err(status::not_found(spaces, namespace)),
        Some(row) if row.ends.is_some() => Err(status::terminating(target.kind, name, namespace)),
        Some(_) => Ok(()),
    }
}

/// `POST` to a collection.
pub(super) fn create(call: &mut Call<'_>, target: &Target) -> Outcome {
    if reviews::is_one(target.kind) {
        return reviews::answer(call, target);
    }
    let dry_run = is_dry_run(call)?;
    let manager = manager(call, false)?;
    let mut body = read(call)?;
    fits(target, &mut body)?;
    let warnings = strict(call, target, &mut body)?;
    let stem = text(&body, "generateName").to_owned();
    if text(&body, "name").is_empty() && !stem.is_empty() {
        let dice = if dry_run { &mut call.state.world.luck } else { &mut call.state.world.dice };
        let name = format!("{stem}{}", dice.hex(1).get(..5).unwrap_or_default());
        metadata(&mut body).insert("name".to_owned(), name.into());
    }
    let name = validate::name_of(&body).to_owned();
    check_namespace(call, target, &name)?;
    let target = Target { name: name.clone(), ..target.clone() };
    if call.state.world.kube_objects.contains(&target.key()) {
        return Err(status::already_exists(target.kind, &name));
    }
    let body = insert(call, &target, Change { body, dry_run, manager })?;
    Ok(shown(StatusCode::CREATED, &body, &warnings))
}

/// Stores a new object, complete.
fn insert(call: &mut Call<'_>, target: &Target, change: Change) -> Outcome<Body> {
    let Change { mut body, dry_run, manager } = change;
    validate::complete(target.kind, &mut body);
    validate::check(target.kind, &body, None)?;
    let now = call.now;
    identify(call, target, &mut body, dry_run);
    let api_version = target.kind.api_version();
    managed::after_update(None, &mut body, Writer { manager: &manager, api_version: &api_version, now });
    finish_insert(call, target, &mut body, dry_run);
    Ok(body)
}

/// What the server says of a new object: id, date, generation.
fn identify(call: &mut Call<'_>, target: &Target, body: &mut Body, dry_run: bool) {
    let dice = if dry_run { &mut call.state.world.luck } else { &mut call.state.world.dice };
    let (uid, now) = (dice.guid(), call.now);
    let metadata = metadata(body);
    for name in ["resourceVersion", "deletionTimestamp", "selfLink", "managedFields", "generation"] {
        metadata.remove(name);
    }
    metadata.insert("uid".to_owned(), uid.into());
    metadata.insert("creationTimestamp".to_owned(), now.to_seconds().into());
    if target.kind.counted {
        metadata.insert("generation".to_owned(), 1.into());
    }
}

fn finish_insert(call: &mut Call<'_>, target: &Target, body: &mut Body, dry_run: bool) {
    if dry_run {
        return;
    }
    let world = &mut call.state.world;
    let version = store::next_version(world, &target.cluster);
    metadata(body).insert("resourceVersion".to_owned(), version.into());
    world.kube_objects.insert(target.key(), KubeObject { body: body.clone(), ends: None });
    if target.kind.plural == "namespaces" {
        store::furnish_namespace(world, &target.cluster, &target.name, call.now);
    }
}

pub(super) fn shown(code: StatusCode, body: &Body, warnings: &[String]) -> Answer {
    let answer = reply::typed(code, "application/json", Value::Object(body.clone()).to_string().into());
    if warnings.is_empty() {
        return answer;
    }
    let warnings: Vec<String> = warnings.iter().map(|text| format!("299 - {text:?}")).collect();
    answer.with("warning", &warnings.join(", "))
}

/// `PUT` of an object.
pub(super) fn replace(call: &mut Call<'_>, target: &Target) -> Outcome {
    let dry_run = is_dry_run(call)?;
    let manager = manager(call, false)?;
    let mut body = read(call)?;
    fits(target, &mut body)?;
    let warnings = strict(call, target, &mut body)?;
    let old = current(call, target)?;
    let body = update(call, target, &old, Change { body, dry_run, manager })?;
    Ok(shown(StatusCode::OK, &body, &warnings))
}

fn current(call: &Call<'_>, target: &Target) -> Outcome<Body> {
    let row = call.state.world.kube_objects.get(&target.key());
    row.map(|row| row.body.clone()).ok_or_else(|| status::not_found(target.kind, &target.name))
}

/// Stores an object over an old one; a change that changes nothing is none.
fn update(call: &mut Call<'_>, target: &Target, old: &Body, change: Change) -> Outcome<Body> {
    let Change { mut body, dry_run, manager } = change;
    carry_over(target, old, &mut body)?;
    validate::complete(target.kind, &mut body);
    let api_version = target.kind.api_version();
    managed::after_update(Some(old), &mut body, Writer { manager: &manager, api_version: &api_version, now: call.now });
    finish_update(call, target, old, &mut body, dry_run)?;
    Ok(body)
}

/// Keeps what only the server sets, and refuses an outdated write.
fn carry_over(target: &Target, old: &Body, body: &mut Body) -> Outcome<()> {
    let version = text(body, "resourceVersion");
    if !version.is_empty() && version != text(old, "resourceVersion") {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(status::conflict(target.kind, &target.name, why));
    }
    let uid = text(body, "uid");
    if !uid.is_empty() && uid != text(old, "uid") {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", text(old, "uid"));
        return Err(status::conflict(target.kind, &target.name, &why));
    }
    let before = old.get("metadata").and_then(Value::as_object);
    let metadata = metadata(body);
    for name in ["uid", "creationTimestamp", "deletionTimestamp", "generation", "resourceVersion", "managedFields"] {
        match before.and_then(|before| before.get(name)) {
            Some(value) => metadata.insert(name.to_owned(), value.clone()),
            None => metadata.remove(name),
        };
    }
    match old.get("status") {
        Some(status) => body.insert("status".to_owned(), status.clone()),
        None => body.remove("status"),
    };
    Ok(())
}

fn finish_update(call: &mut Call<'_>, target: &Target, old: &Body, body: &mut Body, dry_run: bool) -> Outcome<()> {
    validate::complete(target.kind, body);
    validate::check(target.kind, body, Some(old))?;
    if body == old {
        return Ok(());
    }
    if target.kind.counted && body.get("spec") != old.get("spec") {
        let metadata = metadata(body);
        let generation = metadata.get("generation").and_then(Value::as_u64).unwrap_or(1);
        metadata.insert("generation".to_owned(), (generation + 1).into());
    }
    if dry_run {
        return Ok(());
    }
    let world = &mut call.state.world;
    let version = store::next_version(world, &target.cluster);
    metadata(body).insert("resourceVersion".to_owned(), version.into());
    // The last finalizer is taken off something that was deleted before.
    let free =
        !text(body, "deletionTimestamp").is_empty() && !has_finalizers(body) && target.kind.plural != "namespaces";
    if free {
        world.kube_objects.remove(&target.key());
    } else {
        let body = body.clone();
        world.kube_objects.edit(&target.key(), |row| row.body = body);
    }
    Ok(())
}

fn has_finalizers(body: &Body) -> bool {
    let list = body.get("metadata").and_then(|metadata| metadata.get("finalizers")).and_then(Value::as_array);
    list.is_some_and(|list| !list.is_empty())
}

/// `PATCH` of an object: what kind of patch is said by its type.
pub(super) fn patch(call: &mut Call<'_>, target: &Target) -> Outcome {
    let kind = call.visit.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
    match kind.as_str() {
        APPLY | "application/apply-patch" => apply(call, target),
        // Nobody knows how to merge the lists of a custom kind.
        STRATEGIC if target.kind.group == super::kinds::STORE => {
            Err(status::unsupported_media(&format!("{JSON}, {MERGE}, {APPLY}")))
        }
        JSON | MERGE | STRATEGIC => {
            let dry_run = is_dry_run(call)?;
            let manager = manager(call, false)?;
            let old = current(call, target)?;
            let mut body = patched(call, target, &kind, &old)?;
            fits(target, &mut body)?;
            let warnings = strict(call, target, &mut body)?;
            let body = update(call, target, &old, Change { body, dry_run, manager })?;
            Ok(shown(StatusCode::OK, &body, &warnings))
        }
        _ => Err(status::unsupported_media(&format!("{JSON}, {MERGE}, {STRATEGIC}, {APPLY}"))),
    }
}

/// An object after a patch of a kind that is no apply.
fn patched(call: &Call<'_>, target: &Target, kind: &str, old: &Body) -> Outcome<Body> {
    if kind == JSON {
        let operations: Value = serde_json::from_slice(&call.visit.body)
            .map_err(|error| status::bad_request(format!("error decoding patch: {error}")))?;
        let refused = |detail: String| status::unprocessable(target.kind, &target.name, &detail);
        return match json_patch::patch(&Value::Object(old.clone()), &operations).map_err(refused)? {
            Value::Object(body) => Ok(body),
            _ => Err(refused("it leaves no object".to_owned())),
        };
    }
    let change = read(call)?;
    let mut body = old.clone();
    if kind == STRATEGIC {
        strategic::patch(&mut body, change).map_err(status::bad_request)?;
    } else {
        merge_patch(&mut body, change);
    }
    Ok(body)
}

/// RFC 7386.
fn merge_patch(body: &mut Body, change: Body) {
    for (name, value) in change {
        match value {
            Value::Null => {
                body.remove(&name);
            }
            Value::Object(change) => {
                let inner = body.entry(name).or_insert_with(|| json!({}));
                if !inner.is_object() {
                    *inner = json!({});
                }
                if let Value::Object(inner) = inner {
                    merge_patch(inner, change);
                }
            }
            other => {
                body.insert(name, other);
            }
        }
    }
}

/// Does what the nulls of a patch ask for, and takes them out of it.
fn take_nulls(body: &mut Body, change: &mut Body) {
    change.retain(|name, value| match value {
        Value::Null => {
            body.remove(name);
            false
        }
        Value::Object(change) => {
            let mut nothing = Body::new();
            let inner = body.get_mut(name).and_then(Value::as_object_mut).unwrap_or(&mut nothing);
            take_nulls(inner, change);
            true
        }
        _ => true,
    });
}

/// Server-side apply.
fn apply(call: &mut Call<'_>, target: &Target) -> Outcome {
    let dry_run = is_dry_run(call)?;
    let manager = manager(call, true)?;
    let force = matches!(call.visit.query.get("force"), Some("true" | "1"));
    let mut body = read(call)?;
    if body.get("apiVersion").is_none() || body.get("kind").is_none() {
        return Err(status::bad_request("apiVersion and kind must be set in an apply patch"));
    }
    if body.get("metadata").and_then(|metadata| metadata.get("managedFields")).is_some_and(|list| !list.is_null()) {
        return Err(status::bad_request("metadata.managedFields must be nil"));
    }
    fits(target, &mut body)?;
    let unknown = validate::unknown_fields(target.kind, &body);
    if let Some(field) = unknown.first() {
        return Err(status::bad_request(format!(
            "failed to create typed patch object ({}{}; {}, Kind={}): .{field}: field not declared in schema",
            target.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default(),
            target.name,
            target.kind.api_version(),
            target.kind.word
        )));
    }
    let mut nothing = Body::new();
    take_nulls(&mut nothing, &mut body);
    if target.kind.plural == "secrets" {
        // Written as plain text it is owned as it is stored.
        let kind = body.contains_key("type");
        validate::complete(target.kind, &mut body);
        if !kind {
            body.remove("type");
        }
    }
    let api_version = target.kind.api_version();
    let writer = Writer { manager: &manager, api_version: &api_version, now: call.now };
    let row = call.state.world.kube_objects.get(&target.key());
    let Some(old) = row.map(|row| row.body.clone()) else {
        let attempt = Attempt::new("create", target.kind, target.namespace.as_deref(), &target.name);
        if let Err(why) = rights::check(&call.state.world, &target.cluster, &target.user, attempt, call.now) {
            let (user, namespace) = (&target.user.name, target.namespace.as_deref());
            return Err(status::forbidden(user, "create", target.kind, namespace, &target.name, why));
        }
        if !text(&body, "resourceVersion").is_empty() || !text(&body, "uid").is_empty() {
            let why = "StorageError: invalid object, Code: 4: the object to be changed does not exist";
            return Err(status::conflict(target.kind, &target.name, why));
        }
        check_namespace(call, target, &target.name)?;
        let mut new = managed::apply(None, &body, writer, force)?;
        let owners = new.get("metadata").and_then(|metadata| metadata.get("managedFields")).cloned();
        validate::complete(target.kind, &mut new);
        validate::check(target.kind, &new, None)?;
        identify(call, target, &mut new, dry_run);
        if let Some(owners) = owners {
            metadata(&mut new).insert("managedFields".to_owned(), owners);
        }
        finish_insert(call, target, &mut new, dry_run);
        return Ok(shown(StatusCode::CREATED, &new, &[]));
    };
    let mut sent = body.clone();
    carry_over(target, &old, &mut sent)?;
    let metadata_sent = metadata(&mut body);
    for name in ["resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "deletionTimestamp"] {
        metadata_sent.remove(name);
    }
    body.remove("status");
    let mut new = managed::apply(Some(&old), &body, writer, force)?;
    finish_update(call, target, &old, &mut new, dry_run)?;
    Ok(shown(StatusCode::OK, &new, &[]))
}

/// `DELETE` of an object: at once, unless something holds it.
pub(super) fn delete(call: &mut Call<'_>, target: &Target) -> Outcome {
    let options = if call.visit.body.is_empty() { Body::new() } else { read(call)? };
    let dry_run = is_dry_run(call)? || options.get("dryRun").and_then(|list| list.get(0)) == Some(&json!("All"));
    let old = current(call, target)?;
    for (name, shown) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let wanted = options.get("preconditions").and_then(|conditions| conditions.get(name)).and_then(Value::as_str);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != text(&old, name)) {
            let why = format!(
                "Precondition failed: {shown} in precondition: {wanted}, {shown} in object meta: {}",
                text(&old, name)
            );
            return Err(status::conflict(target.kind, &target.name, &why));
        }
    }
    let protected = ["default", "kube-system", "kube-public"];
    if target.kind.plural == "namespaces" && protected.contains(&target.name.as_str()) {
        return Err(status::refused(target.kind, &target.name, "this namespace may not be deleted"));
    }
    let held = target.kind.plural == "namespaces" || has_finalizers(&old);
    if !dry_run {
        remove(call, target, &old);
    }
    if !held {
        return Ok(status::deleted(target.kind, &target.name, text(&old, "uid")));
    }
    let row = call.state.world.kube_objects.get(&target.key());
    let body = row.map_or(old, |row| row.body.clone());
    Ok(shown(StatusCode::OK, &body, &[]))
}

fn remove(call: &mut Call<'_>, target: &Target, old: &Body) {
    let (key, now) = (target.key(), call.now);
    let world = &mut call.state.world;
    let version = store::next_version(world, &target.cluster);
    if target.kind.plural == "namespaces" {
        if text(old, "deletionTimestamp").is_empty() {
            store::begin_termination(world, &key, now);
        }
    } else if has_finalizers(old) {
        world.kube_objects.edit(&key, |row| {
            let metadata = metadata(&mut row.body);
            metadata.entry("deletionTimestamp").or_insert_with(|| now.to_seconds().into());
            metadata.insert("resourceVersion".to_owned(), version.into());
        });
    } else {
        world.kube_objects.remove(&key);
    }
}

/// `DELETE` of a collection.
pub(super) fn delete_all(call: &mut Call<'_>, target: &Target) -> Outcome {
    let dry_run = is_dry_run(call)?;
    let found = list::selected(call, target)?;
    for (_, body) in found.iter().filter(|_| !dry_run) {
        let namespace = Some(text(body, "namespace").to_owned()).filter(|namespace| !namespace.is_empty());
        let one = Target { name: validate::name_of(body).to_owned(), namespace, ..target.clone() };
        remove(call, &one, body);
    }
    let items: Vec<&Body> = found.iter().map(|(_, body)| body).collect();
    let version = call.state.world.kube_clusters.get(&target.cluster).map_or(1, |row| row.version);
    let body = json!({
        "kind": format!("{}List", target.kind.word),
        "apiVersion": target.kind.api_version(),
        "metadata": { "resourceVersion": version.to_string() },
        "items": items,
    });
    Ok(reply::typed(StatusCode::OK, "application/json", body.to_string().into()))
}
