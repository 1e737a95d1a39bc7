#!/bin/bash
# Puts #[observe] on every function of real crates and runs their own tests, before and after, with
# an observer on. The crates come from cargo's registry folder; nothing is fetched.
#
#   tests/annotate-crates.sh            tests the crates below and prints the table
#   tests/annotate-crates.sh check      compiles the annotated crates of a longer list
#
# A crate is written as NAME-VERSION|features|its dev-dependencies|its test targets ("lib" for unit
# tests)|features and dependencies to drop. Tests that need a dev-dependency which is not there are left out, before and after alike.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
registry=${REGISTRY:-$(ls -d "${CARGO_HOME:-$HOME/.cargo}"/registry/src/index.crates.io-* | head -1)}
work=${ANNOTATE_WORK:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${ANNOTATE_WORK:-}" ] || trap 'rm -rf "$work"' EXIT
target=${CARGO_TARGET_DIR:-$root/target}
annotate=$target/debug/annotate
export CARGO_TARGET_DIR=$work/target RUST_BACKTRACE=0 RUSTFLAGS="--cap-lints warn -A warnings" CARGO_INCREMENTAL=0

tested='
semver-1.0.28|std||test_identifier test_version test_version_req test_autotrait
percent-encoding-2.3.2|||lib
glob-0.3.4||doc-comment = { path = "../../doc-comment" }|lib
nom-7.1.3||proptest = { version = "1", default-features = false, features = ["std"] };doc-comment = { path = "../../doc-comment" }|lib arithmetic css float issues json mp4 multiline overflow
anyhow-1.0.104||thiserror = "2";rustversion = "1"|lib test_chain test_context test_convert test_downcast test_fmt test_macros test_repr test_source
tokio-util-0.7.20|full|tokio = { version = "1", features = ["full"] };tokio-stream = "0.1";futures = "0.3";parking_lot = "0.12";tokio-test = { path = "../../tokio-test" }|lib abort_on_drop codecs context io_inspect io_sink_writer io_stream_reader io_sync_bridge panic reusable_box spawn_pinned|join-map
'
checked="
httparse-1.10.1|std
url-2.5.8|std
anyhow-1.0.104|
serde_json-1.0.154|std,raw_value,arbitrary_precision
nom-8.0.0|
nom-7.1.3|
lettre-0.11.23|!builder,smtp-transport,pool,file-transport,sendmail-transport|rustls tokio1_rustls rustls-platform-verifier rustls-native-certs
log4rs-1.4.0|!console_appender,file_appender,rolling_file_appender,compound_policy,delete_roller,fixed_window_roller,size_trigger,time_trigger,json_encoder,pattern_encoder,threshold_filter
proptest-1.12.0|!std
tower-0.5.3|!buffer,discover,filter,limit,load-shed,make,ready-cache,reconnect,retry,spawn-ready,steer,timeout,util
tokio-util-0.7.20|!codec,compat,io-util,time,net,rt
indexmap-2.14.2|serde
winnow-1.0.5|
toml-1.2.2+spec-1.1.0|
http-1.5.0|
bytes-1.12.2|
axum-core-0.5.6|
h2-0.4.20|
async-openai-0.43.0|!chat-completion-types,embedding-types,response-types|reqwest
"

# prepare CRATE DEV-DEPENDENCIES DROPPED: a copy as it is and one with every function annotated.
prepare() {
    for kind in plain annotated; do
        folder=$work/$kind/$1
        [ ! -e "$folder" ] || rm -rf "$folder"
        mkdir -p "$work/$kind"
        cp -r "$registry/$1" "$folder"
        chmod -R u+w "$folder"
        python3 "$root/tests/annotate-manifest.py" "$registry/$1/Cargo.toml" "$root/Cargo.lock" "$2" ${3:-} > "$folder/Cargo.toml"
        cp "$root/Cargo.lock" "$folder/Cargo.lock"
    done
    observer
    stand_ins
    printf '\n[dependencies.llm-observe]\npath = "%s/llm-observe"\n[dependencies.annotated-observer]\npath = "%s/observer"\n' "$root" "$work" >> "$folder/Cargo.toml"
    find "$folder/src" -name '*.rs' -exec sed -i 's/forbid(unsafe_code)/deny(unsafe_code)/' {} +
    functions=$("$annotate" "$folder/src")
    cat >> "$folder/src/lib.rs" <<'RUST'
#[allow(unsafe_code, missing_docs)]
const _: () = {
    extern "C" fn start() {
        ::annotated_observer::start();
    }
    #[used]
    #[unsafe(link_section = ".init_array")]
    static START: extern "C" fn() = start;
};
RUST
}

# The crate that turns an observer on before `main`: metrics, and a log file of what fails.
observer() {
    mkdir -p "$work/observer/src" "$work/logs"
    cat > "$work/observer/Cargo.toml" <<TOML
[package]
name = "annotated-observer"
version = "0.0.0"
edition = "2024"
[dependencies]
llm-observe = { path = "$root/llm-observe" }
[workspace]
TOML
    cat > "$work/observer/src/lib.rs" <<RUST
pub fn start() {
    let text = "[log]\ndir = \"$work/logs\"\nconsole = \"never\"\nlevel = \"error\"\nmax_bytes = \"1MB\"\nbackups = 1\nshared = true\n";
    let config = llm_observe::config::Config::parse(text, std::path::Path::new("llm-observe.toml")).expect("a configuration");
    let observer = llm_observe::Observer::builder().config(config).install().expect("an observer");
    std::mem::forget(observer);
}
RUST
}

# What the tests use of tokio-test and doc-comment.
stand_ins() {
    mkdir -p "$work/doc-comment/src"
    printf '[package]\nname = "doc-comment"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' > "$work/doc-comment/Cargo.toml"
    printf '#[macro_export]\nmacro_rules! doctest { ($($text:tt)*) => {}; }\n' > "$work/doc-comment/src/lib.rs"
    mkdir -p "$work/tokio-test/src"
    printf '[package]\nname = "tokio-test"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' > "$work/tokio-test/Cargo.toml"
    cat > "$work/tokio-test/src/lib.rs" <<'RUST'
pub mod task {
    pub struct Spawn<T>(T);
    pub fn spawn<T>(task: T) -> Spawn<T> {
        Spawn(task)
    }
    impl<T> std::ops::Deref for Spawn<T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }
    impl<T> std::ops::DerefMut for Spawn<T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }
}
RUST
}

# features LIST: as arguments; without the default ones if it begins with "!".
features() {
    case $1 in
        !*) echo "--no-default-features --features ${1#!}" ;;
        "") ;;
        *) echo "--features $1" ;;
    esac
}

# run KIND CRATE FEATURES TARGETS: the number of tests that passed and failed.
run() {
    arguments=
    for name in $4; do
        if [ "$name" = lib ]; then arguments="$arguments --lib"; else arguments="$arguments --test $name"; fi
    done
    # shellcheck disable=SC2086
    (cd "$work/$1/$2" && nice cargo test --offline $(features "$3") $arguments --no-fail-fast > "$work/$1-$2.txt" 2>&1) || true
    awk '/^test result:/ { passed += $4; failed += $6; runs++ } END { if (runs) print passed " passed, " failed " failed"; else print "does not compile" }' "$work/$1-$2.txt"
}

(cd "$root" && CARGO_TARGET_DIR=$target RUSTFLAGS='' cargo build --quiet --offline -p llm-observe-tests --bin annotate)
bad=0
case ${1:-test} in
    check)
        printf '%-24s %9s  %s\n' crate functions compiles
        echo "$checked" | while IFS='|' read -r crate features dropped; do
            [ -n "$crate" ] || continue
            case ${2:-$crate} in "$crate") ;; *) continue ;; esac
            prepare "$crate" "" "${dropped:-}"
            if (cd "$folder" && nice cargo check --offline $(features "$features") > "$work/check-$crate.txt" 2>&1); then ok=yes; else ok="no, $(grep -c '^error' "$work/check-$crate.txt") errors"; fi
            printf '%-24s %9s  %s\n' "$crate" "$functions" "$ok"
        done
        ;;
    test)
        printf '%-24s %9s  %-22s %s\n' crate functions before after
        while IFS='|' read -r crate features dev targets dropped; do
            [ -n "$crate" ] || continue
            case ${2:-$crate} in "$crate") ;; *) continue ;; esac
            prepare "$crate" "$dev" "${dropped:-}"
            before=$(run plain "$crate" "$features" "$targets")
            after=$(run annotated "$crate" "$features" "$targets")
            printf '%-24s %9s  %-22s %s\n' "$crate" "$functions" "$before" "$after"
            [ "$before" = "$after" ] || bad=1
        done <<< "$tested"
        ;;
esac
exit $bad
