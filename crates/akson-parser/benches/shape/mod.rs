//! Text as people write it, in the common part of HCL and `.aks`, of any size: what parsers are compared on. Not a benchmark.

use std::fmt::Write as _;

/// Blocks with comments, nested blocks, lists, maps, templates, conditions, calls, `for` expressions and heredocs.
pub(crate) fn text(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 2048);
    let mut number = 0;
    while text.len() < bytes {
        number += 1;
        let _ = write!(
            text,
            r#"
# The identity of team {number}, and what it may do.
identity "team_{number}" {{
  for_each       = ["mail", "web", "batch"]
  name           = "id-${{each.key}}-{number}"
  resource_group = resource_group.main
  tags           = {{ team = each.key, number = "{number}", size = {number} > 100 ? "large" : "small" }}
}}

cluster "main_{number}" {{
  name           = "shop-{number}-aks"
  resource_group = resource_group.app
  version        = var.versions["stable"]
  enabled        = !local.production || var.count >= 3 && length(var.zones) > 1

  network {{
    plugin   = "azure"
    pod_cidr = cidrsubnet(var.range, 8, {number} % 256)
    ranges   = [for range in var.ranges : upper(range) if range != "0.0.0.0/0"]
  }}

  node_pool "system" {{
    vm_size = "Standard_D4s_v5" // four cores
    count   = 3 + local.extra * 2
    zones   = ["1", "2", "3"]
    labels  = {{
      "app.kubernetes.io/name" = "pool"
      team                     = "team-{number}"
    }}
  }}
}}

output "summary_{number}" {{
  value = <<-EOT
    The cluster ${{cluster.main_{number}.name}} has these:
    plain text that goes on for a while, as documentation does
  EOT
}}
"#
        );
    }
    text
}
