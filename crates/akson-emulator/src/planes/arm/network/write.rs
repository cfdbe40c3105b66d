//! How anything of Microsoft.Network is written and deleted: in its own time, one after the other where
//! things belong together, and with children that stand in their parent's body.

use http::StatusCode;
use serde_json::{Map, Value};

use super::super::body::{self, Body};
use super::super::types::ArmType;
use super::super::{Call, generic, operation, removal, types};
use super::obstacles::{check_busy, check_unused};
use super::profile::{Busy, Delete, Inline, Location, Profile, Writing};
use super::{operation_url, profile_of, references, root_key};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::{ResourceId, Step};
use crate::reply::{self, WithHeader};
use crate::world::{Object, Settling, Work, World};

/// A type of Microsoft.Network, by its description.
pub(super) struct Network(pub(super) &'static Profile);

/// An object as it is going to be.
struct Draft {
    id: ResourceId,
    object: Object,
}

impl ArmType for Network {
    fn spell(&self, id: &ResourceId) -> String {
        id.spelled("resourceGroups", self.0.kind)
    }

    fn name(&self, _id: &ResourceId) -> String {
        self.0.shown.to_owned()
    }

    fn missing(&self, id: &ResourceId) -> Refusal {
        if id.parent().is_some() { errors::network::not_found(&self.spell(id)) } else { errors::resource_not_found(id) }
    }

    /// Recorded: the missing parent itself is what is not found.
    fn without_parent(&self, _verb: &str, _id: &ResourceId, parent: &ResourceId) -> Refusal {
        errors::resource_not_found(parent)
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        check_name(id.name())?;
        let asked = body::read(call)?;
        let existing = call.state.world.objects.get(id.key()).cloned();
        generic::check_conditions(call, existing.as_ref())?;
        check_busy(call, self.0, id, &asked, version)?;
        let mut drafts = Vec::new();
        let gone = self.draft(call, id, &asked, version, &mut drafts)?;
        let before: Vec<Option<Value>> =
            drafts.iter().map(|draft| settled(&call.state.world, draft.id.key())).collect();
        for key in &gone {
            removal::forget(&mut call.state.world, key, call.now);
        }
        // The order matters: a parent gathers the children that are there.
        for Draft { id, object } in drafts.iter().rev() {
            call.state.world.objects.insert(id.key().to_owned(), object.clone());
        }
        removal::tidy(&mut call.state.world, id.key(), call.now);
        self.gather(&mut call.state.world, id.key(), call.now);
        let unchanged = gone.is_empty()
            && drafts
                .iter()
                .zip(&before)
                .all(|(draft, before)| before.is_some() && settled(&call.state.world, draft.id.key()) == *before);
        let keys: Vec<String> = drafts.iter().map(|draft| draft.id.key().to_owned()).collect();
        Ok(self.begin(call, id, &keys, existing.is_some(), unchanged, version))
    }

    /// Tags only, at once.
    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        if id.parent().is_some() {
            return Err(errors::method_not_allowed(call.visit.method.as_str()));
        }
        let change = body::read(call)?;
        let tags = body::tags(&change)?;
        check_busy(call, self.0, id, &change, version)?;
        let now = call.now;
        let answer = call.state.world.objects.edit(id.key(), |object| {
            if let Some(tags) = tags {
                object.body.insert("tags".to_owned(), tags);
            }
            object.changed = now;
            reply::json(StatusCode::OK, &object.view(now))
        });
        answer.ok_or_else(|| self.missing(id))
    }

    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        let Some(object) = call.state.world.objects.get(id.key()).cloned() else {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        };
        check_busy(call, self.0, id, &Body::new(), version)?;
        check_unused(&call.state.world, id.key(), &object)?;
        let Delete::Slow { takes, wait } = self.0.delete else {
            removal::remove(&mut call.state.world, id.key(), call.now);
            return Ok(reply::empty(StatusCode::OK));
        };
        let takes = takes.draw(&mut call.state.world.dice);
        let until = call.now.plus(takes);
        settle_until(&mut call.state.world, id.key(), until, "Deleting");
        if self.0.busy != Busy::Policy
            && let Some(parent) = id.parent()
        {
            settle_until(&mut call.state.world, parent.key(), until, "Updating");
        }
        removal::tidy(&mut call.state.world, id.key(), call.now);
        let work = Work::DeleteObject { key: id.key().to_owned() };
        let token = operation::begin(call, work, object.id().to_owned(), takes);
        let results = if self.0.operations == "nfvOperations" { "nfvOperationResults" } else { "operationResults" };
        // Recorded: a rule collection group is shown once more.
        let answer = match self.0.location {
            Location::OfRoot => reply::json(StatusCode::ACCEPTED, &object.view(call.now)),
            Location::Own | Location::None => reply::empty(StatusCode::ACCEPTED),
        };
        let answer = answer
            .with("azure-asyncoperation", &operation_url(call, id, self.0.operations, &token, version))
            .with("location", &operation_url(call, id, results, &token, version))
            .with("retry-after", wait);
        Ok(answer)
    }

    /// Made-up and seeded objects get what the service fills in; their inline children become objects.
    fn complete(&self, world: &mut World, body: &mut Body, now: WorldTime) {
        let Some(id) = id_of(body) else { return };
        let given = body::properties(body).unwrap_or_default();
        let mut properties = given.clone();
        for inline in self.0.inline {
            let Some(Value::Array(items)) = properties.shift_remove(inline.property) else { continue };
            for item in items {
                let Value::Object(mut child) = item else { continue };
                let Some(name) = child.get("name").and_then(Value::as_str).map(str::to_owned) else { continue };
                let child_id = child_of(&id, inline.property, &name);
                let rules = types::of(&child_id.type_key());
                child.insert("id".to_owned(), rules.spell(&child_id).into());
                child.insert("type".to_owned(), rules.name(&child_id).into());
                rules.complete(world, &mut child, now);
                world.objects.insert(child_id.key().to_owned(), Object::new(child_id.type_key(), child, now));
            }
        }
        let existing = world.objects.get(id.key()).cloned();
        let shown = self.spell(&id);
        let writing = Writing { world, id: &id, existing: existing.as_ref(), shown: &shown, version: "" };
        let kept: Body = properties.clone();
        let mut settled = (self.0.settle)(&writing, without_nulls(properties)).unwrap_or(kept);
        // What the author gave is what stands there, even if the service alone could have said it.
        for (name, value) in given {
            if !self.0.inline.iter().any(|inline| inline.property == name) {
                settled.entry(name).or_insert(value);
            }
        }
        settled.insert("provisioningState".to_owned(), "Succeeded".into());
        if self.0.has_guid {
            settled.entry("resourceGuid").or_insert_with(|| world.dice.guid().into());
        }
        body.insert("properties".to_owned(), Value::Object(settled));
        if let Some((name, tier)) = self.0.sku {
            body::merge_missing(body, "sku", "name", name.into());
            body::merge_missing(body, "sku", "tier", tier.into());
        }
        if matches!(self.0.location, Location::OfRoot)
            && let Some(root) = world.objects.get(&root_key(&id))
        {
            body.entry("location").or_insert_with(|| root.text("location").into());
        }
    }

    fn finish(&self, world: &mut World, key: &str, now: WorldTime) {
        (self.0.finish)(world, key);
        let parent = parent_key(key);
        for key in [Some(key), parent].into_iter().flatten() {
            self.gather(world, key, now);
        }
        references::refresh(world, now);
        stamp(world, key, parent.filter(|_| self.0.busy != Busy::Policy));
    }

    fn gather(&self, world: &mut World, key: &str, now: WorldTime) {
        gather(world, key, now);
    }
}

impl Network {
    /// Works out what a write makes of the object and its inline children. The keys that go with it are
    /// returned.
    fn draft(
        &self,
        call: &mut Call<'_>,
        id: &ResourceId,
        asked: &Body,
        version: &str,
        drafts: &mut Vec<Draft>,
    ) -> Result<Vec<String>, Refusal> {
        let existing = call.state.world.objects.get(id.key()).cloned();
        let tags = body::tags(asked)?;
        let mut location = match self.0.location {
            Location::Own => Some(body::settled_location(asked, id, self.0.kind, existing.as_ref())?),
            Location::None => None,
            Location::OfRoot => {
                call.state.world.objects.get(&root_key(id)).map(|root| root.text("location").to_owned())
            }
        };
        let mut properties = without_nulls(body::properties(asked)?);
        for own in ["provisioningState", "resourceGuid"] {
            properties.shift_remove(own);
        }
        let mut children: Vec<(&Inline, Option<Value>)> = Vec::new();
        for inline in self.0.inline {
            children.push((inline, properties.shift_remove(inline.property)));
        }
        let shown = existing.as_ref().map_or_else(|| self.spell(id), |old| old.id().to_owned());
        let writing = Writing { world: &call.state.world, id, existing: existing.as_ref(), shown: &shown, version };
        let settled = (self.0.settle)(&writing, properties)?;
        references::check(&call.state.world, id, &shown, &settled, call.now)?;
        let mut properties = Body::new();
        properties.insert("provisioningState".to_owned(), "Succeeded".into());
        if self.0.has_guid {
            let guid = writing.before("resourceGuid").cloned();
            let guid = guid.unwrap_or_else(|| call.state.world.dice.guid().into());
            properties.insert("resourceGuid".to_owned(), guid);
        }
        properties.extend(settled);
        let mut body = Body::new();
        body.insert("name".to_owned(), existing.as_ref().map_or(id.name(), |old| old.text("name")).into());
        body.insert("id".to_owned(), shown.into());
        body.insert("etag".to_owned(), existing.as_ref().map_or("", |old| old.text("etag")).into());
        body.insert("type".to_owned(), self.0.shown.into());
        if let Some(location) = location.take() {
            body.insert("location".to_owned(), location.into());
        }
        if let Some(tags) = tags {
            body.insert("tags".to_owned(), tags);
        }
        body.insert("properties".to_owned(), Value::Object(properties));
        for other in ["sku", "zones", "identity", "extendedLocation"] {
            if let Some(value) = asked.get(other).filter(|value| !value.is_null()) {
                body.insert(other.to_owned(), value.clone());
            }
        }
        if let Some((name, tier)) = self.0.sku {
            body::merge_missing(&mut body, "sku", "name", name.into());
            body::merge_missing(&mut body, "sku", "tier", tier.into());
        }
        let mut object = Object::new(id.type_key(), body, call.now);
        object.created = existing.as_ref().map_or(call.now, |old| old.created);
        drafts.push(Draft { id: id.clone(), object });
        let mut gone = Vec::new();
        for (inline, asked) in children {
            gone.extend(draft_children(call, id, inline, asked, version, drafts)?);
        }
        Ok(gone)
    }

    /// Lets the write take its time, and answers.
    fn begin(
        &self,
        call: &mut Call<'_>,
        id: &ResourceId,
        keys: &[String],
        existed: bool,
        unchanged: bool,
        version: &str,
    ) -> reply::Answer {
        let world = &mut call.state.world;
        let empty = Body::new();
        let takes = world.objects.get(id.key()).and_then(Object::properties).unwrap_or(&empty);
        let takes = (self.0.takes)(takes);
        let takes = if unchanged { std::time::Duration::ZERO } else { takes.draw(&mut world.dice) };
        let until = call.now.plus(takes);
        let parent = id.parent().filter(|_| self.0.busy != Busy::Policy);
        stamp(world, id.key(), parent.as_ref().map(ResourceId::key));
        if !unchanged {
            for key in keys.iter().map(String::as_str).chain(parent.as_ref().map(ResourceId::key)) {
                settle_until(world, key, until, "Updating");
            }
            for key in [Some(id.key()), parent.as_ref().map(ResourceId::key)].into_iter().flatten() {
                gather(world, key, call.now);
            }
        }
        let target = world.objects.get(id.key()).map(|object| object.id().to_owned()).unwrap_or_default();
        let token = operation::begin(call, Work::Write { key: id.key().to_owned() }, target, takes);
        let status = if existed { StatusCode::OK } else { StatusCode::CREATED };
        let shown = call.state.world.objects.get(id.key()).map(|object| object.view(call.now).into_owned());
        let answer = reply::json(status, &shown)
            .with("azure-asyncoperation", &operation_url(call, id, self.0.operations, &token, version))
            .with("azure-asyncnotification", "Enabled");
        // Recorded: a write that changes nothing that takes time has the header, and no wait.
        if unchanged { answer } else { answer.with("retry-after", self.0.wait) }
    }
}

/// The children that a parent's write makes, and the keys of those that it removes.
fn draft_children(
    call: &mut Call<'_>,
    parent: &ResourceId,
    inline: &Inline,
    asked: Option<Value>,
    version: &str,
    drafts: &mut Vec<Draft>,
) -> Result<Vec<String>, Refusal> {
    let items = match asked {
        Some(Value::Array(items)) => items,
        Some(_) => {
            return Err(errors::invalid_content(&format!("Error converting value. Path '{}'.", inline.property)));
        }
        None if inline.kept => return Ok(Vec::new()),
        None => Vec::new(),
    };
    let mut named = Vec::new();
    for item in items {
        let Value::Object(item) = item else {
            return Err(errors::invalid_content(&format!("Error converting value. Path '{}[0]'.", inline.property)));
        };
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        check_name(&name)?;
        let id = child_of(parent, inline.property, &name);
        if named.iter().any(|known: &String| known == id.key()) {
            let message =
                format!("Cannot parse the request: the name {name} is used more than once in {}.", inline.property);
            return Err(errors::network::invalid("InvalidRequestFormat", message));
        }
        named.push(id.key().to_owned());
        if let Some(profile) = profile_of(&id.type_key()) {
            Network(profile).draft(call, &id, &item, version, drafts)?;
        }
    }
    let prefix = format!("{}/{}/", parent.key(), inline.kind);
    let world = &call.state.world;
    let gone: Vec<String> = world
        .objects
        .starting_with(&prefix, "")
        .map(|(key, _)| key.to_owned())
        .filter(|key| !named.contains(key) && !key.get(prefix.len()..).unwrap_or_default().contains('/'))
        .collect();
    for key in &gone {
        if let Some(object) = world.objects.get(key) {
            check_unused(world, key, object)?;
        }
    }
    Ok(gone)
}

fn child_of(parent: &ResourceId, kind: &str, name: &str) -> ResourceId {
    let mut steps = parent.steps.clone();
    steps.push(Step { kind: kind.to_owned(), name: name.to_owned() });
    ResourceId::new(parent.place.clone(), parent.scope.clone(), parent.namespace.clone(), steps)
}

fn id_of(body: &Body) -> Option<ResourceId> {
    let id = body.get("id").and_then(Value::as_str)?;
    match super::super::path::Target::parse(id, &http::Method::GET) {
        Some(super::super::path::Target::Resource(id)) => Some(id),
        _ => None,
    }
}

/// The key of the parent of a child, by its own.
fn parent_key(key: &str) -> Option<&str> {
    let (_, below) = key.rsplit_once("/providers/")?;
    (below.split('/').count() > 3).then(|| key.rsplitn(3, '/').nth(2)).flatten()
}

/// The properties of an object, without what changes by itself. Children count for themselves.
fn settled(world: &World, key: &str) -> Option<Value> {
    let object = world.objects.get(key)?;
    let mut properties = object.properties()?.clone();
    properties.shift_remove("provisioningState");
    for inline in profile_of(&object.type_key).map_or(&[][..], |profile| profile.inline) {
        properties.shift_remove(inline.property);
    }
    let mut value = Value::Object(properties);
    without_etags(&mut value);
    Some(value)
}

fn without_etags(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.shift_remove("etag");
            fields.shift_remove("provisioningState");
            fields.values_mut().for_each(without_etags);
        }
        Value::Array(items) => items.iter_mut().for_each(without_etags),
        _ => {}
    }
}

/// Explicit nulls say nothing.
fn without_nulls(body: Body) -> Body {
    body.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::Object(inner) => (name, Value::Object(without_nulls(inner))),
            other => (name, other),
        })
        .collect()
}

fn settle_until(world: &mut World, key: &str, until: WorldTime, state: &str) {
    world.objects.edit(key, |object| object.settling = Some(Settling { until, state: state.to_owned() }));
}

/// Gives an object, its inline children and its parent one new etag (recorded: they share it).
fn stamp(world: &mut World, key: &str, parent: Option<&str>) {
    let root = parent.unwrap_or(key).to_owned();
    let plain = root.contains("/firewallpolicies/");
    let guid = world.dice.guid();
    let etag = if plain { guid } else { format!("W/\"{guid}\"") };
    let profile = world.objects.get(&root).and_then(|object| profile_of(&object.type_key));
    let mut keys = vec![root.clone(), key.to_owned()];
    for inline in profile.map_or(&[][..], |profile| profile.inline) {
        let prefix = format!("{root}/{}/", inline.kind);
        keys.extend(world.objects.starting_with(&prefix, "").map(|(key, _)| key.to_owned()));
    }
    for key in keys {
        world.objects.edit(&key, |object| {
            object.body.insert("etag".to_owned(), etag.as_str().into());
            if let Some(properties) = object.body.get_mut("properties") {
                replace_etags(properties, &etag);
            }
        });
    }
}

fn replace_etags(value: &mut Value, etag: &str) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if name == "etag" { *field = etag.into() } else { replace_etags(field, etag) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace_etags(item, etag)),
        _ => {}
    }
}

/// Writes the inline children of an object into its body, as they show themselves now.
pub(super) fn gather(world: &mut World, key: &str, now: WorldTime) {
    let Some(profile) = world.objects.get(key).and_then(|object| profile_of(&object.type_key)) else { return };
    for inline in profile.inline {
        let prefix = format!("{key}/{}/", inline.kind);
        let children: Vec<Value> = world
            .objects
            .starting_with(&prefix, "")
            .filter(|(child, _)| !child.get(prefix.len()..).unwrap_or_default().contains('/'))
            .map(|(_, child)| Value::Object(child.view(now).into_owned()))
            .collect();
        world.objects.edit(key, |object| {
            let properties = object.body.entry("properties").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(properties) = properties {
                properties.insert(inline.property.to_owned(), children.into());
            }
        });
    }
}

/// 1-80 characters, begins with a letter or digit, ends with one or `_`.
fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = (1..=80).contains(&name.chars().count())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        return Ok(());
    }
    Err(errors::network::invalid(
        "InvalidResourceName",
        format!(
            "Resource name {name} is invalid. The name can be up to 80 characters long. It must begin with a word character, and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'."
        ),
    ))
}
