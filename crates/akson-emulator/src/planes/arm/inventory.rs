//! `GET .../resources`: what there is, without its properties; and the filters of such lists.

use std::borrow::Cow;

use http::Method;
use serde_json::{Map, Value};

use super::{Call, list, place_key};
use crate::errors::{self, Outcome, Refusal};
use crate::id::group_key;
use crate::world::Object;

pub(super) fn list(call: &mut Call<'_>, subscription: &str, group: Option<&str>) -> Outcome {
    if call.visit.method != Method::GET {
        return Err(errors::method_not_allowed(call.visit.method.as_str()));
    }
    if let Some(group) = group
        && !call.state.world.objects.contains(&group_key(subscription, group))
    {
        return Err(errors::group_not_found(group));
    }
    let filter = Filter::of(call)?;
    let version = call.visit.query.get("api-version").unwrap_or_default();
    let expand = call.visit.query.get("$expand").unwrap_or_default().to_ascii_lowercase();
    let prefix = format!("{}/", place_key(subscription, group));
    let after = list::start(call)?;
    let rows = call
        .state
        .world
        .objects
        .starting_with(&prefix, &after)
        .filter(|(key, object)| is_tracked(key, object))
        .filter(|(_, object)| filter.holds(&object.body))
        .map(|(key, object)| (key, Cow::<Map<String, Value>>::Owned(entry(object, &expand, version))));
    Ok(list::page(call, rows))
}

/// Only what has a location is in the inventory; groups are not.
fn is_tracked(key: &str, object: &Object) -> bool {
    key.contains("/providers/") && object.body.contains_key("location")
}

fn entry(object: &Object, expand: &str, version: &str) -> Map<String, Value> {
    let mut entry = Map::new();
    for name in ["id", "name", "type", "location", "tags", "sku", "kind", "managedBy", "identity", "plan", "zones"] {
        if let Some(value) = object.body.get(name) {
            entry.insert(name.to_owned(), value.clone());
        }
    }
    entry.insert("name".to_owned(), full_name(object.id()).into());
    // Recorded: newer versions say who made it, of what says so itself.
    if let Some(system) = object.body.get("systemData").filter(|_| version >= "2024-11") {
        entry.insert("systemData".to_owned(), system.clone());
    }
    if expand.contains("createdtime") {
        entry.insert("createdTime".to_owned(), object.created.to_string().into());
    }
    if expand.contains("changedtime") {
        entry.insert("changedTime".to_owned(), object.changed.to_string().into());
    }
    if expand.contains("provisioningstate") {
        entry.insert("provisioningState".to_owned(), object.property("provisioningState").into());
    }
    entry
}

/// `parent/child`, as the inventory names children (recorded).
fn full_name(id: &str) -> String {
    let after = id.rsplit_once("/providers/").map_or(id, |(_, after)| after);
    let names: Vec<&str> = after.split('/').skip(2).step_by(2).collect();
    names.join("/")
}

/// A `$filter` of the kind `field eq 'value' and field eq 'value'`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    all: Vec<Condition>,
}

#[derive(Debug, PartialEq, Eq)]
struct Condition {
    field: String,
    equal: bool,
    value: String,
}

impl Filter {
    pub(super) fn of(call: &Call<'_>) -> Result<Self, Refusal> {
        call.visit.query.get("$filter").map_or_else(|| Ok(Self::default()), Self::parse)
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        let invalid = || {
            errors::invalid(
                "InvalidFilterInQueryString",
                format!("Invalid $filter '{text}' specified in the query string."),
            )
        };
        let mut all = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (field, after) = rest.split_once(' ').ok_or_else(invalid)?;
            let (operator, after) = after.trim_start().split_once(' ').ok_or_else(invalid)?;
            let (value, after) = quoted(after.trim_start()).ok_or_else(invalid)?;
            let equal = match operator.to_ascii_lowercase().as_str() {
                "eq" => true,
                "ne" => false,
                _ => return Err(invalid()),
            };
            let field = field.to_ascii_lowercase();
            let known = ["resourcetype", "name", "location", "resourcegroup", "tagname", "tagvalue"];
            if !known.contains(&field.as_str()) {
                return Err(invalid());
            }
            all.push(Condition { field, equal, value });
            rest = after.trim();
            if rest.is_empty() {
                break;
            }
            let (word, after) = rest.split_once(' ').ok_or_else(invalid)?;
            if !word.eq_ignore_ascii_case("and") {
                return Err(invalid());
            }
            rest = after.trim();
        }
        Ok(Self { all })
    }

    /// Whether a body passes. `tagName` and `tagValue` speak of one tag.
    pub(super) fn holds(&self, body: &Map<String, Value>) -> bool {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let tags = body.get("tags").and_then(Value::as_object);
        let tag_name = self.all.iter().find(|condition| condition.field == "tagname").map(|condition| &condition.value);
        self.all.iter().all(|condition| {
            let wanted = condition.value.as_str();
            let found = match condition.field.as_str() {
                "resourcetype" => text("type").eq_ignore_ascii_case(wanted),
                "name" => text("name").eq_ignore_ascii_case(wanted),
                "location" => super::region::canonical(wanted).is_some_and(|wanted| text("location") == wanted),
                "resourcegroup" => text("id").split('/').nth(4).is_some_and(|group| group.eq_ignore_ascii_case(wanted)),
                "tagname" => tags.is_some_and(|tags| tags.keys().any(|name| name.eq_ignore_ascii_case(wanted))),
                _ => tags.is_some_and(|tags| {
                    tags.iter().any(|(name, value)| {
                        tag_name.is_none_or(|wanted| name.eq_ignore_ascii_case(wanted))
                            && value.as_str() == Some(wanted)
                    })
                }),
            };
            found == condition.equal
        })
    }
}

/// A quoted value and what follows; a doubled quote is a quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut value = String::new();
    loop {
        let (part, after) = rest.split_once('\'')?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters() {
        let body = json!({
            "id": "/subscriptions/s/resourceGroups/G/providers/A.B/c/o'x",
            "name": "o'x", "type": "A.B/c", "location": "westus2", "tags": {"Env": "dev", "other": "x"},
        });
        let body = body.as_object().cloned().unwrap_or_default();
        let check = |text: &str, expected: Option<bool>| {
            assert_eq!(Filter::parse(text).ok().map(|filter| filter.holds(&body)), expected, "{text}");
        };
        check("", Some(true));
        check("resourceType eq 'a.b/C'", Some(true));
        check("resourceType eq 'A.B/c' and name eq 'o''x'", Some(true));
        check("name ne 'o''x'", Some(false));
        check("tagName eq 'env' and tagValue eq 'dev'", Some(true));
        check("tagName eq 'env' and tagValue eq 'x'", Some(false));
        check("resourceGroup eq 'g' and location eq 'West US 2'", Some(true));
        check("name eq 'x' and", None);
        check("name eq 'x", None);
        check("name like 'x'", None);
        check("name eq 'x' or name eq 'y'", None);
        check("size eq 'x'", None);
    }

    #[test]
    fn names_of_children() {
        assert_eq!(full_name("/subscriptions/s/resourceGroups/g/providers/A.B/c/d/e/f"), "d/f");
    }
}
