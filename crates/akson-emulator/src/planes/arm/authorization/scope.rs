//! Lists of extensions: at a scope and below it, or at a scope and above it; and their filters.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::super::path::Collection;
use super::list;
use crate::access;
use crate::errors::{Outcome, Refusal};
use crate::planes::Call;
use crate::world::Object;

/// The key of the resource that a scope is or is in. A namespace of a cluster and a secret of a vault are scopes whether they are
/// there or not: the roles' service does not look into clusters and vaults.
pub(in super::super) fn resource_of(scope: &str) -> &str {
    let Some((above, _)) = scope.rsplit_once('/') else { return scope };
    let inner = [
        ("/namespaces", "Microsoft.ContainerService", "managedClusters"),
        ("/secrets", "Microsoft.KeyVault", "vaults"),
        ("/keys", "Microsoft.KeyVault", "vaults"),
        ("/certificates", "Microsoft.KeyVault", "vaults"),
    ];
    let resource = |(suffix, namespace, kind)| {
        above.strip_suffix_ignore_case(suffix).filter(|resource| is_of(resource, namespace, kind))
    };
    inner.into_iter().find_map(resource).unwrap_or(scope)
}

fn is_of(scope: &str, namespace: &str, kind: &str) -> bool {
    let mut words = scope.rsplit('/').skip(1);
    words.next().is_some_and(|word| word.eq_ignore_ascii_case(kind))
        && words.next().is_some_and(|word| word.eq_ignore_ascii_case(namespace))
}

trait StripSuffix {
    fn strip_suffix_ignore_case(&self, suffix: &str) -> Option<&str>;
}

impl StripSuffix for str {
    fn strip_suffix_ignore_case(&self, suffix: &str) -> Option<&str> {
        let (start, end) = self.split_at_checked(self.len().checked_sub(suffix.len())?)?;
        end.eq_ignore_ascii_case(suffix).then_some(start)
    }
}

/// Which scopes a list covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The scope and what is in it.
    Below,
    /// The scope and what it is in.
    Above,
    /// The scope alone.
    Exact,
    /// All of these.
    Around,
}

/// One page of a type's members in reach of a collection's scope for which a test holds. `more` are
/// rows that are no objects of the world.
pub(super) fn page<'a>(
    call: &'a Call<'_>,
    collection: &Collection,
    reach: Reach,
    more: Vec<(String, Map<String, Value>)>,
    keep: impl Fn(&Map<String, Value>) -> bool,
    show: impl Fn(&'a Object) -> Cow<'a, Map<String, Value>>,
) -> Outcome {
    let world = &call.state.world;
    let key = collection.scope.trim_end_matches('/').to_ascii_lowercase();
    let after = list::start(call)?;
    let kind = collection.type_key.as_str();
    let mut rows: Vec<(String, Cow<'a, Map<String, Value>>)> =
        more.into_iter().map(|(key, row)| (key, Cow::Owned(row))).collect();
    let mut add = |prefix: &str, exact: bool| {
        for (at, object) in world.objects.starting_with(prefix, "") {
            if object.type_key == kind && !(exact && at.get(prefix.len()..).is_some_and(|name| name.contains('/'))) {
                rows.push((at.to_owned(), show(object)));
            }
        }
    };
    if matches!(reach, Reach::Above | Reach::Around) {
        for scope in access::scopes(world, &key) {
            if scope != key {
                add(&format!("{scope}/providers/{kind}/"), true);
            }
        }
    }
    if matches!(reach, Reach::Below | Reach::Around) {
        add(&format!("{key}/"), false);
    } else {
        add(&format!("{key}/providers/{kind}/"), true);
    }
    rows.retain(|(at, row)| *at > after && keep(row));
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    rows.dedup_by(|(one, _), (other, _)| one == other);
    Ok(list::page(call, rows.iter().map(|(at, row)| (at.as_str(), row.clone()))))
}

/// The conditions of a `$filter`, joined by `and`: `field eq 'value'` and `function()`, in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) functions: Vec<(String, String)>,
    pub(super) fields: Vec<(String, String)>,
}

impl Filter {
    pub(super) fn of(call: &Call<'_>) -> Result<Self, Refusal> {
        let Some(text) = call.visit.query.get("$filter") else { return Ok(Self::default()) };
        Self::parse(text).ok_or_else(|| {
            super::invalid("InvalidFilter", format!("The filter '{text}' of the request is not supported."))
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut found = Self::default();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '/')?;
            let (word, after) = rest.split_at(end);
            rest = if let Some(inside) = after.strip_prefix('(') {
                let (argument, after) = match inside.trim_start().strip_prefix('\'') {
                    Some(quoted) => quoted.split_once('\'')?,
                    None => ("", inside.trim_start()),
                };
                found.functions.push((word.to_ascii_lowercase(), argument.to_owned()));
                after.trim_start().strip_prefix(')')?
            } else {
                let after = after.trim_start();
                let (operator, after) = after.split_at_checked(3)?;
                if !operator.eq_ignore_ascii_case("eq ") {
                    return None;
                }
                let (value, after) = match after.trim_start().strip_prefix('\'') {
                    Some(quoted) => quoted.split_once('\'')?,
                    None => after.trim_start().split_once(' ').unwrap_or((after.trim_start(), "")),
                };
                found.fields.push((word.to_ascii_lowercase(), value.to_owned()));
                after
            };
            rest = rest.trim_start();
            if rest.is_empty() {
                break;
            }
            let (word, after) = rest.split_at_checked(4)?;
            if !word.eq_ignore_ascii_case("and ") {
                return None;
            }
            rest = after.trim_start();
            if rest.is_empty() {
                return None;
            }
        }
        Some(found)
    }

    pub(super) fn has(&self, function: &str) -> bool {
        self.functions.iter().any(|(known, _)| known == function)
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Which scopes are asked for; `around` if only a field narrows the list.
    pub(super) fn reach(&self, narrowed: bool) -> Reach {
        if self.has("atexactscope") {
            Reach::Exact
        } else if self.has("atscope") {
            Reach::Above
        } else if narrowed {
            Reach::Around
        } else {
            Reach::Below
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let check = |text: &str, functions: &[(&str, &str)], fields: &[(&str, &str)]| {
            let found = Filter::parse(text).unwrap_or_default();
            let as_text = |list: &[(String, String)]| -> Vec<String> {
                list.iter().map(|(name, value)| format!("{name}={value}")).collect()
            };
            let wanted = |list: &[(&str, &str)]| -> Vec<String> {
                list.iter().map(|(name, value)| format!("{name}={value}")).collect()
            };
            assert_eq!(
                (as_text(&found.functions), as_text(&found.fields)),
                (wanted(functions), wanted(fields)),
                "{text}"
            );
        };
        check("atScope()", &[("atscope", "")], &[]);
        check("assignedTo('x')", &[("assignedto", "x")], &[]);
        check("principalId eq 'x'", &[], &[("principalid", "x")]);
        check("atScope() and principalId eq 'x'", &[("atscope", "")], &[("principalid", "x")]);
        check("policyType eq Custom", &[], &[("policytype", "Custom")]);
        for nonsense in ["atScope(", "x", "x ne 'y'", "x eq 'y", "atScope() or atScope()", "atScope() and "] {
            assert_eq!(Filter::parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn namespaces_and_secrets_are_in_resources() {
        let cluster = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
        assert_eq!(resource_of(&format!("{cluster}/namespaces/shop")), cluster);
        assert_eq!(resource_of(cluster), cluster);
        let other = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceBus/namespaces/n";
        assert_eq!(resource_of(other), other);
        let vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v";
        assert_eq!(resource_of(&format!("{vault}/secrets/one")), vault);
        assert_eq!(resource_of(&format!("{vault}/secrets/one/versions/1")), format!("{vault}/secrets/one/versions/1"));
    }
}
