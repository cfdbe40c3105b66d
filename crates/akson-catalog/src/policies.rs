//! Azure's built-in policy definitions and initiatives of the domain: `data/policies.toml`. Not every one there is, and not what a
//! policy checks: one that is not here is given by its GUID or id, and its parameters are then Azure's to check.

use std::{collections::BTreeMap, sync::LazyLock};

use akson_diagnostics::did_you_mean;
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::ArmId;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Policy definitions.
    Definitions,
    /// Initiatives: policy set definitions.
    Initiatives,
}

/// A built-in definition or initiative.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The name that the portal shows.
    pub name: String,
    /// Names that it had before, or has in some portals.
    #[serde(default)]
    pub also: Vec<String>,
    /// The GUID, in small letters.
    pub guid: String,
    /// What it takes, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Whether `parameters` holds all of them; if not, an unknown one is Azure's to refuse.
    #[serde(default)]
    pub complete: bool,
    /// Whether what it does needs an identity: effects that deploy or change something.
    #[serde(default)]
    pub deploys: bool,
}

/// A parameter of a policy.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its type: `string`, `array`, `object`, `integer`, `boolean`.
    #[serde(rename = "type")]
    pub of: String,
    /// The values that are allowed, letter by letter; all if there is none.
    #[serde(default)]
    pub allowed: Vec<Json>,
    /// What it is if nobody says it; without one it must be given.
    pub default: Option<Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    definitions: Vec<Policy>,
    initiatives: Vec<Policy>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/policies.toml")).expect("the embedded file is two tables; a test reads it")
});

impl Table {
    /// Everything in it, in the file's order.
    pub fn all(self) -> &'static [Policy] {
        match self {
            Table::Definitions => &TABLES.definitions,
            Table::Initiatives => &TABLES.initiatives,
        }
    }

    /// The one of that name; case does not matter.
    pub fn by_name(self, name: &str) -> Option<&'static Policy> {
        let named = |policy: &&Policy| {
            [&policy.name].into_iter().chain(&policy.also).any(|known| known.eq_ignore_ascii_case(name.trim()))
        };
        self.all().iter().find(named)
    }

    /// The one that an id or a GUID stands for.
    pub fn by_id(self, id: &str) -> Option<&'static Policy> {
        let id = ArmId::new(id.trim());
        let guid = id.name();
        let own = id.as_str() == guid || id.folded().starts_with(&self.id("").to_ascii_lowercase());
        self.all().iter().find(|policy| own && policy.guid.eq_ignore_ascii_case(guid))
    }

    /// The id of a built-in by its GUID: built-ins belong to no subscription.
    pub fn id(self, guid: &str) -> String {
        let of = match self {
            Table::Definitions => "policyDefinitions",
            Table::Initiatives => "policySetDefinitions",
        };
        format!("/providers/Microsoft.Authorization/{of}/{guid}")
    }

    /// The id that a name or a GUID stands for; a GUID need not be in the table.
    pub fn find(self, name_or_guid: &str) -> Option<String> {
        let guid = self.by_name(name_or_guid).map_or(name_or_guid.trim(), |policy| &policy.guid);
        Uuid::try_parse(guid).ok().map(|guid| self.id(&guid.to_string()))
    }

    /// The name that was probably meant.
    pub fn near(self, name: &str) -> Option<&'static str> {
        did_you_mean(name, self.all().iter().map(|policy| policy.name.as_str()))
    }
}

impl Parameter {
    /// Why a value may not be given, if it may not: another type, or none of the allowed ones. Case counts: Azure compares it.
    pub fn refuses(&self, value: &Json) -> Option<String> {
        let is = match value {
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
            Json::Bool(_) => "boolean",
            Json::Number(number) if number.is_i64() => "integer",
            Json::Number(_) => "float",
            Json::Null => "null",
        };
        if !self.of.eq_ignore_ascii_case(is) {
            return Some(format!("it takes a value of type {}, and this is of type {is}", self.of));
        }
        let outside = |item: &Json| !self.allowed.is_empty() && !self.allowed.contains(item);
        let items: Vec<&Json> = value.as_array().map_or_else(|| vec![value], |items| items.iter().collect());
        items.into_iter().find(|item| outside(item)).map(|item| {
            let allowed: Vec<String> = self.allowed.iter().map(Json::to_string).collect();
            format!("{item} is none of the allowed values: {}", allowed.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    #[test]
    fn names_guids_and_ids_are_found() {
        let baseline = "Kubernetes cluster pod security baseline standards for Linux-based workloads";
        let id = Table::Initiatives.find(baseline).expect("it is in the table");
        assert_eq!(id, "/providers/Microsoft.Authorization/policySetDefinitions/a8640138-9b0a-4a28-b8cb-1666c838647d");
        assert_eq!(Table::Initiatives.by_id(&id.to_uppercase()).map(|policy| policy.name.as_str()), Some(baseline));
        assert_eq!(Table::Definitions.by_id(&id), None);
        assert_eq!(Table::Definitions.find("no such policy"), None);
        assert!(
            Table::Initiatives
                .near("Kubernetes cluster pod security baseline standard for Linux-based workloads")
                .is_some()
        );
    }

    #[test]
    fn every_entry_is_sound() {
        for table in [Table::Definitions, Table::Initiatives] {
            let mut seen = BTreeSet::new();
            for policy in table.all() {
                let guid = Uuid::try_parse(&policy.guid).expect("a GUID").to_string();
                assert_eq!(guid, policy.guid, "{} in small letters", policy.name);
                assert!(seen.insert(guid), "{} is there twice", policy.name);
                for (name, parameter) in &policy.parameters {
                    if let Some(default) = &parameter.default {
                        assert_eq!(parameter.refuses(default), None, "{}: the default of {name}", policy.name);
                    }
                }
            }
        }
    }

    #[track_caller]
    fn check(value: &Json, refused: Option<&str>) {
        let effect = Parameter {
            of: "string".to_owned(),
            allowed: vec![json!("Audit"), json!("Deny")],
            default: Some(json!("Audit")),
        };
        assert_eq!(effect.refuses(value).as_deref(), refused, "{value}");
    }

    #[test]
    fn values_are_checked_letter_by_letter() {
        check(&json!("Deny"), None);
        check(&json!("deny"), Some("\"deny\" is none of the allowed values: \"Audit\", \"Deny\""));
        check(&json!(true), Some("it takes a value of type string, and this is of type boolean"));
    }
}
