//! From a place in a body back to what a kind says of it. Not the values that stand there.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{Attribute, Kind};
use crate::{Type, equality::Equality, json::item_name};

/// The item of a keyed list that a place is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What the user calls it: `route.default`; for a place in it with the field, `route.default.next_hop`.
    pub path: String,
    /// Where the item stands.
    pub pointer: String,
}

impl Kind {
    /// The item of a keyed list that `pointer` is in.
    pub fn item_at(&self, pointer: &str) -> Option<Item> {
        self.attributes.values().filter(|attribute| attribute.keyed.is_some()).find_map(|attribute| {
            let list = attribute.pointer.as_deref()?;
            let rest = pointer.strip_prefix(list)?.strip_prefix('/')?;
            let (step, below) = rest.split_once('/').map_or((rest, None), |(step, below)| (step, Some(below)));
            let name = item_name(step)?;
            let field = below.and_then(|below| {
                let at =
                    |field: &&Attribute| field.pointer.as_deref().and_then(|own| own.strip_prefix('/')) == Some(below);
                attribute.fields.values().find(at)
            });
            let path = field.map_or_else(
                || format!("{}.{name}", attribute.name),
                |field| format!("{}.{name}.{}", attribute.name, field.name),
            );
            Some(Item { path, pointer: format!("{list}/{step}") })
        })
    }

    /// The map, or the set of edges, that `pointer` is a key of, by its path.
    pub fn map_at(&self, pointer: &str) -> Option<String> {
        let (map, _) = pointer.rsplit_once('/')?;
        maps(&self.attributes, "", map)
    }

    /// What Azure means where a place is empty.
    pub fn absent_at(&self, pointer: &str) -> Option<&Json> {
        absent(&self.attributes, pointer)
    }
}

fn maps(attributes: &IndexMap<String, Attribute>, prefix: &str, map: &str) -> Option<String> {
    attributes.values().filter(|attribute| attribute.keyed.is_none()).find_map(|attribute| {
        let path = format!("{prefix}{}", attribute.name);
        let by_key = matches!(attribute.of, Type::Map(_)) || attribute.equality == Equality::Edges;
        if by_key && attribute.pointer.as_deref() == Some(map) {
            return Some(path);
        }
        let block = matches!(attribute.of, Type::Object(_));
        block.then(|| maps(&attribute.fields, &format!("{path}."), map)).flatten()
    })
}

fn absent<'a>(attributes: &'a IndexMap<String, Attribute>, pointer: &str) -> Option<&'a Json> {
    attributes.values().find_map(|attribute| {
        let below = match attribute.keyed.as_ref().and(attribute.pointer.as_deref()) {
            Some(list) => {
                let rest = pointer.strip_prefix(list)?.strip_prefix('/')?;
                rest.get(rest.find('/')?..)?
            }
            None => pointer,
        };
        let own = attribute.absent.get(pointer).or_else(|| absent(&attribute.fields, below));
        own.or_else(|| attribute.variants.values().find_map(|variant| absent(&variant.arguments, below)))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use serde_json::json;

    use crate::Catalog;

    #[test]
    fn places_of_keyed_lists_and_maps() {
        let catalog = Catalog::builtin().unwrap();
        let table = catalog.get("route_table").unwrap();
        let item = table.item_at("/properties/routes/~kname=default/properties/nextHopType").unwrap();
        assert_eq!(
            (item.path.as_str(), item.pointer.as_str()),
            ("route.default.next_hop", "/properties/routes/~kname=default")
        );
        assert_eq!(table.item_at("/properties/routes/~kname=a~1b").unwrap().path, "route.a/b");
        assert_eq!(table.item_at("/properties/disableBgpRoutePropagation"), None);
        let pool = catalog.get("node_pool").unwrap();
        assert_eq!(pool.map_at("/properties/nodeLabels/tier").as_deref(), Some("labels"));
        assert_eq!(pool.map_at("/properties/count"), None);
        let cluster = catalog.get("cluster").unwrap();
        assert_eq!(cluster.absent_at("/properties/aadProfile/enableAzureRBAC"), Some(&json!(false)));
        assert_eq!(cluster.absent_at("/properties/networkProfile/outboundType"), Some(&json!("loadBalancer")));
        assert_eq!(cluster.absent_at("/properties/fqdn"), None);
    }
}
