//! The regions of the public cloud, by programmatic and display name. Which service is offered where
//! is not modelled: everything is everywhere.

/// Programmatic and display names.
pub(super) const REGIONS: [(&str, &str); 55] = [
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("southcentralus", "South Central US"),
    ("westus2", "West US 2"),
    ("westus3", "West US 3"),
    ("australiaeast", "Australia East"),
    ("southeastasia", "Southeast Asia"),
    ("northeurope", "North Europe"),
    ("swedencentral", "Sweden Central"),
    ("uksouth", "UK South"),
    ("westeurope", "West Europe"),
    ("centralus", "Central US"),
    ("southafricanorth", "South Africa North"),
    ("centralindia", "Central India"),
    ("eastasia", "East Asia"),
    ("indonesiacentral", "Indonesia Central"),
    ("japaneast", "Japan East"),
    ("japanwest", "Japan West"),
    ("koreacentral", "Korea Central"),
    ("malaysiawest", "Malaysia West"),
    ("newzealandnorth", "New Zealand North"),
    ("canadacentral", "Canada Central"),
    ("austriaeast", "Austria East"),
    ("belgiumcentral", "Belgium Central"),
    ("francecentral", "France Central"),
    ("germanywestcentral", "Germany West Central"),
    ("italynorth", "Italy North"),
    ("norwayeast", "Norway East"),
    ("polandcentral", "Poland Central"),
    ("spaincentral", "Spain Central"),
    ("switzerlandnorth", "Switzerland North"),
    ("mexicocentral", "Mexico Central"),
    ("uaenorth", "UAE North"),
    ("brazilsouth", "Brazil South"),
    ("chilecentral", "Chile Central"),
    ("israelcentral", "Israel Central"),
    ("qatarcentral", "Qatar Central"),
    ("northcentralus", "North Central US"),
    ("westus", "West US"),
    ("westcentralus", "West Central US"),
    ("southafricawest", "South Africa West"),
    ("australiacentral", "Australia Central"),
    ("australiacentral2", "Australia Central 2"),
    ("australiasoutheast", "Australia Southeast"),
    ("koreasouth", "Korea South"),
    ("southindia", "South India"),
    ("westindia", "West India"),
    ("canadaeast", "Canada East"),
    ("francesouth", "France South"),
    ("germanynorth", "Germany North"),
    ("norwaywest", "Norway West"),
    ("switzerlandwest", "Switzerland West"),
    ("ukwest", "UK West"),
    ("uaecentral", "UAE Central"),
    ("brazilsoutheast", "Brazil Southeast"),
];

/// Regions for early access: real, but not listed.
const EARLY: [&str; 2] = ["centraluseuap", "eastus2euap"];

/// The programmatic name of a region, from either name in any case; `global` counts as one.
pub(super) fn canonical(text: &str) -> Option<String> {
    let name: String = text.chars().filter(|c| *c != ' ').collect::<String>().to_ascii_lowercase();
    let known = name == "global"
        || EARLY.contains(&name.as_str())
        || REGIONS.iter().any(|(programmatic, _)| *programmatic == name);
    known.then_some(name)
}

/// All programmatic names, as errors list them.
pub(super) fn names() -> String {
    REGIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_mean_the_region() {
        assert_eq!(canonical("West US 2").as_deref(), Some("westus2"));
        assert_eq!(canonical("westeurope").as_deref(), Some("westeurope"));
        assert_eq!(canonical("nowhere"), None);
    }
}
