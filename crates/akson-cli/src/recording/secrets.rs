//! Which secrets may be among what was answered: what the catalog and the configuration call sensitive, by place, and what the configuration
//! knows of them, by value.

use std::collections::BTreeMap;

use akson_azure::{
    recording::{Outcome, Recorded, clean::clean},
    redact::without,
};
use akson_catalog::{
    ArmId, Catalog, Secret, SymbolicId, Value,
    kind::{Attribute, ids::type_of},
};
use akson_config::Config;
use serde_json::Value as Json;

/// A shorter one stands in other texts by chance.
const SHORTEST: usize = 6;

/// What is secret.
struct Secrets<'c> {
    /// Pointers by type, in small letters.
    by_type: BTreeMap<String, Vec<&'c str>>,
    /// Pointers of what was declared.
    by_id: BTreeMap<&'c SymbolicId, Vec<&'c str>>,
    values: Vec<&'c Secret>,
}

/// Takes secrets out of answers.
pub(super) fn remove(answers: &mut [Recorded], config: &Config, catalog: &Catalog) {
    let secrets = Secrets::of(config, catalog);
    for answer in answers {
        if let Outcome::Answer(_, body) = &mut answer.outcome {
            secrets.remove(body);
        }
    }
}

impl<'c> Secrets<'c> {
    fn of(config: &'c Config, catalog: &'c Catalog) -> Self {
        let mut secrets = Self { by_type: BTreeMap::new(), by_id: BTreeMap::new(), values: Vec::new() };
        for kind in catalog.iter() {
            let places = secrets.by_type.entry(kind.resource_type.to_ascii_lowercase()).or_default();
            kind.attributes.values().for_each(|attribute| sensitive(attribute, places));
        }
        for resource in &config.resources {
            let places = resource.leaves.iter().filter(|leaf| leaf.sensitive).map(|leaf| leaf.pointer.as_str());
            secrets.by_id.entry(&resource.symbolic_id).or_default().extend(places);
            resource.attributes.iter().for_each(|(_, value, _)| known(value, &mut secrets.values));
        }
        secrets.values.retain(|secret| secret.expose().len() >= SHORTEST);
        secrets
    }

    fn remove(&self, body: &mut Json) {
        for list in ["value", "items"] {
            if let Some(items) = body.get_mut(list).and_then(Json::as_array_mut) {
                for item in items {
                    self.object(item);
                }
            }
        }
        self.object(body);
    }

    fn object(&self, object: &mut Json) {
        let id = object.get("id").and_then(Json::as_str).map(ArmId::new);
        let mut places: Vec<&str> = Vec::new();
        if let Some(id) = &id {
            let of_type = type_of(id).map(|of| of.to_ascii_lowercase());
            places.extend(of_type.and_then(|of| self.by_type.get(&of)).into_iter().flatten());
            places.extend(self.by_id.get(&SymbolicId::of_arm(id)).into_iter().flatten());
        }
        clean(object, &places);
        for secret in &self.values {
            replace(object, secret);
        }
    }
}

/// The places of sensitive leaves below an attribute.
fn sensitive<'c>(attribute: &'c Attribute, places: &mut Vec<&'c str>) {
    if attribute.sensitive {
        places.extend(attribute.pointer.as_deref());
    }
    attribute.fields.values().for_each(|field| sensitive(field, places));
    let arguments = attribute.variants.values().flat_map(|variant| variant.arguments.values());
    arguments.for_each(|argument| sensitive(argument, places));
}

/// The secrets in a value.
fn known<'c>(value: &'c Value, secrets: &mut Vec<&'c Secret>) {
    match value {
        Value::Sensitive(secret) => secrets.push(secret),
        Value::List(items) => items.iter().for_each(|item| known(item, secrets)),
        Value::Map(entries) | Value::Choice { arguments: entries, .. } => {
            entries.values().for_each(|entry| known(entry, secrets));
        }
        _ => {}
    }
}

fn replace(value: &mut Json, secret: &Secret) {
    match value {
        Json::Object(members) => members.values_mut().for_each(|member| replace(member, secret)),
        Json::Array(items) => items.iter_mut().for_each(|item| replace(item, secret)),
        Json::String(text) => {
            let kept = without(text, secret);
            if kept != *text {
                *text = kept;
            }
        }
        _ => {}
    }
}
