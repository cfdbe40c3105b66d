//! What the service makes of a pool: defaults, what means nothing, and what cannot change.

use serde_json::{Value, json};

use super::Body;
use super::shape::{at, drop_if, fill, is_empty, lay_over, same, text};
use super::version::Version;
use crate::errors::{self, Refusal};

/// What a pool takes from its cluster.
pub(super) struct Surroundings {
    pub(super) version: Version,
    max_pods: u32,
}

impl Surroundings {
    /// Of a cluster's properties.
    pub(super) fn of(cluster: &Body) -> Result<Self, Refusal> {
        let (asked, current) = (text(cluster, "kubernetesVersion"), text(cluster, "currentKubernetesVersion"));
        let version = Version::running(asked, current, "properties.kubernetesVersion")?;
        let max_pods = if text(cluster, "networkProfile.networkPluginMode").eq_ignore_ascii_case("overlay") {
            250
        } else if text(cluster, "networkProfile.networkPlugin").eq_ignore_ascii_case("azure") {
            30
        } else {
            110
        };
        Ok(Self { version, max_pods })
    }
}

/// A pool as it is kept, and what the answer of the write shows besides.
pub(super) struct Settled {
    pub(super) kept: Body,
    /// Recorded: empty dictionaries that were sent are in that answer only.
    pub(super) also_shown: Body,
}

/// Works out a pool. `said` has no nulls.
pub(super) fn settle(around: &Surroundings, before: Option<&Body>, mut said: Body) -> Result<Settled, Refusal> {
    for own in ["provisioningState", "currentOrchestratorVersion", "nodeImageVersion", "eTag"] {
        said.shift_remove(own);
    }
    if said.get("osDiskSizeGB") == Some(&json!(0)) {
        said.shift_remove("osDiskSizeGB");
    }
    for blank in ["vmSize", "orchestratorVersion"] {
        if said.get(blank) == Some(&json!("")) {
            said.shift_remove(blank);
        }
    }
    let also_shown: Body = ["tags", "nodeLabels"]
        .into_iter()
        .filter_map(|name| said.get(name).filter(|value| is_empty(value)).map(|value| (name.to_owned(), value.clone())))
        .collect();
    let mut kept = before.cloned().unwrap_or_default();
    let taints = said.get("nodeTaints").cloned();
    // Overrides are maps of zones: recorded, a map that is said is the whole of it.
    drop_if(&mut said, "localDNSProfile.state", |_| true);
    let overrides = said.get("localDNSProfile").and_then(Value::as_object);
    if let (Some(now), Some(Value::Object(profile))) = (overrides, kept.get_mut("localDNSProfile")) {
        profile.retain(|name, _| name == "mode" || !now.contains_key(name));
    }
    lay_over(&mut kept, said);
    let target = "agentPoolProfile.orchestratorVersion";
    let asked = text(&kept, "orchestratorVersion");
    let version = match before.map(|before| (text(before, "orchestratorVersion"), before)) {
        Some((same, before)) if same == asked => {
            Version::running(asked, text(before, "currentOrchestratorVersion"), target)?
        }
        _ if asked.is_empty() || asked == around.version.asked => around.version.clone(),
        _ => Version::parse(asked, target)?,
    };
    if !version.fits(&around.version) {
        let message = format!(
            "Node pool version {} and control plane version {} are incompatible. Node pool version must be less than or equal to control plane version and within two minor versions of it. For more information, please check https://aka.ms/aks/version-skew-policy",
            version.current, around.version.current
        );
        return Err(errors::container::invalid("NodePoolMcVersionIncompatible", message, target));
    }
    kept.insert("orchestratorVersion".to_owned(), version.asked.into());
    kept.insert("currentOrchestratorVersion".to_owned(), version.current.into());
    let spot = text(&kept, "scaleSetPriority").eq_ignore_ascii_case("Spot");
    let windows = text(&kept, "osType").eq_ignore_ascii_case("Windows");
    let system = text(&kept, "mode").eq_ignore_ascii_case("System");
    // Its machines are for the service to choose.
    let managed = text(&kept, "mode").eq_ignore_ascii_case("ManagedSystem");
    fill(
        &mut kept,
        json!({
            "count": 1,
            "vmSize": "Standard_D4ds_v5",
            "osDiskSizeGB": 128,
            "osDiskType": "Managed",
            "kubeletDiskType": "OS",
            "maxPods": around.max_pods,
            "type": if managed { "VirtualMachines" } else { "VirtualMachineScaleSets" },
            "enableAutoScaling": false,
            "scaleDownMode": "Delete",
            "powerState": { "code": "Running" },
            "enableNodePublicIP": false,
            "mode": "User",
            "osType": "Linux",
            "osSKU": if windows { "Windows2022" } else { "Ubuntu" },
            "nodeImageVersion": image(windows),
            "upgradeSettings": { "maxSurge": "10%", "maxUnavailable": "0" },
            "enableFIPS": false,
            "upgradeStrategy": "Rolling",
            "securityProfile": { "sshAccess": "LocalUser", "enableVTPM": false, "enableSecureBoot": false },
        }),
    );
    if let Some(Value::Object(security)) = kept.get_mut("securityProfile")
        && text(security, "sshAccess").eq_ignore_ascii_case("localuser")
    {
        security.insert("sshAccess".to_owned(), "LocalUser".into());
    }
    extras(&mut kept, spot);
    if windows {
        fill(&mut kept, json!({ "windowsProfile": {} }));
    }
    for empty in ["nodeTaints", "nodeInitializationTaints", "nodeLabels", "tags", "availabilityZones"] {
        drop_if(&mut kept, empty, is_empty);
    }
    drop_if(&mut kept, "spotMaxPrice", |price| price.as_f64() == Some(-1.0));
    if !spot {
        kept.shift_remove("scaleSetPriority");
        kept.shift_remove("scaleSetEvictionPolicy");
    }
    check(&kept, taints.as_ref(), system, windows)?;
    if let Some(before) = before {
        check_unchanged(before, &kept)?;
    }
    Ok(Settled { kept, also_shown })
}

/// The image that new nodes get.
pub(super) fn image(windows: bool) -> &'static str {
    if windows { "AKSWindows-2022-containerd-20348.4529.251212" } else { "AKSUbuntu-2204gen2containerd-202601.07.0" }
}

/// What a pool of a special kind has besides (recorded).
fn extras(kept: &mut Body, spot: bool) {
    let gateway = text(kept, "mode").eq_ignore_ascii_case("Gateway");
    let marks = [
        (spot, "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"),
        (gateway, "kubernetes.azure.com/mode=gateway:NoSchedule"),
    ];
    for (_, taint) in marks.iter().filter(|(holds, _)| *holds) {
        if let Value::Array(taints) = kept.entry("nodeTaints").or_insert_with(|| json!([]))
            && !taints.iter().any(|known| known == *taint)
        {
            taints.push((*taint).into());
        }
    }
    if spot {
        fill(kept, json!({ "nodeLabels": { "kubernetes.azure.com/scalesetpriority": "spot" } }));
    }
    if let Some(Value::Object(dns)) = kept.get_mut("localDNSProfile") {
        let off = text(dns, "mode").eq_ignore_ascii_case("Disabled");
        dns.insert("state".to_owned(), if off { "Disabled" } else { "Enabled" }.into());
    }
    if text(kept, "type").eq_ignore_ascii_case("VirtualMachines") {
        machines(kept);
    }
}

/// A pool of single machines says which there are, by size.
fn machines(kept: &mut Body) {
    if at(kept, "virtualMachinesProfile").is_none() {
        let all = json!([{ "size": kept.get("vmSize"), "count": kept.get("count") }]);
        kept.insert("virtualMachinesProfile".to_owned(), json!({ "scale": { "manual": all } }));
    }
    let status = match (
        at(kept, "virtualMachinesProfile.scale.autoscale"),
        at(kept, "virtualMachinesProfile.scale.manual").and_then(Value::as_array),
    ) {
        (Some(scaled), _) => json!([{ "size": scaled["size"], "count": scaled["minCount"] }]),
        (None, Some(all)) => {
            let one = |one: &Value| json!({ "size": one["size"], "count": one["count"] });
            all.iter().map(one).collect::<Vec<_>>().into()
        }
        (None, None) => return,
    };
    kept.insert("virtualMachineNodesStatus".to_owned(), status);
}

/// Recorded: a profile says a mode, and both kinds of overrides for the zones that every node asks.
fn check_local_dns(kept: &Body) -> Result<(), Refusal> {
    let Some(profile) = kept.get("localDNSProfile").and_then(Value::as_object) else { return Ok(()) };
    let invalid = |name: &str, detail: &str| {
        let target = format!("localDNSProfile.{name}");
        let message = format!("The value of parameter {target} is invalid. Error details: {detail}");
        Err(errors::container::invalid_parameter(message, &target))
    };
    let mode = profile.get("mode").and_then(Value::as_str);
    if !["Preferred", "Required", "Disabled"].iter().any(|known| mode == Some(*known)) {
        let said = if mode.is_none() { "Unspecified" } else { "Invalid" };
        let detail = format!("value {said} is not allowed. Only Preferred, Required and Disabled are allowed.");
        return invalid("mode", &detail);
    }
    let overrides = [("vnetDNSOverrides", "VnetDNSOverrides"), ("kubeDNSOverrides", "KubeDNSOverrides")];
    for (name, word) in
        overrides.into_iter().filter(|_| profile.keys().any(|name| !matches!(name.as_str(), "mode" | "state")))
    {
        let Some(zones) = profile.get(name).and_then(Value::as_object) else {
            return invalid(name, &format!("{word} must not be nil."));
        };
        if let Some(zone) = [".", "cluster.local"].iter().find(|zone| !zones.contains_key(**zone)) {
            return invalid(name, &format!("zone '\"{zone}\"' is required in {word}."));
        }
    }
    Ok(())
}

fn check(kept: &Body, taints: Option<&Value>, system: bool, windows: bool) -> Result<(), Refusal> {
    if system && windows {
        let message = "System node pool must be of OS type Linux.";
        return Err(errors::container::invalid_parameter(message, "agentPoolProfile.osType"));
    }
    let restricted = |taint: &Value| {
        let taint = taint.as_str().unwrap_or_default();
        !taint.starts_with("CriticalAddonsOnly=") && !taint.ends_with(":PreferNoSchedule")
    };
    if system && taints.and_then(Value::as_array).is_some_and(|taints| taints.iter().any(restricted)) {
        let message = "Placing custom taints on system pool is not supported(except 'CriticalAddonsOnly' taint or taint effect is 'PreferNoSchedule'). Please refer to https://aka.ms/aks/system-taints for detail";
        return Err(errors::container::invalid("SystemPoolHasRestrictedTaint", message, "agentPoolProfile.nodeTaints"));
    }
    check_local_dns(kept)?;
    let number = |name: &str| at(kept, name).and_then(Value::as_i64);
    if at(kept, "enableAutoScaling") == Some(&json!(true)) {
        let (Some(least), Some(most)) = (number("minCount"), number("maxCount")) else {
            let message = "MinCount and MaxCount must be set when cluster autoscaler is enabled.";
            return Err(errors::container::invalid_parameter(message, "agentPoolProfile.minCount"));
        };
        if least > most {
            let message = "The value of agentPoolProfile.minCount must not exceed maxCount.";
            return Err(errors::container::invalid_parameter(message, "agentPoolProfile.minCount"));
        }
    }
    if number("count").is_some_and(|count| !(0..=1000).contains(&count) || (system && count < 1)) {
        let message = "The value of agentPoolProfile.count is out of range.";
        return Err(errors::container::invalid_parameter(message, "agentPoolProfile.count"));
    }
    Ok(())
}

/// What a pool is made with and keeps.
const SETTLED: [&str; 19] = [
    "vmSize",
    "vnetSubnetID",
    "podSubnetID",
    "maxPods",
    "osType",
    "osDiskType",
    "osDiskSizeGB",
    "availabilityZones",
    "scaleSetPriority",
    "scaleSetEvictionPolicy",
    "spotMaxPrice",
    "enableEncryptionAtHost",
    "kubeletConfig",
    "linuxOSConfig",
    "proximityPlacementGroupID",
    "nodePublicIPPrefixID",
    "hostGroupID",
    "capacityReservationGroupID",
    "gpuInstanceProfile",
];

fn check_unchanged(before: &Body, kept: &Body) -> Result<(), Refusal> {
    let nothing = |value: &&Value| !matches!(value, Value::Bool(false)) && !is_empty(value);
    for name in SETTLED {
        if !same(at(before, name).filter(nothing), at(kept, name).filter(nothing)) {
            return Err(errors::container::unchangeable(&format!("agentPoolProfile.{name}")));
        }
    }
    let (old, new) = (text(before, "type"), text(kept, "type"));
    // Recorded: the way out of availability sets.
    if !old.eq_ignore_ascii_case(new) && (old, new) != ("AvailabilitySet", "VirtualMachines") {
        return Err(errors::container::unchangeable("agentPoolProfile.type"));
    }
    let (old, new) = (text(before, "osSKU"), text(kept, "osSKU"));
    let free = |sku: &str| ["Ubuntu", "AzureLinux"].iter().any(|free| free.eq_ignore_ascii_case(sku));
    let same = old.eq_ignore_ascii_case(new) || (free(old) && free(new));
    if !same {
        return Err(errors::container::unchangeable("agentPoolProfile.osSKU"));
    }
    Ok(())
}

/// 1-12 lower-case letters and digits, a letter first; 6 at most for Windows.
pub(super) fn check_name(name: &str, properties: &Body) -> Result<(), Refusal> {
    let most = if text(properties, "osType").eq_ignore_ascii_case("Windows") { 6 } else { 12 };
    let fits = (1..=most).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if fits {
        return Ok(());
    }
    let message = format!(
        "The value of parameter agentPoolProfile.name is invalid. Error details: '{name}' must be 1 to {most} lower-case letters and digits and start with a letter. Please see https://aka.ms/aks-naming-rules for more details."
    );
    Err(errors::container::invalid_parameter(message, "agentPoolProfile.name"))
}
