//! Where an id lies: what is above it and what it covers. Text alone; not whether any of it exists.

use akson_catalog::{ArmId, SymbolicId};

/// The id one step up: of a nested object its parent, of an object in a group the group, of an extension (a lock) what it stands
/// on, of a group its subscription. None above a subscription. Of what is no ARM id, the part before the last slash.
pub fn parent_of(id: &SymbolicId) -> Option<SymbolicId> {
    let text = id.as_str();
    if !text.starts_with('/') {
        return text.rsplit_once('/').map(|(up, _)| SymbolicId::from_ledger(up));
    }
    if !text.starts_with("/subscriptions/") && !text.starts_with("/providers/") {
        return None;
    }
    let up = match text.rfind("/providers/") {
        Some(at) if text.get(at + 1..)?.split('/').count() <= 4 => text.get(..at)?,
        _ => text.rsplitn(3, '/').nth(2)?,
    };
    (!up.is_empty()).then(|| SymbolicId::from_ledger(up))
}

/// The cluster that an object of its API server lies in, by the object's symbolic id.
pub fn cluster_of(id: &SymbolicId) -> Option<SymbolicId> {
    id.as_str().split_once(IN_CLUSTER).map(|(cluster, _)| SymbolicId::from_ledger(cluster))
}

/// What the symbolic ids of a cluster's own objects have after the cluster's.
const IN_CLUSTER: &str = "/kubernetes.";

/// All ids above, nearest first.
pub fn ancestors(id: &SymbolicId) -> impl Iterator<Item = SymbolicId> {
    std::iter::successors(parent_of(id), parent_of)
}

/// What an extension stands on: everything before its own provider. A lock forbids deleting that and all below.
pub fn scope_of(id: &SymbolicId) -> SymbolicId {
    let text = id.as_str();
    SymbolicId::from_ledger(text.rfind("/providers/").and_then(|at| text.get(..at)).unwrap_or(text))
}

/// Whether `id` is `scope` or lies below it.
pub fn covers(scope: &SymbolicId, id: &SymbolicId) -> bool {
    id.as_str().strip_prefix(scope.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The symbolic id of an ARM id's text.
pub fn symbolic(id: &str) -> SymbolicId {
    SymbolicId::of_arm(&ArmId::new(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, parent: Option<&str>) {
        assert_eq!(parent_of(&SymbolicId::from_ledger(id)).as_ref().map(SymbolicId::as_str), parent, "{id}");
    }

    #[test]
    fn one_step_up() {
        let group = "/subscriptions/s/resourcegroups/g";
        let identity = format!("{group}/providers/microsoft.managedidentity/userassignedidentities/i");
        check(&format!("{identity}/federatedidentitycredentials/f"), Some(&identity));
        check(&format!("{identity}/providers/microsoft.authorization/locks/l"), Some(&identity));
        check(&format!("{group}/providers/microsoft.authorization/locks/l"), Some(group));
        check(&identity, Some(group));
        check(group, Some("/subscriptions/s"));
        check("/subscriptions/s/providers/microsoft.security/pricings/p", Some("/subscriptions/s"));
        check("/subscriptions/s", None);
        check("/providers/microsoft.management/managementgroups/m", None);
        check("group:myapp", None);
        check("application:myapp/service_principal", Some("application:myapp"));
        let namespace =
            format!("{group}/providers/microsoft.containerservice/managedclusters/c/kubernetes.namespace/n");
        check(&format!("{namespace}/serviceaccount/a"), Some(&namespace));
        check(&namespace, Some(&format!("{group}/providers/microsoft.containerservice/managedclusters/c")));
        check(&format!("{group}/providers/microsoft.authorization/roleassignments/r~|subscriptions|s"), Some(group));
        check("", None);
    }

    #[test]
    fn covering_ends_at_whole_segments() {
        let group = SymbolicId::from_ledger("/subscriptions/s/resourcegroups/g");
        assert!(covers(&group, &group));
        assert!(covers(&group, &SymbolicId::from_ledger("/subscriptions/s/resourcegroups/g/providers/x/y/z")));
        assert!(!covers(&group, &SymbolicId::from_ledger("/subscriptions/s/resourcegroups/g2")));
    }
}
