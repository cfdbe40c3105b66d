//! Azure Kubernetes Service on the side of Resource Manager: clusters, their pools and maintenance
//! configurations, and the group of nodes that stands beside each. What runs in a cluster is another
//! plane.

mod actions;
pub(crate) mod authority;
pub(crate) mod background;
mod cluster;
mod credential;
mod defaults;
mod edition;
mod flow;
mod maintenance;
mod node_group;
mod pool;
mod pool_shape;
mod profiles;
mod rules;
mod shape;
mod upgrades;
mod version;

pub(super) use flow::admit;

use super::body::Body;
use super::types::ArmType;
use super::{Call, body, identity, network, operation, removal, resource_group, takes, types};

const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
const CLUSTER_KEY: &str = "microsoft.containerservice/managedclusters";
const POOL_KEY: &str = "microsoft.containerservice/managedclusters/agentpools";

/// The rules of a type, by its name in lower case, if it is one of those known here.
pub(super) fn of(type_key: &str) -> Option<&'static dyn ArmType> {
    Some(match type_key.strip_prefix("microsoft.containerservice/")? {
        "managedclusters" => &cluster::Clusters,
        "managedclusters/agentpools" => &pool::Pools,
        "managedclusters/commandresults" => &actions::Results,
        "managedclusters/maintenanceconfigurations" => &maintenance::MaintenanceConfigurations,
        "locations/kubernetesversions" => &upgrades::Versions,
        "managedclusters/upgradeprofiles"
        | "managedclusters/agentpools/upgradeprofiles"
        | "managedclusters/availableagentpoolversions" => &upgrades::Profiles,
        _ => return None,
    })
}
