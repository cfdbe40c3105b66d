//! The order of files and blocks does not matter.

use super::run::{inputs, run_with};

const BLOCKS: &[&str] = &[
    "stack \"s\" { location = local.region }\n",
    "locals {\n  region = var.region\n  names = [for key, one in identity.team : one.client_id]\n}\n",
    "variable \"region\" { default = \"westeurope\" }\n",
    "resource_group \"app\" { name = \"rg\" }\n",
    "identity \"team\" {\n  for_each = [\"a\", \"b\"]\n  name = \"id-${each.key}\"\n  resource_group = resource_group.app\n}\n",
    "vault \"v\" {\n  name = \"kv-v-1234\"\n  resource_group = resource_group.app\n  purge_protection = enabled\n  tags = { all = join(\",\", local.names) }\n}\n",
    "output \"all\" { value = local.names }\n",
    "lock \"l\" {\n  name = \"keep\"\n  on = vault.v\n  level = read_onl\n}\n",
];

/// What a run says, whatever the places are.
fn said(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let run = run_with(files, &inputs());
    let mut messages: Vec<String> = run
        .diagnostics
        .iter()
        .map(|diagnostic| format!("{} {} {:?}", diagnostic.code, diagnostic.message, diagnostic.help))
        .collect();
    messages.sort();
    let config = run.config.unwrap();
    let mut resources: Vec<String> = config
        .resources
        .iter()
        .map(|resource| {
            let leaves: Vec<String> =
                resource.leaves.iter().map(|leaf| format!("{} = {:?}", leaf.pointer, leaf.want)).collect();
            let mut on: Vec<&str> = resource.dependencies.iter().map(|dependency| dependency.on.as_str()).collect();
            on.sort_unstable();
            format!("{} {} {leaves:?} {on:?}", resource.address, resource.symbolic_id)
        })
        .collect();
    resources.sort();
    (messages, resources)
}

#[test]
fn shuffled_blocks_mean_the_same() {
    let expected = said(&[("main.aks", &BLOCKS.concat())]);
    assert_eq!(expected.0.len(), 1, "{:?}", expected.0);
    let mut order: Vec<usize> = (0..BLOCKS.len()).collect();
    let mut state = 7_usize;
    for _ in 0..40 {
        for at in (1..order.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(at, (state >> 33) % (at + 1));
        }
        let (first, second) = order.split_at(order.len() / 2);
        let text = |part: &[usize]| part.iter().map(|at| BLOCKS[*at]).collect::<String>();
        assert_eq!(said(&[("b.aks", &text(first)), ("a.aks", &text(second))]), expected);
    }
}

#[test]
fn the_order_in_which_files_are_handed_over_does_not_matter() {
    let (a, b) = (
        "stack \"s\" { location = \"westeurope\" }\nresource_group \"a\" { name = \"rg\" }\n",
        "resource_group \"b\" { name = \"rg\" }\n",
    );
    for files in [[("a.aks", a), ("b.aks", b)], [("b.aks", b), ("a.aks", a)]] {
        let run = run_with(&files, &inputs());
        let found = run.diagnostics.sorted();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, "`resource_group.a` and `resource_group.b` are one resource in Azure");
    }
}
