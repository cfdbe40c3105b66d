//! How fast text becomes a syntax tree, beside hcl-edit on the same text, and canonical text again. Then each construct alone, in two
//! sizes: the throughput of the larger must be that of the smaller. Reading files is not in it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark that fails should say where, and asks the system for its memory"
)]

mod shape;

use std::{hint::black_box, time::Duration};

use akson_diagnostics::{Diagnostics, SourceMap};
use criterion::{BenchmarkId, Criterion, Throughput};

/// A construct repeated: what stands before, what is repeated, what stands after.
const CONSTRUCTS: &[(&str, &str, &str, &str)] = &[
    ("long list", "locals {\n  x = [\n", "    \"an element\",\n", "  ]\n}\n"),
    ("long object", "locals {\n  x = {\n", "    key = \"a value\"\n", "  }\n}\n"),
    ("long chain", "locals {\n  x = [\n", "    1 + 2 * 3 - 4 / 5 + 6 > 7 && true,\n", "  ]\n}\n"),
    ("templates in templates", "locals {\n  x = [\n", "    \"a${\"b${\"c${\"d${e.f}\"}\"}\"}\",\n", "  ]\n}\n"),
    (
        "deep blocks",
        "",
        "a \"b\" {\n  c {\n    d {\n      e {\n        f {\n          g = 1\n        }\n      }\n    }\n  }\n}\n",
        "",
    ),
    ("deep brackets", "locals {\n  x = [\n", "    [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],\n", "  ]\n}\n"),
    ("long heredoc", "locals {\n  x = <<-EOT\n", "    a line of text with ${one.value} in it\n", "  EOT\n}\n"),
    ("long string", "locals {\n  x = \"", "words and ${values} ", "\"\n}\n"),
    ("comments", "", "# a line of a comment\n", "locals { x = 1 }\n"),
    ("errors in lines", "locals {\n", "  a = = 1\n", "}\n"),
    ("errors in blocks", "", "a \"b\" {\n  c = [1, 2\n}\n", ""),
];

fn parse(sources: &SourceMap, id: akson_diagnostics::SourceId) -> (akson_parser::ast::File, usize) {
    let mut diagnostics = Diagnostics::new();
    let file = akson_parser::parse(black_box(sources), id, &mut diagnostics);
    let errors = diagnostics.iter().count();
    (file, errors)
}

/// A figure of this process's memory in bytes, where the system tells.
fn memory(figure: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(figure))?;
    let kibibytes: usize = line.trim_matches(|byte: char| !byte.is_ascii_digit()).parse().ok()?;
    Some(kibibytes * 1024)
}

/// What a parse takes at its peak, the tree included, beside the size of the text. It comes first, as a peak never falls.
fn peak(size: usize, name: &str) -> Option<()> {
    let text = shape::text(size);
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", text);
    let size = sources.get(id).text.len();
    let before = memory("VmRSS:")?;
    let (file, _) = parse(&sources, id);
    let after = memory("VmHWM:")?;
    drop(file);
    let tenths = after.saturating_sub(before) * 10 / size;
    println!("{name}: at its peak a parse takes {}.{} times the text", tenths / 10, tenths % 10);
    Some(())
}

fn main() {
    // Once before, so that the program itself is in memory.
    let _ = peak(1 << 16, "first");
    let _ = (peak(1 << 20, "1 MiB"), peak(10 << 20, "10 MiB"));
    let mut criterion =
        Criterion::default().sample_size(10).measurement_time(Duration::from_secs(4)).configure_from_args();
    for (size, name) in [(1 << 20, "1 MiB"), (10 << 20, "10 MiB")] {
        let text = shape::text(size);
        let mut sources = SourceMap::new();
        let id = sources.add("main.aks", text.clone());
        assert_eq!(parse(&sources, id).1, 0, "the text is right");
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("parse", |bencher| bencher.iter_with_large_drop(|| parse(&sources, id)));
        group.bench_function("hcl-edit", |bencher| {
            bencher.iter_with_large_drop(|| hcl_edit::parser::parse_body(black_box(&text)).unwrap());
        });
        group.bench_function("format", |bencher| {
            bencher.iter(|| akson_parser::format(black_box(&sources), id).unwrap());
        });
        group.finish();
    }
    for (name, before, repeated, after) in CONSTRUCTS {
        let mut group = criterion.benchmark_group(*name);
        for size in [64 << 10, 1 << 20] {
            let text = format!("{before}{}{after}", repeated.repeat(size / repeated.len()));
            let mut sources = SourceMap::new();
            let id = sources.add("main.aks", text);
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_with_input(BenchmarkId::from_parameter(size), &id, |bencher, id| {
                bencher.iter_with_large_drop(|| parse(&sources, *id));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
