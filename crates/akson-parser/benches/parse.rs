//! How fast text becomes a syntax tree, and canonical text again: a megabyte of ordinary blocks. Reading files is not in it.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark that fails should say where")]

use std::{fmt::Write as _, hint::black_box};

use akson_diagnostics::{Diagnostics, SourceMap};
use criterion::{Criterion, Throughput};

/// Blocks as people write them: references, templates, maps, comments.
fn text(bytes: usize) -> String {
    let mut text = String::from("stack \"bench\" { location = \"westeurope\" }\n");
    let mut number = 0;
    while text.len() < bytes {
        number += 1;
        let _ = write!(
            text,
            r#"
# The identity of team {number}.
identity "team_{number}" {{
  for_each       = ["mail", "web"]
  name           = "id-${{each.key}}-{number}"
  resource_group = resource_group.main
  tags           = {{ team = each.key, number = "{number}", size = {number} > 100 ? "large" : "small" }}
}}
"#
        );
    }
    text
}

fn main() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let mut sources = SourceMap::new();
    let text = text(1 << 20);
    let length = text.len() as u64;
    let id = sources.add("main.aks", text);
    let mut group = criterion.benchmark_group("1 MiB");
    group.throughput(Throughput::Bytes(length));
    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            let mut diagnostics = Diagnostics::new();
            let file = akson_parser::parse(black_box(&sources), id, &mut diagnostics);
            assert!(!diagnostics.has_errors());
            file
        });
    });
    group.bench_function("format", |bencher| {
        bencher.iter(|| akson_parser::format(black_box(&sources), id).unwrap());
    });
    group.finish();
    criterion.final_summary();
}
