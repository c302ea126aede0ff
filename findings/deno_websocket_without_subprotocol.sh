#!/usr/bin/env bash
# Deno's WebSocket opens when the server picks none of the subprotocols that were offered.
#
# Versions: Deno 2.9.6, ws 8.23.0 (from npm), Node as it is.
#
# `new WebSocket(url, ["chat.v1"])` asks for a subprotocol. The WHATWG's standard says that the connection fails when
# the server's answer names none (WebSockets, "establish a WebSocket connection", step on `Sec-WebSocket-Protocol`).
#
# Seen: Deno opens the connection, with an empty `protocol`. npm's ws, as a client, refuses it.
#
#   Deno:  open, protocol ""
#   ws:    error: Server sent no subprotocol
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 ws@8.23.0 >/dev/null
deno=$folder/node_modules/.bin/deno

cat >server.mjs <<'END'
import { WebSocketServer } from "ws";
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => false });
server.on("listening", () => console.log(server.address().port));
setTimeout(() => process.exit(), 30_000);
END
cat >deno_client.ts <<'END'
const socket = new WebSocket(`ws://127.0.0.1:${Deno.args[0]}/`, ["chat.v1"]);
socket.onopen = () => {
  console.log(`open, protocol "${socket.protocol}"`);
  socket.close();
};
socket.onerror = () => console.log("error");
END
cat >ws_client.mjs <<'END'
import { WebSocket } from "ws";
const socket = new WebSocket(`ws://127.0.0.1:${process.argv[2]}/`, ["chat.v1"]);
socket.on("open", () => {
  console.log(`open, protocol "${socket.protocol}"`);
  socket.close();
});
socket.on("error", ({ message }) => console.log(`error: ${message}`));
END

node server.mjs >port &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$folder"' EXIT
until [ -s port ]; do sleep 0.05; done
port=$(cat port)

status=0
expect() {
  printf '%-6s %s\n' "$1:" "$3"
  [ "$3" = "$2" ] || { echo "  expected: $2"; status=1; }
}
expect Deno 'open, protocol ""' "$("$deno" run --quiet --no-prompt --allow-net deno_client.ts "$port")"
expect ws "error: Server sent no subprotocol" "$(node ws_client.mjs "$port")"
exit $status
