#!/usr/bin/env bash
# Closing a Unix listener in Deno removes whatever has its path by then, also another program's file.
#
# Version: Deno 2.9.6 (from npm).
#
# A server listens on a path. Its successor moves its own socket (or a person puts a file) to that path, as in
# a restart without a gap. When the old server closes its listener, or its process just ends, one would expect
# it to remove its own socket at most, as it does not know the new file.
#
# Seen: the new file is removed, in both cases. `node:net` under Deno does the same.
#
#   after Deno.listen() and close():         gone
#   after Deno.listen() and a natural exit:  gone
#   after node:net and close():              gone
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 >/dev/null
deno=$folder/node_modules/.bin/deno

cat >old_server.ts <<'END'
import { createServer } from "node:net";
const [way] = Deno.args;
const path = "server.sock";
const replace = () => {
  Deno.writeTextFileSync("other", "precious");
  Deno.renameSync("other", path);
};
if (way === "node") {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  replace();
  await new Promise((resolve) => server.close(resolve));
} else {
  const listener = Deno.listen({ transport: "unix", path });
  replace();
  if (way === "close") listener.close();
  else listener.unref();
}
END

status=0
expect() {
  local seen=there
  rm -f server.sock
  "$deno" run --quiet --no-prompt --allow-net --allow-read=. --allow-write=. old_server.ts "$2"
  [ -e server.sock ] || seen=gone
  printf '%-40s %s\n' "$1" "$seen"
  [ "$seen" = gone ] || { echo "  expected: gone"; status=1; }
}
expect "after Deno.listen() and close():" close
expect "after Deno.listen() and a natural exit:" exit
expect "after node:net and close():" node
exit $status
