#!/usr/bin/env bash
# Deno's `node:sqlite` cannot `VACUUM INTO` a file that it may write, unless it has every permission.
#
# Version: Deno 2.9.6 (from npm).
#
# `VACUUM INTO 'copy.db'` is SQLite's own way to copy a database that is in use. A program that may read and
# write the folder opens databases there, writes to them, and makes new ones. One would expect the copy to
# need nothing more.
#
# Seen: the statement fails with "too many attached databases - max 0", although nothing is attached: SQLite
# attaches the new file for the copy, and Deno sets the limit of attached databases to 0 for programs that do
# not have all permissions. With --allow-all it works. `backup()` of the same module works in both cases.
#
#   read and write, VACUUM INTO:    too many attached databases - max 0
#   read and write, backup():       3 rows
#   all permissions, VACUUM INTO:   3 rows
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 >/dev/null
deno=$folder/node_modules/.bin/deno

cat >copy.ts <<'END'
import { backup, DatabaseSync } from "node:sqlite";
const [way] = Deno.args;
const database = new DatabaseSync("original.db");
database.exec("CREATE TABLE IF NOT EXISTS t (x); DELETE FROM t; INSERT INTO t VALUES (1), (2), (3)");
try {
  if (way === "vacuum") database.exec("VACUUM INTO 'copy.db'");
  else await backup(database, "copy.db");
  const copy = new DatabaseSync("copy.db");
  console.log(copy.prepare("SELECT count(*) AS n FROM t").get()!.n, "rows");
  copy.close();
} catch (error) {
  console.log((error as Error).message);
}
database.close();
END

status=0
expect() {
  local label=$1 wanted=$2 seen
  shift 2
  rm -f copy.db
  seen=$("$deno" run --quiet --no-prompt "$@")
  printf '%-31s %s\n' "$label" "$seen"
  [ "$seen" = "$wanted" ] || { echo "  expected: $wanted"; status=1; }
}
expect "read and write, VACUUM INTO:" "too many attached databases - max 0" --allow-read=. --allow-write=. copy.ts vacuum
expect "read and write, backup():" "3 rows" --allow-read=. --allow-write=. copy.ts backup
expect "all permissions, VACUUM INTO:" "3 rows" --allow-all copy.ts vacuum
exit $status
