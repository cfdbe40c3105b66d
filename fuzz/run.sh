#!/bin/sh
# Runs every fuzz target, or those that are named, each for SECONDS_EACH seconds (60 if not set), from the seeds here and the
# corpora of the crates' tests. What is found stays in fuzz/artifacts/TARGET. It needs a nightly toolchain and cargo-fuzz:
#
#   rustup toolchain install nightly && cargo install cargo-fuzz
#   fuzz/run.sh
#   SECONDS_EACH=1800 fuzz/run.sh parse format
set -eu
cd "$(dirname "$0")/.."
targets=${*:-parse format evaluate template variables}
for target in $targets; do
  mkdir -p "fuzz/corpus/$target"
  case $target in
    parse | format) seeds="crates/akson-parser/tests/corpus/ok crates/akson-parser/tests/corpus/err crates/akson-parser/tests/corpus/format crates/akson-config/tests/corpus/bad" ;;
    evaluate) seeds="crates/akson-config/tests/corpus crates/akson-config/tests/corpus/bad examples" ;;
    *) seeds="fuzz/seeds/$target" ;;
  esac
  # Small ones: large files made for limits would be all that is tried.
  for folder in $seeds; do
    find "$folder" -name '*.aks*' -size -8k -exec cp {} "fuzz/corpus/$target/" \;
  done
  cargo +nightly fuzz run --fuzz-dir fuzz "$target" "fuzz/corpus/$target" -- \
    -max_total_time="${SECONDS_EACH:-60}" -max_len=4096 -timeout=20 -rss_limit_mb=4096 -dict=fuzz/aks.dict
done
