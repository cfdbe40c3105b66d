//! What a path of Azure Resource Manager is about. Case does not matter anywhere.

use http::Method;

use crate::id::{Place, ResourceId, Step};
use crate::visit::{Visit, segments};

/// The target of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Subscriptions,
    Subscription(String),
    Locations(String),
    Tenants,
    Providers(Option<String>),
    Provider {
        subscription: Option<String>,
        namespace: String,
    },
    Register {
        subscription: String,
        namespace: String,
    },
    Groups(String),
    Group {
        subscription: String,
        group: String,
    },
    /// `.../resources`: everything without its properties.
    Inventory {
        subscription: String,
        group: Option<String>,
    },
    /// Where the deletion of a group is followed.
    GroupOperation {
        token: String,
    },
    Resource(ResourceId),
    Collection(Collection),
    /// A POST to a resource.
    Action {
        id: ResourceId,
        action: String,
    },
}

/// All resources of a type at or below a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Collection {
    pub(super) place: Place,
    /// What stands before `/providers/`, as written.
    pub(super) scope: String,
    /// The resource whose children are asked for.
    pub(super) parent: Option<ResourceId>,
    pub(super) namespace: String,
    pub(super) kind: String,
    pub(super) type_key: String,
}

impl Collection {
    /// The id that a member of this name would have.
    pub(super) fn member(&self, name: &str) -> ResourceId {
        let mut steps = self.parent.as_ref().map_or_else(Vec::new, |parent| parent.steps.clone());
        steps.push(Step { kind: self.kind.clone(), name: name.to_owned() });
        ResourceId::new(self.place.clone(), self.scope.clone(), self.namespace.clone(), steps)
    }
}

impl Target {
    pub(super) fn of(visit: &Visit) -> Option<Self> {
        Self::parse(&visit.path, &visit.method)
    }

    /// Reads a path; `method` tells an action (POST) from a list.
    pub(super) fn parse(path: &str, method: &Method) -> Option<Self> {
        let segments = segments(path)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        parse(&segments, *method == Method::POST)
    }

    pub(super) fn subscription(&self) -> Option<&str> {
        match self {
            Self::Subscription(subscription)
            | Self::Locations(subscription)
            | Self::Groups(subscription)
            | Self::Register { subscription, .. }
            | Self::Group { subscription, .. }
            | Self::Inventory { subscription, .. } => Some(subscription),
            Self::Providers(subscription) | Self::Provider { subscription, .. } => subscription.as_deref(),
            Self::Resource(id) | Self::Action { id, .. } => id.place.subscription.as_deref(),
            Self::Collection(collection) => collection.place.subscription.as_deref(),
            Self::Subscriptions | Self::Tenants | Self::GroupOperation { .. } => None,
        }
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        match self {
            Self::Resource(id) | Self::Action { id, .. } => Some(&id.namespace),
            Self::Collection(collection) => Some(&collection.namespace),
            _ => None,
        }
    }
}

fn is(segment: &str, word: &str) -> bool {
    segment.eq_ignore_ascii_case(word)
}

fn parse(segments: &[&str], post: bool) -> Option<Target> {
    match segments {
        [a] if is(a, "subscriptions") => return Some(Target::Subscriptions),
        [a] if is(a, "tenants") => return Some(Target::Tenants),
        [a] if is(a, "providers") => return Some(Target::Providers(None)),
        [a, namespace] if is(a, "providers") => {
            return Some(Target::Provider { subscription: None, namespace: (*namespace).to_owned() });
        }
        [a, subscription, rest @ ..] if is(a, "subscriptions") => {
            if let Some(target) = in_subscription(subscription, rest) {
                return Some(target);
            }
        }
        _ => {}
    }
    resource(segments, post)
}

fn in_subscription(subscription: &str, rest: &[&str]) -> Option<Target> {
    let subscription = subscription.to_owned();
    let target = match rest {
        [] => Target::Subscription(subscription),
        [a] if is(a, "locations") => Target::Locations(subscription),
        [a] if is(a, "resources") => Target::Inventory { subscription, group: None },
        [a] if is(a, "resourcegroups") => Target::Groups(subscription),
        [a] if is(a, "providers") => Target::Providers(Some(subscription)),
        [a, namespace] if is(a, "providers") => {
            Target::Provider { subscription: Some(subscription), namespace: (*namespace).to_owned() }
        }
        [a, namespace, b] if is(a, "providers") && is(b, "register") => {
            Target::Register { subscription, namespace: (*namespace).to_owned() }
        }
        [a, group] if is(a, "resourcegroups") => Target::Group { subscription, group: (*group).to_owned() },
        [a, group, b] if is(a, "resourcegroups") && is(b, "resources") => {
            Target::Inventory { subscription, group: Some((*group).to_owned()) }
        }
        [a, token] if is(a, "operationresults") => Target::GroupOperation { token: (*token).to_owned() },
        _ => return None,
    };
    Some(target)
}

/// Reads `scope/providers/namespace/type/name/...`, with the scope itself possibly such a path.
fn resource(segments: &[&str], post: bool) -> Option<Target> {
    let mut place = Place::default();
    let mut at = 0;
    if let [a, subscription, ..] = segments
        && is(a, "subscriptions")
    {
        place.subscription = Some((*subscription).to_owned());
        at = 2;
        if let [_, _, b, group, ..] = segments
            && is(b, "resourcegroups")
        {
            place.group = Some((*group).to_owned());
            at = 4;
        }
    }
    loop {
        let scope: String = segments.get(..at)?.iter().flat_map(|segment| ["/", *segment]).collect();
        let [word, namespace, rest @ ..] = segments.get(at..)? else { return None };
        if !is(word, "providers") {
            return None;
        }
        let mut steps = Vec::new();
        let mut left = rest;
        while let [kind, name, more @ ..] = left {
            if is(kind, "providers") {
                break;
            }
            steps.push(Step { kind: (*kind).to_owned(), name: (*name).to_owned() });
            left = more;
        }
        let id = |steps: Vec<Step>| ResourceId::new(place.clone(), scope.clone(), (*namespace).to_owned(), steps);
        match left {
            [] if steps.is_empty() => return None,
            [] => return Some(Target::Resource(id(steps))),
            [action] if post && !steps.is_empty() => {
                return Some(Target::Action { id: id(steps), action: (*action).to_owned() });
            }
            [kind] => {
                let parent = (!steps.is_empty()).then(|| id(steps));
                let above = parent.as_ref().map_or_else(|| (*namespace).to_owned(), ResourceId::full_type);
                return Some(Target::Collection(Collection {
                    type_key: format!("{above}/{kind}").to_ascii_lowercase(),
                    place,
                    scope,
                    parent,
                    namespace: (*namespace).to_owned(),
                    kind: (*kind).to_owned(),
                }));
            }
            _ => at = segments.len() - left.len(),
        }
        if steps.is_empty() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

    use super::*;

    fn target(path: &str) -> Option<Target> {
        Target::parse(path, &Method::GET)
    }

    #[test]
    fn plain_targets() {
        let check = |path: &str, expected: Target| assert_eq!(target(path), Some(expected), "{path}");
        let s = || "S".to_owned();
        check("/subscriptions", Target::Subscriptions);
        check("/subscriptions/S", Target::Subscription(s()));
        check("/SUBSCRIPTIONS/S/resourcegroups/", Target::Groups(s()));
        check("/subscriptions/S/resourceGroups/G", Target::Group { subscription: s(), group: "G".to_owned() });
        check("/subscriptions/S/resources", Target::Inventory { subscription: s(), group: None });
        check(
            "/subscriptions/S/providers/Microsoft.KeyVault",
            Target::Provider { subscription: Some(s()), namespace: "Microsoft.KeyVault".to_owned() },
        );
        check("/subscriptions/S/operationresults/T", Target::GroupOperation { token: "T".to_owned() });
    }

    #[test]
    fn resources() {
        let path = "/subscriptions/S/resourceGroups/G/providers/Microsoft.KeyVault/vaults/V/providers/Microsoft.Authorization/locks/L";
        let Some(Target::Resource(id)) = target(path) else { panic!("no resource") };
        assert_eq!(id.as_written(), path);
        assert_eq!(id.type_key(), "microsoft.authorization/locks");
        assert_eq!(id.scope_key(), "/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/v");
        assert!(id.on_resource() && id.parent().is_none());
        assert_eq!(id.place.group.as_deref(), Some("G"));

        let path = "/subscriptions/S/resourcegroups/G/providers/A.B/c/d/e/f";
        let Some(Target::Resource(id)) = target(path) else { panic!("no resource") };
        assert_eq!(id.parent().unwrap().key(), "/subscriptions/s/resourcegroups/g/providers/a.b/c/d");
        assert_eq!(
            id.spelled("resourceGroups", "A.B/cc/ee"),
            "/subscriptions/S/resourceGroups/G/providers/A.B/cc/d/ee/f"
        );
    }

    #[test]
    fn collections_and_actions() {
        let path = "/subscriptions/S/providers/Microsoft.KeyVault/vaults";
        let Some(Target::Collection(all)) = target(path) else { panic!("no collection") };
        assert_eq!((all.type_key.as_str(), all.parent.is_none()), ("microsoft.keyvault/vaults", true));
        let path = "/subscriptions/S/resourceGroups/G/providers/A.B/c/d/e";
        let Some(Target::Collection(children)) = target(path) else { panic!("no collection") };
        assert_eq!(children.type_key, "a.b/c/e");
        assert_eq!(children.member("f").as_written(), format!("{path}/f"));
        let Some(Target::Action { action, .. }) = Target::parse(path, &Method::POST) else { panic!("no action") };
        assert_eq!(action, "e");
    }

    #[test]
    fn nonsense() {
        for path in [
            "/",
            "/x",
            "/subscriptions/S/x/y",
            "/subscriptions/S/resourceGroups/G/providers/",
            "/subscriptions/S/resourceGroups/G/providers/A.B/providers/C.D/e/f",
        ] {
            assert_eq!(target(path), None, "{path}");
        }
    }
}
