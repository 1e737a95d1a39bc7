#!/usr/bin/env bash
# Runs the README's quick start in a new project that knows nothing but the packages: they are packed,
# unpacked outside of the repository, and depended on from there. Compiles the tests of each package
# too. Both are offline: every other crate is one that the workspace has fetched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$PWD
# An own folder in the workspace's target folder: what is compiled there serves the next run.
target=${CARGO_TARGET_DIR:-$root/target}/packages
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT

# Prints the names of the packages that may be published.
publishable() {
  cargo metadata --locked --no-deps --format-version 1 | python3 -c 'import json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["publish"] != []:
        print(package["name"])'
}

# Prints the [patch] table that has each package where it is unpacked, except for one of them.
patches() {
  local name
  echo '[patch.crates-io]'
  for name in "${packages[@]}"; do
    [ "$name" = "$1" ] || echo "$name = { path = \"$outside/$name\" }"
  done
}

# Prints the code of the first fenced block of README.md in a language that has a line in it.
block() {
  python3 - "$1" "$2" <<'EOF'
import re, sys
language, line = sys.argv[1:]
blocks = re.findall(r"^```" + language + r"\n(.*?)^```", open("README.md").read(), re.M | re.S)
print(next(block for block in blocks if line in block), end="")
EOF
}

# what no test of the workspace needs, such as the crates of optional features
CARGO_NET_OFFLINE=false cargo fetch --quiet --locked
mapfile -t packages < <(publishable)
echo "packages: ${packages[*]}"
selected=()
for name in "${packages[@]}"; do selected+=(-p "$name"); done
cargo package --quiet --locked --offline --allow-dirty --no-verify --target-dir "$target" "${selected[@]}"
for name in "${packages[@]}"; do
  version=$(cargo pkgid --offline -p "$name" | sed 's/.*[#@]//')
  tar -xzf "$target/package/$name-$version.crate" -C "$outside"
  mv "$outside/$name-$version" "$outside/$name"
done

for name in "${packages[@]}"; do
  echo "-- the tests of the packaged $name compile"
  cd "$outside/$name"
  cp Cargo.toml "$outside/Cargo.toml"
  { echo; echo '[workspace]'; patches "$name"; } >>Cargo.toml
  cp "$root/Cargo.lock" Cargo.lock
  CARGO_TARGET_DIR=$target cargo test --quiet --offline --all-features --no-run
  mv "$outside/Cargo.toml" Cargo.toml
done

echo '-- the quick start runs'
mkdir -p "$outside/quickstart/src"
cd "$root"
dependencies=$(block toml '[dependencies]' | sed "s|path = \"[^\"]*\"|path = \"$outside/llm-observe\"|")
grep -q "$outside/llm-observe" <<<"$dependencies" ||
  { echo 'README.md does not depend on llm-observe by path'; exit 1; }
block rust 'fn main(' >"$outside/quickstart/src/main.rs"
cd "$outside/quickstart"
{
  printf '[package]\nname = "quickstart"\nversion = "0.1.0"\nedition = "2024"\n\n[workspace]\n\n'
  printf '%s\n\n' "$dependencies"
  patches llm-observe
} >Cargo.toml
cp "$root/Cargo.lock" Cargo.lock
# The default port may be in use here.
printf '[server]\nlisten = "127.0.0.1:0"\n' >config.toml
LLM_OBSERVE_CONFIG=$PWD/config.toml CARGO_TARGET_DIR=$target cargo run --quiet --offline
for line in ' - INFO - prompt ok in ' ' - ERROR - connect error in '; do
  grep -q -- "$line" logs/app.log || { echo "no '$line' in the log:"; cat logs/app.log; exit 1; }
done
echo "$(wc -l <logs/app.log) lines in its log"
