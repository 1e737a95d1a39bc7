#!/usr/bin/env bash
# Measures a real server under load by `wrk`, without a layer and with each: requests per second and
# latency, while slow clients read streams and disconnect. The layers take turns, ROUNDS times.
#
#   bash benches/http_load.sh [ROUNDS] [SECONDS] [CONNECTIONS] [SLOW CLIENTS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${1:-5} seconds=${2:-5} connections=${3:-32} clients=${4:-50}
layers=(none llm-observe trace prometheus both)

command -v wrk >/dev/null || { echo 'wrk is not installed: apt-get install wrk' >&2; exit 1; }
cargo build --release --locked -q -p llm-observe-benches --example http_load
program=${CARGO_TARGET_DIR:-target}/release/examples/http_load
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# to_ms VALUE: converts a time that wrk prints to milliseconds
to_ms() {
  case $1 in
    *us) awk -v n="${1%us}" 'BEGIN { printf "%.2f", n / 1000 }' ;;
    *ms) awk -v n="${1%ms}" 'BEGIN { printf "%.2f", n }' ;;
    *) awk -v n="${1%s}" 'BEGIN { printf "%.2f", n * 1000 }' ;;
  esac
}

# measure LAYER: one run; appends "requests/s p50 p99" to the layer's results
measure() {
  local layer=$1 address report
  mkdir -p "$folder/$layer"
  coproc running { exec "$program" serve "$layer" "$folder/$layer"; }
  local server=$running_PID input=${running[1]}
  read -r address <&"${running[0]}"
  "$program" slow "$address" "$clients" &
  local slow=$!
  report=$(wrk -t1 -c"$connections" -d"${seconds}s" --latency \
    -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' \
    "http://$address/ask/42?k=5")
  exec {input}>&-
  wait "$server" "$slow" 2>/dev/null || true
  rm -rf "${folder:?}/$layer"
  if grep -q 'Non-2xx\|Socket errors' <<<"$report"; then
    printf '%s\n' "$report" >&2
  fi
  local per_second p50 p99
  per_second=$(awk '/^Requests\/sec/ { print $2 }' <<<"$report")
  p50=$(to_ms "$(awk '$1 == "50%" { print $2 }' <<<"$report")")
  p99=$(to_ms "$(awk '$1 == "99%" { print $2 }' <<<"$report")")
  echo "$per_second $p50 $p99" >>"$folder/results.$layer"
}

# median COLUMN LAYER
median() {
  awk -v c="$1" '{ print $c }' "$folder/results.$2" | sort -n |
    awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

for ((round = 1; round <= rounds; round++)); do
  for layer in "${layers[@]}"; do
    measure "$layer"
  done
done

printf '%d rounds of %ds, %d connections, %d slow clients; medians\n' \
  "$rounds" "$seconds" "$connections" "$clients"
printf '%-14s %12s %10s %10s\n' '' 'requests/s' 'p50 ms' 'p99 ms'
for layer in "${layers[@]}"; do
  printf '%-14s %12.0f %10s %10s\n' "$layer" "$(median 1 "$layer")" "$(median 2 "$layer")" "$(median 3 "$layer")"
done
