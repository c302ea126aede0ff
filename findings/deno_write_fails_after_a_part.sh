#!/usr/bin/env bash
# Deno's `fs.write()` to a full non-blocking pipe says EAGAIN after it has written a part of the bytes.
#
# Version: Deno 2.9.6 (from npm), Node as it is (20.20.2 below). Linux, needs Python 3.
#
# Standard output may be a pipe with O_NONBLOCK: its other end, or another program that shares it, may have set
# that. A write of 100 000 bytes to such a pipe that has room for 65 536 takes 65 536. `fs.write()` gives the
# number of bytes that were written, and one would expect 65 536 and no error, as in Node. One would expect
# `console.log()` and `process.stdout.write()` to bring out all of their bytes as soon as there is room.
#
# Seen: `fs.write()`, `fs.writev()` and `fs.writeSync()` fail with EAGAIN, and 65 536 bytes are in the pipe. Who
# tries again after EAGAIN, as one must, writes those twice: a program that meant 20 000 000 bytes wrote
# 33 818 342, and each call that did not fail gave the full count. `Deno.stdout.write()` gives the short
# count. `console.log()` throws, and a `process.stdout.write()` throws what its callback should get; both
# have written a part by then.
#
#   fs.write              node: 65536 written, 65536 came     deno: EAGAIN, 65536 came
#   fs.writev             node: 65536 written, 65536 came     deno: EAGAIN, 65536 came
#   fs.writeSync          node: 65536 written, 65536 came     deno: EAGAIN, 65536 came
#   Deno.stdout.write                                         deno: 65536 written, 65536 came
#   process.stdout.write  node: all written, 100000 came      deno: threw EAGAIN, 65536 came
#   console.log           node: all written, 100000 came      deno: threw EAGAIN, 65536 came
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 >/dev/null
deno=$folder/node_modules/.bin/deno
node --version

# Writes once, and tells on stderr what came of it.
cat >once.mjs <<'EOF'
import fs from "node:fs";
const data = new Uint8Array(100_000);
const tell = (error, written) => console.error(error ? error.code : `${written} written`);
const ways = {
  "fs.write": () => fs.write(1, data, 0, data.length, null, tell),
  "fs.writev": () => fs.writev(1, [data], tell),
  "fs.writeSync": () => {
    try {
      tell(undefined, fs.writeSync(1, data));
    } catch (error) {
      tell(error);
    }
  },
  "Deno.stdout.write": async () => tell(undefined, await Deno.stdout.write(data)),
  "process.stdout.write": () => process.stdout.write(data, (error) => tell(error, "all")),
  "console.log": () => {
    console.log("x".repeat(99_999));
    tell(undefined, "all");
  },
};
try {
  await ways[process.argv[2]]();
} catch (error) {
  console.error("threw", error.code);
}
// The pipe has been filled: now it may be read.
console.error("go");
EOF
# Starts a program with such a pipe for its stdout, reads it when told so, and says how much came.
cat >pipe.py <<'EOF'
import os, subprocess, sys
out, into = os.pipe()
os.set_blocking(into, False)
child = subprocess.Popen(sys.argv[1:], stdout=into, stderr=subprocess.PIPE, text=True)
os.close(into)
told = []
for line in child.stderr:
    if line == "go\n": break
    told.append(line.strip())
came = 0
while chunk := os.read(out, 65536): came += len(chunk)
told += [line.strip() for line in child.stderr]
child.wait()
print(f"{' '.join(told)}, {came} came")
EOF

status=0
# WAY, what Node says (or nothing where it has no such call), what Deno says.
expect() {
  local way=$1 node_wanted=$2 deno_wanted=$3 node_seen="" deno_seen
  if [ -n "$node_wanted" ]; then node_seen="node: $(python3 pipe.py node once.mjs "$way")"; fi
  deno_seen="deno: $(python3 pipe.py "$deno" run --quiet --no-prompt --allow-all once.mjs "$way")"
  printf '%-21s %-35s %s\n' "$way" "$node_seen" "$deno_seen"
  [ "$node_seen" = "${node_wanted:+node: $node_wanted}" ] || { echo "  expected: $node_wanted"; status=1; }
  [ "$deno_seen" = "deno: $deno_wanted" ] || { echo "  expected: $deno_wanted"; status=1; }
}
short="65536 written, 65536 came"
whole="all written, 100000 came"
expect fs.write "$short" "EAGAIN, 65536 came"
expect fs.writev "$short" "EAGAIN, 65536 came"
expect fs.writeSync "$short" "EAGAIN, 65536 came"
expect Deno.stdout.write "" "$short"
expect process.stdout.write "$whole" "threw EAGAIN, 65536 came"
expect console.log "$whole" "threw EAGAIN, 65536 came"
exit $status
