#!/usr/bin/env bash
# Deno's `accessSync()` of `node:fs` asks for the user's id, even for whether a file exists (F_OK).
#
# Version: Deno 2.9.6 (from npm).
#
# A program that may read and write a folder asks whether a file is there, or whether it may be written. One
# would expect the answer.
#
# Seen: NotCapable, "Requires sys access to "uid"", for F_OK, R_OK and W_OK alike. `existsSync()` answers.
#
#   existsSync:              yes
#   F_OK:                    Requires sys access to "uid", run again with the --allow-sys flag
#   R_OK:                    Requires sys access to "uid", run again with the --allow-sys flag
#   W_OK:                    Requires sys access to "uid", run again with the --allow-sys flag
#   W_OK with sys=uid,gid:   yes
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 >/dev/null
deno=$folder/node_modules/.bin/deno
cat >access.ts <<'END'
import { accessSync, constants, existsSync } from "node:fs";
const [mode] = Deno.args;
try {
  if (mode === "existsSync") console.log(existsSync("file") ? "yes" : "no");
  else {
    accessSync("file", constants[mode as "W_OK"]);
    console.log("yes");
  }
} catch (error) {
  console.log((error as Error).message);
}
END
touch file

refused='Requires sys access to "uid", run again with the --allow-sys flag'
status=0
expect() {
  local label=$1 wanted=$2 seen
  shift 2
  seen=$("$deno" run --quiet --no-prompt --allow-read=. --allow-write=. "$@")
  printf '%-24s %s\n' "$label" "$seen"
  [ "$seen" = "$wanted" ] || { echo "  expected: $wanted"; status=1; }
}
expect "existsSync:" yes access.ts existsSync
for mode in F_OK R_OK W_OK; do expect "$mode:" "$refused" access.ts "$mode"; done
expect "W_OK with sys=uid,gid:" yes --allow-sys=uid,gid access.ts W_OK
exit $status
