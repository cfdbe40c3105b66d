//! Which kinds a cluster has. A custom resource is there when its definition is; all else always.

use serde_json::Value;

use super::reviews;
use crate::world::{Object, World};

/// A kind of objects.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    pub(super) singular: &'static str,
    /// What stands under `kind` in objects.
    pub(super) word: &'static str,
    pub(super) namespaced: bool,
    pub(super) short: &'static [&'static str],
    /// Fields besides `apiVersion`, `kind` and `metadata`.
    pub(super) fields: &'static [&'static str],
    /// Whether changes of `spec` are counted in `metadata.generation`.
    pub(super) counted: bool,
}

const RBAC: &str = "rbac.authorization.k8s.io";
pub(super) const STORE: &str = "secrets-store.csi.x-k8s.io";
pub(super) const EXTENSIONS: &str = "apiextensions.k8s.io";

const fn core(
    plural: &'static str,
    singular: &'static str,
    word: &'static str,
    short: &'static [&'static str],
    fields: &'static [&'static str],
) -> Kind {
    Kind { group: "", version: "v1", plural, singular, word, namespaced: true, short, fields, counted: false }
}

const fn workload(
    plural: &'static str,
    singular: &'static str,
    word: &'static str,
    short: &'static [&'static str],
) -> Kind {
    let fields: &[&str] = &["spec", "status"];
    Kind { group: "apps", version: "v1", plural, singular, word, namespaced: true, short, fields, counted: true }
}

const fn rbac(
    plural: &'static str,
    singular: &'static str,
    word: &'static str,
    namespaced: bool,
    fields: &'static [&'static str],
) -> Kind {
    Kind { group: RBAC, version: "v1", plural, singular, word, namespaced, short: &[], fields, counted: false }
}

const EVENT: [&str; 13] = [
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "series",
    "action",
    "reportingComponent",
    "reportingInstance",
];

/// All kinds, core ones first.
pub(super) static KINDS: [Kind; 23] = [
    Kind { namespaced: false, ..core("namespaces", "namespace", "Namespace", &["ns"], &["spec", "status"]) },
    core("configmaps", "configmap", "ConfigMap", &["cm"], &["data", "binaryData", "immutable"]),
    core("secrets", "secret", "Secret", &[], &["data", "stringData", "type", "immutable"]),
    core(
        "serviceaccounts",
        "serviceaccount",
        "ServiceAccount",
        &["sa"],
        &["secrets", "imagePullSecrets", "automountServiceAccountToken"],
    ),
    core("pods", "pod", "Pod", &["po"], &["spec", "status"]),
    core("services", "service", "Service", &["svc"], &["spec", "status"]),
    core("resourcequotas", "resourcequota", "ResourceQuota", &["quota"], &["spec", "status"]),
    core("limitranges", "limitrange", "LimitRange", &["limits"], &["spec"]),
    core("events", "event", "Event", &["ev"], &EVENT),
    workload("deployments", "deployment", "Deployment", &["deploy"]),
    workload("daemonsets", "daemonset", "DaemonSet", &["ds"]),
    workload("replicasets", "replicaset", "ReplicaSet", &["rs"]),
    workload("statefulsets", "statefulset", "StatefulSet", &["sts"]),
    Kind { group: "networking.k8s.io", ..workload("networkpolicies", "networkpolicy", "NetworkPolicy", &["netpol"]) },
    rbac("clusterroles", "clusterrole", "ClusterRole", false, &["rules", "aggregationRule"]),
    rbac("clusterrolebindings", "clusterrolebinding", "ClusterRoleBinding", false, &["subjects", "roleRef"]),
    rbac("roles", "role", "Role", true, &["rules"]),
    rbac("rolebindings", "rolebinding", "RoleBinding", true, &["subjects", "roleRef"]),
    Kind {
        group: "authorization.k8s.io",
        namespaced: false,
        counted: false,
        ..workload("selfsubjectaccessreviews", "selfsubjectaccessreview", "SelfSubjectAccessReview", &[])
    },
    Kind {
        group: "authorization.k8s.io",
        namespaced: false,
        counted: false,
        ..workload("selfsubjectrulesreviews", "selfsubjectrulesreview", "SelfSubjectRulesReview", &[])
    },
    Kind {
        group: "authentication.k8s.io",
        namespaced: false,
        counted: false,
        ..workload("selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview", &[])
    },
    Kind {
        group: EXTENSIONS,
        namespaced: false,
        ..workload(
            "customresourcedefinitions",
            "customresourcedefinition",
            "CustomResourceDefinition",
            &["crd", "crds"],
        )
    },
    Kind { group: STORE, ..workload("secretproviderclasses", "secretproviderclass", "SecretProviderClass", &[]) },
];

impl Kind {
    /// `v1`, or `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether objects can be selected by a field, besides name and namespace.
    pub(super) fn selects(&self, field: &str) -> bool {
        match self.plural {
            "events" => field.strip_prefix("involvedObject.").is_some() || matches!(field, "reason" | "type"),
            "namespaces" => field == "status.phase",
            "pods" => matches!(field, "status.phase" | "spec.nodeName"),
            "secrets" => field == "type",
            _ => false,
        }
    }

    /// What can be done with objects of the kind. Definitions come with add-ons and are only read.
    pub(super) fn verbs(&self) -> &'static [&'static str] {
        if reviews::is_one(self) {
            return &["create"];
        }
        match self.plural {
            "customresourcedefinitions" => &["get", "list", "watch"],
            "namespaces" => &["create", "delete", "get", "list", "patch", "update", "watch"],
            _ => &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        }
    }
}

/// Whether the add-on that brings secret provider classes is on.
pub(super) fn has_secret_store(cluster: &Object) -> bool {
    let profiles = cluster.properties().and_then(|properties| properties.get("addonProfiles"));
    // Old versions write the name of the add-on with other letters.
    let profile = profiles.and_then(Value::as_object).and_then(|profiles| {
        profiles.iter().find(|(name, _)| name.eq_ignore_ascii_case("azureKeyvaultSecretsProvider"))
    });
    profile.is_some_and(|(_, profile)| profile.get("enabled").and_then(Value::as_bool) == Some(true))
}

/// The kinds that a cluster has now.
pub(super) fn of_cluster(world: &World, cluster: &str) -> Vec<&'static Kind> {
    let store = world.objects.get(cluster).is_some_and(has_secret_store);
    KINDS.iter().filter(|kind| store || kind.group != STORE).collect()
}
