#!/usr/bin/env bash
# Deno's WebSocket says code 0 where a connection was lost or refused, not 1006.
#
# Versions: Deno 2.9.6, Node 26.10.0 and Bun 1.4.5 (from npm).
#
# A connection that breaks without a closing handshake has the code 1006 (RFC 6455, 7.1.5, and the WHATWG's
# standard after it). Programs that connect again look for it. One would expect it from `new WebSocket()`, and
# from the socket that `Deno.upgradeWebSocket()` gives to a server.
#
# Seen: `event.code` of 'close' is 0, which no WebSocket has, when the connection ended without a closing frame,
# when it was reset, and when the server refused it, for clients and servers alike. A closing frame without a
# code is 1005, as it should be.
#
#                                        node      bun       deno
#   ended without a closing frame        1006      1006      0
#   reset                                1006      1006      0
#   refused, 403                         1006      1006      0
#   nobody listens                       1006      1006      0
#   Deno's server, the client ends                           0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 node@26.10.0 bun@1.4.5 >/dev/null
export PATH=$folder/node_modules/.bin:$PATH
node --version

cat >codes.mjs <<'END'
import { createHash } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
function upgrade(request) {
  const key = /sec-websocket-key: *(\S+)/i.exec(request)[1];
  const accept = createHash("sha1").update(key + MAGIC).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
}
/** The code that a client gets. `answer` is for its request, and `then` for its message. */
async function code(answer, then = (socket) => socket.end()) {
  const server = net.createServer((socket) => {
    socket.on("error", () => {}).once("data", (request) => {
      socket.write(answer(String(request)));
      socket.once("data", () => then(socket));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  client.onopen = () => client.send("x");
  client.onerror = () => {};
  const seen = await new Promise((resolve) => client.onclose = (event) => resolve(event.code));
  server.close();
  return seen;
}
console.log(await code(upgrade));
console.log(await code(upgrade, (socket) => socket.resetAndDestroy()));
console.log(await code(() => "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
console.log(await closedPort());
if (globalThis.Deno) console.log(await ofServer());
process.exit();

async function closedPort() {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  client.onerror = () => {};
  return await new Promise((resolve) => client.onclose = (event) => resolve(event.code));
}
/** The code that a server gets whose client goes without a word. */
async function ofServer() {
  const { promise, resolve } = Promise.withResolvers();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onerror = () => {};
    socket.onclose = (event) => resolve(event.code);
    return response;
  });
  const peer = net.connect(server.addr.port, "127.0.0.1").on("error", () => {});
  peer.write(
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await once(peer, "data");
  peer.end();
  return await promise;
}
END

status=0
expect() {
  local label=$1 wanted=$2 seen
  shift 2
  seen=$("$@" codes.mjs | paste -sd ' ' -)
  printf '%-6s %s\n' "$label" "$seen"
  [ "$seen" = "$wanted" ] || { echo "  expected: $wanted"; status=1; }
}
expect node "1006 1006 1006 1006" node
expect bun "1006 1006 1006 1006" bun
expect deno "0 0 0 0 0" deno run --quiet --allow-all
exit $status
