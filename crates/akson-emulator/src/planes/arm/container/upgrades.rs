//! Which versions there are and which can be had next: `locations/kubernetesVersions`, and the profiles of clusters and
//! pools that clients read before an upgrade. Nothing is written here.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::path::Collection;
use super::types::ArmType;
use super::version;
use super::{CLUSTER, Call};
use crate::errors::{self, Outcome};
use crate::id::ResourceId;
use crate::reply;
use crate::world::Object;

/// `locations/{l}/kubernetesVersions`.
pub(super) struct Versions;

impl ArmType for Versions {
    fn has_parents(&self) -> bool {
        false
    }

    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    /// Recorded: `values`, newest first, each patch with what it can become.
    fn list(&self, _call: &mut Call<'_>, _collection: &Collection, _version: &str) -> Outcome {
        let all = version::supported();
        let values = all.iter().rev().map(|minor| {
            let patches = minor.patches.iter().map(|patch| {
                let upgrades = version::above(&format!("1.{}.{patch}", minor.number));
                (format!("1.{}.{patch}", minor.number), json!({ "upgrades": upgrades }))
            });
            let mut shown = json!({
                "version": format!("1.{}", minor.number),
                "capabilities": { "supportPlan": ["KubernetesOfficial", "AKSLongTermSupport"] },
                "patchVersions": patches.collect::<Map<String, Value>>(),
            });
            if minor.usual {
                shown["isDefault"] = true.into();
            }
            shown
        });
        Ok(reply::json(StatusCode::OK, &json!({ "values": values.collect::<Vec<_>>() })))
    }
}

/// `managedClusters/{c}/upgradeProfiles/default`, the same of a pool, and `availableAgentPoolVersions/default`.
pub(super) struct Profiles;

impl ArmType for Profiles {
    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        let world = &call.state.world;
        let mut cluster = id.clone();
        while let Some(parent) = cluster.parent() {
            cluster = parent;
        }
        let owner = id.parent().and_then(|parent| world.objects.get(parent.key()));
        let (Some(owner), Some(cluster)) = (owner, world.objects.get(cluster.key())) else {
            return Err(self.missing(id));
        };
        if !id.name().eq_ignore_ascii_case("default") {
            return Err(self.missing(id));
        }
        let kind = id.steps.last().map_or("", |step| step.kind.as_str());
        let (word, properties) = if kind.eq_ignore_ascii_case("availableAgentPoolVersions") {
            ("availableAgentPoolVersions", json!({ "agentPoolVersions": available(cluster) }))
        } else if id.steps.len() > 2 {
            ("upgradeProfiles", pool(owner, cluster))
        } else {
            ("upgradeprofiles", control_plane(cluster))
        };
        let above = if id.steps.len() > 2 { format!("{CLUSTER}/agentPools") } else { CLUSTER.to_owned() };
        let body = json!({
            "id": format!("{}/{word}/default", owner.id()),
            "name": "default",
            "type": format!("{above}/{word}"),
            "properties": properties,
        });
        Ok(reply::json(StatusCode::OK, &body))
    }
}

fn current(object: &Object, name: &str) -> String {
    match object.property(name) {
        "" => object.property("currentKubernetesVersion").to_owned(),
        version => version.to_owned(),
    }
}

fn upgrades(running: &str, highest: Option<&str>) -> Vec<Value> {
    let fits = |version: &String| highest.is_none_or(|highest| !version::is_newer(version, highest));
    let all = version::above(running).into_iter().filter(fits);
    all.map(|version| json!({ "kubernetesVersion": version })).collect()
}

fn control_plane(cluster: &Object) -> Value {
    let running = current(cluster, "currentKubernetesVersion");
    json!({
        "controlPlaneProfile": {
            "kubernetesVersion": running,
            "osType": "Linux",
            "upgrades": upgrades(&running, None),
        },
        "agentPoolProfiles": null,
    })
}

fn pool(pool: &Object, cluster: &Object) -> Value {
    let running = current(pool, "currentOrchestratorVersion");
    let highest = current(cluster, "currentKubernetesVersion");
    json!({
        "kubernetesVersion": running,
        "osType": match pool.property("osType") { "" => "Linux", kind => kind },
        "upgrades": upgrades(&running, Some(&highest)),
        "latestNodeImageVersion": pool.property("nodeImageVersion"),
    })
}

fn available(cluster: &Object) -> Vec<Value> {
    let running = current(cluster, "currentKubernetesVersion");
    let all = version::supported().into_iter().rev().flat_map(|minor| {
        minor.patches.into_iter().rev().map(move |patch| (format!("1.{}.{patch}", minor.number), minor.usual))
    });
    let fitting = all.filter(|(version, _)| !version::is_newer(version, &running));
    fitting
        .map(
            |(version, usual)| {
                if usual { json!({ "default": true, "version": version }) } else { json!({ "version": version }) }
            },
        )
        .collect()
}
