#!/usr/bin/env bash
# `deno run` downloads every npm package that deno.lock names, also those that the program never imports.
#
# Version: Deno 2.9.6 (from npm).
#
# A lock file that sits beside deno.json grows with everything that is ever run in that folder: tests,
# benchmarks, examples. One would expect a program's first run on a clean machine to fetch what the program
# imports, in the versions that the lock names.
#
# Seen: the first run fetches all packages of the lock. Below, a program that needs `ms` (3 kB) also
# fetches `lodash`, because a test in the same folder imports it. Without the lock, or with a lock of its
# own for tests (`--lock=tests.lock`), it fetches `ms` alone. The unstable feature `npm-lazy-caching` also
# makes it fetch `ms` alone, with the one lock.
#
#   fetched with the lock:                 lodash ms
#   fetched without the lock:              ms
#   fetched with npm-lazy-caching:         ms
#   fetched where the tests have their own: ms
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1

mkdir tool project
(cd tool && npm init -y >/dev/null && npm install --silent --no-audit --no-fund deno@2.9.6 >/dev/null)
deno=$folder/tool/node_modules/.bin/deno
cd project
echo '{ "imports": { "ms": "npm:ms@2.1.3" } }' >deno.json
echo 'import ms from "ms"; console.log(ms(1000));' >main.ts
echo 'import lodash from "npm:lodash@4.17.21"; console.log(typeof lodash);' >test.ts

# The packages whose archives a run downloads into an empty cache.
fetches() {
  local cache
  cache=$(mktemp -d -p "$folder")
  DENO_DIR=$cache "$deno" "$@" 2>&1 | sed -nE 's|^Download .*/([a-z]+)-[0-9.]+\.tgz$|\1|p' | sort -u | paste -sd ' ' -
}
status=0
expect() {
  printf '%-40s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "  expected: $3"; status=1; }
}

fetches run main.ts >/dev/null
fetches run test.ts >/dev/null
expect "fetched with the lock:" "$(fetches run main.ts)" "lodash ms"
expect "fetched without the lock:" "$(fetches run --no-lock main.ts)" "ms"
expect "fetched with npm-lazy-caching:" "$(fetches run --unstable-npm-lazy-caching main.ts)" "ms"
rm deno.lock
fetches run main.ts >/dev/null
fetches run --lock=tests.lock test.ts >/dev/null
expect "fetched where the tests have their own:" "$(fetches run main.ts)" "ms"
exit $status
