#!/bin/sh
# What an annotated function costs `cargo check`: a crate of N functions, half of them async, a
# third of them returning a Result, as they are, with #[observe] and with #[tracing::instrument].
#
#   tests/check-cost.sh [functions] [rounds]
set -eu
count=${1:-2000}
rounds=${2:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=${CHECK_COST_TARGET:-$work/target}
mkdir -p "$work/src"
cp "$root/Cargo.lock" "$work/Cargo.lock"
cat > "$work/Cargo.toml" <<TOML
[package]
name = "check-cost"
version = "0.0.0"
edition = "2024"
[workspace]
[dependencies]
llm-observe = { path = "$root/llm-observe", default-features = false }
tracing = "0.1"
TOML

functions() {
    attribute=$1
    i=0
    echo "#![allow(dead_code)]"
    while [ "$i" -lt "$count" ]; do
        case $((i % 6)) in
            0 | 3) echo "$attribute pub fn f$i(text: &str, n: usize) -> usize { let all = text.len() + n; if all > 3 { return n; } all }" ;;
            1 | 4) echo "$attribute pub async fn f$i(text: &str, n: usize) -> usize { let all = text.len() + n; if all > 3 { return n; } all }" ;;
            2) echo "$attribute pub fn f$i(text: String, n: usize) -> Result<usize, std::io::Error> { let m: usize = text.parse().map_err(std::io::Error::other)?; Ok(n + m) }" ;;
            5) echo "$attribute pub async fn f$i(text: String, n: usize) -> Result<usize, std::io::Error> { let m: usize = text.parse().map_err(std::io::Error::other)?; Ok(n + m) }" ;;
        esac
        i=$((i + 1))
    done
}

now() { date +%s%N; }

measure() {
    functions "$2" > "$work/src/lib.rs"
    (cd "$work" && cargo check --offline --quiet 2>/dev/null)
    best=
    round=0
    while [ "$round" -lt "$rounds" ]; do
        echo "// $round" >> "$work/src/lib.rs"
        start=$(now)
        (cd "$work" && CARGO_INCREMENTAL=0 cargo check --offline --quiet 2>/dev/null)
        took=$((($(now) - start) / 1000))
        if [ -z "$best" ] || [ "$took" -lt "$best" ]; then best=$took; fi
        round=$((round + 1))
    done
    echo "$1: $best us"
    eval "$1=$best"
}

measure plain ""
measure instrument "#[tracing::instrument(skip_all)]"
measure observe "#[llm_observe::observe]"
echo "a function: instrument $(((instrument - plain) / count)) us, observe $(((observe - plain) / count)) us"
