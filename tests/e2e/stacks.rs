//! Configurations that several modules use.

/// A small stack of every kind: a group, three identities, a credential each, a vault, a lock, outputs.
pub(crate) const TEAMS: &str = r#"
stack "teams" {
  location = "westeurope"
}

variable "teams" {
  type    = list(string)
  default = ["mail", "shop", "web"]
}

resource_group "main" {
  name = "teams-rg"
  tags = { owner = "platform" }
}

identity "team" {
  for_each       = var.teams
  name           = "team-${each.key}"
  resource_group = resource_group.main
}

federated_credential "pipeline" {
  for_each = var.teams
  identity = identity.team[each.key]
  name     = "pipeline"
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:example/${each.key}:ref:refs/heads/main"
}

vault "main" {
  name           = "teams-kv-7421"
  resource_group = resource_group.main
}

lock "main" {
  name  = "keep"
  on    = vault.main
  level = cannot_delete
  notes = "Holds the teams' secrets."
}

output "clients" { value = { for team in var.teams : team => identity.team[team].client_id } }
"#;
