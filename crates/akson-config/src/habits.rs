//! Words of other tools that are none of this language, each with what to do instead. Only text for help lines: nothing here
//! is evaluated.

/// A block at the top of a file.
pub(crate) fn block(word: &str) -> Option<String> {
    Some(match word {
        "provider" => {
            "remove it: there are no providers to configure; tenant and subscription stand in the `stack` block"
                .to_owned()
        }
        "terraform" => "write `stack \"name\" { … }`: it has `ledger` for the state and `required_version`".to_owned(),
        "data" => "what exists already is declared as `existing KIND \"name\" { … }`".to_owned(),
        "moved" => "remove it: names are cosmetic, so a block that is renamed changes nothing in Azure".to_owned(),
        "import" => "remove it: a resource that is declared and exists already is adopted".to_owned(),
        "removed" => "remove it: a resource that stays in Azure when its block goes has `on_remove = keep`".to_owned(),
        "existing" => "a kind follows: `existing group \"name\" { … }`".to_owned(),
        "local" => "write `locals { … }`".to_owned(),
        "var" | "variables" => "write `variable \"name\" { … }`, one block each".to_owned(),
        "outputs" => "write `output \"name\" { … }`, one block each".to_owned(),
        _ => format!("write `{}`", kind_of(word)?),
    })
}

/// The kind for a type of Terraform's Azure providers.
pub(crate) fn kind_of(terraform: &str) -> Option<&'static str> {
    Some(match terraform {
        "azurerm_resource_group" => "resource_group",
        "azurerm_kubernetes_cluster" => "cluster",
        "azurerm_kubernetes_cluster_node_pool" => "node_pool",
        "azurerm_user_assigned_identity" => "identity",
        "azurerm_federated_identity_credential" => "federated_credential",
        "azurerm_key_vault" => "vault",
        "azurerm_key_vault_secret" => "secret",
        "azurerm_role_assignment" => "grant",
        "azurerm_role_definition" => "role",
        "azurerm_resource_group_policy_assignment"
        | "azurerm_subscription_policy_assignment"
        | "azurerm_management_group_policy_assignment"
        | "azurerm_resource_policy_assignment" => "policy",
        "azurerm_policy_definition" => "policy_definition",
        "azurerm_policy_set_definition" => "initiative",
        "azurerm_virtual_network" => "network",
        "azurerm_subnet" => "subnet",
        "azurerm_route_table" => "route_table",
        "azurerm_firewall" => "firewall",
        "azurerm_nat_gateway" => "nat_gateway",
        "azurerm_public_ip" => "public_ip",
        "azurerm_network_security_group" => "network_security_group",
        "azurerm_private_dns_zone" => "private_dns_zone",
        "azurerm_private_endpoint" => "private_endpoint",
        "azurerm_container_registry" => "registry",
        "azurerm_log_analytics_workspace" => "log_workspace",
        "azurerm_monitor_diagnostic_setting" => "diagnostic_setting",
        "azurerm_management_lock" => "lock",
        "azuread_group" => "group",
        "azuread_user" => "user",
        "azuread_application" => "application",
        "azuread_service_principal" => "service_principal",
        "kubernetes_namespace" => "namespace",
        "kubernetes_service_account" => "service_account",
        _ => return None,
    })
}

/// The first word of a reference.
pub(crate) fn root(word: &str, next: &str) -> Option<String> {
    Some(match word {
        "data" => {
            format!("what exists already is declared with `existing`, and referred to as `kind.{next}`")
        }
        "count" => "instances come of `for_each`: their key is `each.key`".to_owned(),
        "self" => "a resource is referred to as `kind.name`; inside its own block write the value itself".to_owned(),
        "path" => "paths are relative to the folder of the file: `file(\"x.json\")`".to_owned(),
        "terraform" => "use a variable: there are no workspaces".to_owned(),
        "locals" => format!("a local is written `local.{next}`"),
        "variable" | "vars" => format!("a variable is written `var.{next}`"),
        _ => format!("refer to it as `{}.{next}`", kind_of(word)?),
    })
}

/// A bare word: what to do, and what to write in its place.
pub(crate) fn word(word: &str) -> Option<(&'static str, Option<&'static str>)> {
    Some(match word {
        "null" | "nil" | "undefined" => {
            ("leave the attribute out, or write `omit` in a condition; `none` takes away what the service has", None)
        }
        "True" | "TRUE" | "yes" | "on" => ("write `true`", Some("true")),
        "False" | "FALSE" | "no" | "off" => ("write `false`", Some("false")),
        _ => return None,
    })
}

/// A function.
pub(crate) fn function(name: &str) -> Option<&'static str> {
    Some(match name {
        "timestamp" | "plantimestamp" | "timeadd" | "timecmp" | "formatdate" | "now" => {
            "there is no clock: the same files give the same plan; give a time by a variable"
        }
        "uuid" | "random" | "bcrypt" => {
            "nothing is random: the same files give the same plan; `uuidv5(namespace, name)` makes a UUID of a name"
        }
        "md5" | "sha1" | "filemd5" | "filesha1" => "use `sha256(text)` or `sha512(text)`",
        "templatefile" | "templatestring" => "write the text as a heredoc, `<<-EOT`, with `${ … }` in it",
        "sensitive" | "nonsensitive" | "issensitive" => {
            "a variable with `sensitive = true` is never shown, nor is what is computed from it"
        }
        "abspath" | "pathexpand" | "fileset" => "name the files: paths are relative to the configuration's folder",
        "type" => "`can(tonumber(x))` and the like tell types apart",
        "list" => "write `[a, b]`",
        "map" | "object" => "write `{ key = value }`",
        "string" => "use `tostring(value)`",
        "number" | "int" => "use `tonumber(value)`",
        "bool" => "use `tobool(value)`",
        "len" | "size" | "count" => "use `length(value)`",
        "textencodebase64" => "use `base64encode(text)`",
        "if" => "write `condition ? value : other`",
        _ => return None,
    })
}
