//! Whatever the values of a resource are: what is created of them is what they want, and one change to it is found.

use akson_catalog::{
    Attribute, Catalog, Kind, Type, Value,
    body::{body, lay_over},
    decode::decode_attribute,
    encode::{Leaf, encode},
    json::{lookup, put},
    kind::Role,
};
use indexmap::IndexMap;
use proptest::{prelude::*, sample::select, strategy::Union};
use serde_json::{Value as Json, json};

use crate::values::{context, kind, span};

/// Values of an attribute, of its type and within its bounds.
fn values(attribute: &Attribute, of: &Type) -> BoxedStrategy<Value> {
    match of {
        Type::Enum(words) => select(words.clone()).prop_map(Value::Text).boxed(),
        Type::Switch => select(vec!["enabled", "disabled"]).prop_map(|word| Value::Text(word.to_owned())).boxed(),
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Int => {
            let (least, most) = attribute.range.unwrap_or((0, 1000));
            (least..=most).prop_map(Value::Int).boxed()
        }
        Type::Number => (-1000i32..1000).prop_map(|tenth| Value::Decimal(f64::from(tenth) / 10.0)).boxed(),
        Type::Named(name) => named(name),
        Type::Resource(_) => "/subscriptions/s/resourceGroups/[a-z]{1,5}".prop_map(Value::Text).boxed(),
        Type::List(item) | Type::Set(item) => {
            prop::collection::vec(values(attribute, item), 0..4).prop_map(Value::List).boxed()
        }
        Type::Map(_) if attribute.is_raw() => raw(),
        Type::Map(item) => prop::collection::hash_map("[A-Za-z][ -~]{0,8}", values(attribute, item), 0..4)
            .prop_filter("names of tags differ in more than case", |map| {
                let mut keys: Vec<String> = map.keys().map(|key| key.to_ascii_lowercase()).collect();
                keys.sort();
                keys.dedup();
                keys.len() == map.len()
            })
            .prop_map(|map| {
                let mut entries: Vec<_> = map.into_iter().collect();
                entries.sort_by(|one, other| one.0.cmp(&other.0));
                Value::Map(entries.into_iter().collect())
            })
            .boxed(),
        Type::Object(_) => fields(&attribute.fields),
        Type::Choice => Union::new(attribute.variants.iter().map(|(name, variant)| {
            let name = name.clone();
            record(&variant.arguments).prop_map(move |arguments| Value::Choice { name: name.clone(), arguments })
        }))
        .boxed(),
        Type::String | Type::Any => "[a-zA-Z0-9:/._-]{1,12}".prop_map(Value::Text).boxed(),
    }
}

fn named(name: &str) -> BoxedStrategy<Value> {
    let texts: BoxedStrategy<String> = match name {
        "location" => select(vec!["westeurope", "West Europe", "eastus2"]).prop_map(str::to_owned).boxed(),
        "cidr" => (any::<u32>(), 1u8..=32)
            .prop_map(|(address, prefix)| ipnet::Ipv4Net::new(address.into(), prefix).unwrap().trunc().to_string())
            .boxed(),
        "url" => "https://[a-z]{1,8}(/[a-z]{1,4}){0,2}/?".boxed(),
        _ => "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".boxed(),
    };
    texts.prop_map(Value::Text).boxed()
}

fn record(attributes: &IndexMap<String, Attribute>) -> BoxedStrategy<IndexMap<String, Value>> {
    let each: Vec<BoxedStrategy<Option<(String, Value)>>> = attributes
        .values()
        .map(|attribute| {
            let name = attribute.name.clone();
            let value = values(attribute, &attribute.of).prop_map(move |value| (name.clone(), value));
            if attribute.required { value.prop_map(Some).boxed() } else { prop::option::of(value).boxed() }
        })
        .collect();
    each.prop_map(|entries| entries.into_iter().flatten().collect()).boxed()
}

fn fields(attributes: &IndexMap<String, Attribute>) -> BoxedStrategy<Value> {
    record(attributes).prop_map(Value::Map).boxed()
}

/// A raw body: a few levels of objects, lists and scalars.
fn raw() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|whole| Value::Int(whole.into())),
        "[a-zA-Z/ ]{0,6}".prop_map(Value::Text),
        Just(Value::None),
    ];
    let key = || "[a-z~/. ]{1,4}";
    let tree = leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::btree_map(key(), inner, 0..4).prop_map(|map| Value::Map(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(key(), tree, 0..4).prop_map(|map| Value::Map(map.into_iter().collect())).boxed()
}

/// A kind, with values for some of what it may write.
fn resources() -> BoxedStrategy<(Kind, Vec<(String, Value)>)> {
    let catalog = Catalog::builtin().unwrap();
    let raw = catalog.raw_kind("Microsoft.Network/routeTables@2025-03-01").unwrap();
    let kinds = catalog.iter().filter(|kind| !kind.resource_type.is_empty()).map(|kind| Kind::clone(kind)).chain([raw]);
    Union::new(kinds.map(|kind| {
        let body: IndexMap<String, Attribute> = kind
            .attributes
            .iter()
            .filter(|(_, attribute)| !matches!(attribute.role, Role::Name | Role::Parent | Role::Subscription))
            .map(|(name, attribute)| (name.clone(), attribute.clone()))
            .collect();
        record(&body).prop_map(move |values| {
            // Of a keyed set, one with a label.
            let labelled = |(name, value): (String, Value)| {
                if kind.attributes[&name].keyed.is_some() { (format!("{name}.item"), value) } else { (name, value) }
            };
            (kind.clone(), values.into_iter().map(labelled).collect())
        })
    }))
    .boxed()
}

/// Without secrets: they are never compared.
fn leaves(kind: &Kind, values: &[(String, Value)]) -> Vec<Leaf> {
    let attributes: Vec<_> = values.iter().map(|(name, value)| (name.clone(), value.clone(), span())).collect();
    encode(kind, &attributes, &context()).into_iter().filter(|leaf| !leaf.sensitive).collect()
}

/// Another value that is not equal to this one under any equality.
fn mutated(live: Option<&Json>) -> Json {
    match live {
        Some(Json::Bool(flag)) => json!(!flag),
        Some(Json::Number(number)) => json!(number.as_f64().unwrap_or(0.0) + 1.0),
        Some(Json::String(text)) => json!(format!("{text}-changed")),
        Some(Json::Array(items)) => items.iter().cloned().chain([json!("changed")]).collect(),
        _ => json!("changed"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(300), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_created_is_what_was_wanted((kind, values) in resources()) {
        let leaves = leaves(&kind, &values);
        let live = body(&leaves).unwrap();
        for leaf in &leaves {
            prop_assert_eq!(leaf.in_sync(&live), Some(true), "a phantom at {} in {}", leaf.pointer, live);
        }
        let again = lay_over(&kind, live.clone(), &leaves).unwrap();
        for leaf in leaves.iter().filter(|leaf| !leaf.on_create_only) {
            prop_assert_eq!(leaf.in_sync(&again), Some(true), "an update loses {} in {}", leaf.pointer, again);
        }
    }

    #[test]
    fn no_two_leaves_share_a_place((kind, values) in resources()) {
        let mut places: Vec<String> = leaves(&kind, &values).into_iter().map(|leaf| leaf.pointer).collect();
        places.sort();
        let count = places.len();
        places.dedup();
        prop_assert_eq!(places.len(), count);
    }

    #[test]
    fn one_change_is_found((kind, values) in resources(), at in any::<prop::sample::Index>()) {
        let leaves = leaves(&kind, &values);
        let owned: Vec<&Leaf> = leaves.iter().filter(|leaf| !leaf.on_create_only).collect();
        prop_assume!(!owned.is_empty());
        let leaf = at.get(&owned);
        let mut live = body(&leaves).unwrap();
        let changed = mutated(lookup(&live, &leaf.pointer));
        put(&mut live, &leaf.pointer, changed);
        prop_assert_eq!(leaf.in_sync(&live), Some(false), "the change at {} is missed in {}", leaf.pointer, live);
        for other in owned.iter().filter(|other| other.pointer != leaf.pointer) {
            prop_assert_eq!(other.in_sync(&live), Some(true), "{} is blamed for {}", other.pointer, leaf.pointer);
        }
    }

    #[test]
    fn the_way_back_comes_to_the_same_leaves((kind, values) in resources()) {
        let live = body(&leaves(&kind, &values)).unwrap();
        for (name, _) in values.iter().filter(|(name, _)| {
            kind.attributes.get(name).is_some_and(|attribute| !matches!(attribute.of, Type::Map(_)) && !attribute.is_raw())
        }) {
            let own = &kind.attributes[name].pointer;
            if own.is_some() && kind.attributes.values().filter(|other| other.pointer == *own).count() > 1 {
                // Two attributes at one place say together what is there.
                continue;
            }
            let Some(decoded) = decode_attribute(&kind.attributes[name], &live) else { continue };
            for leaf in leaves(&kind, &[(name.clone(), decoded.clone())]).iter().filter(|leaf| leaf.attribute == *name) {
                prop_assert_eq!(leaf.in_sync(&live), Some(true), "{} came back as {:?}", name, decoded);
            }
        }
    }

    #[test]
    fn templates_never_panic(template in "[a-z{}/]{0,20}") {
        let _ = akson_catalog::kind::ids::fill(&template, |_| Some("x"));
        let _ = kind("vault").id_for(|_| None);
        let _ = Catalog::builtin().unwrap().raw_kind(&template);
    }
}
