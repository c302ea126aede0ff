#!/usr/bin/env bash
# In Deno, `node:tls` and `node:https` tell of a connection that was reset as of one that ended in order.
#
# Versions: Deno 2.9.6 and Bun 1.4.5 (from npm), Node as it is (20.20.2 below), needs bash and openssl.
#
# A server crashes, or a firewall gives up a connection: a TCP reset comes, while the peer was about to say more.
# One would expect the error ECONNRESET, as over plain TCP: else a stream that was cut short looks complete,
# and a client that connects again only after an error does not.
#
# Seen: in Deno `node:tls` emits 'end', and then 'close' without an error. An answer over `node:https` that has
# neither a length nor chunks ends as if it were whole. Node and Bun say ECONNRESET, and so do `node:net` in Deno,
# `Deno.connectTls()`, and `node:https` in Deno for an answer with a length or with chunks.
#
#                       node                    bun                     deno
#   node:net            part, ECONNRESET        part, ECONNRESET        part, ECONNRESET
#   node:tls            part, ECONNRESET        part, ECONNRESET        part, end
#   node:https          part, ECONNRESET        part, ECONNRESET        part, end
#   Deno.connectTls                                                     part, ConnectionReset
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" || true; fi; rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 bun@1.4.5 >/dev/null
export PATH=$folder/node_modules/.bin:$PATH
node --version
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE 2>/dev/null

# Says "part" over TLS, plain TCP and HTTPS. Who connects to the last port makes it reset what is open.
cat >server.mjs <<'END'
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";
const options = { key: fs.readFileSync("key.pem"), cert: fs.readFileSync("cert.pem") };
const open = new Set();
async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}
// The connections are reset by something that stands before the server, which knows nothing of TLS.
async function behindFront(server) {
  const port = await listen(server);
  return listen(net.createServer((socket) => {
    open.add(socket.on("error", () => {}));
    const onward = net.connect(port, "127.0.0.1").on("error", () => {});
    socket.on("data", (data) => onward.write(data)).on("close", () => onward.destroy());
    onward.on("data", (data) => socket.write(data));
  }));
}
const say = (socket) => socket.on("error", () => {}).write("part");
const ports = {
  tcp: await behindFront(net.createServer(say)),
  tls: await behindFront(tls.createServer(options, say)),
  https: await behindFront(tls.createServer(options, (socket) => {
    socket.on("error", () => {}).once("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\npart"));
  })),
  reset: await listen(net.createServer((socket) => {
    socket.destroy();
    for (const one of open) one.resetAndDestroy();
    open.clear();
  })),
};
console.log(JSON.stringify(ports));
END
cat >client.mjs <<'END'
import fs from "node:fs";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
const [kind, text] = process.argv.slice(2);
const [ports, ca] = [JSON.parse(text), fs.readFileSync("cert.pem", "utf8")];
const to = { host: "127.0.0.1", servername: "localhost", ca };
const seen = [];
function saw(what) {
  seen.push(what);
  if (what === "part") return void net.connect(ports.reset, "127.0.0.1").on("error", () => {});
  console.log(seen.join(", "));
  process.exit();
}
// An error counts before an end.
const watch = (stream) =>
  stream.on("data", (data) => saw(String(data))).on("error", ({ code }) => saw(code)).on("close", () => saw("end"));
if (kind === "node:net") watch(net.connect(ports.tcp, to.host));
else if (kind === "node:tls") watch(tls.connect({ ...to, port: ports.tls }));
else if (kind === "node:https") {
  https.get({ ...to, port: ports.https }, watch).on("error", ({ code }) => saw(code));
} else {
  const connection = await Deno.connectTls({ hostname: "localhost", port: ports.tls, caCerts: [ca] });
  try {
    const buffer = new Uint8Array(100);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      saw(new TextDecoder().decode(buffer.subarray(0, count)));
    }
    saw("end");
  } catch ({ name }) {
    saw(name);
  }
}
END

exec 3< <(exec node server.mjs)
server=$!
read -r ports <&3
status=0
expect() {
  local kind=$1 runtime seen row=()
  shift
  local wanted=("$@") runtimes=(node bun "deno run --quiet --allow-all")
  [ $# = 1 ] && runtimes=("deno run --quiet --allow-all")
  for runtime in "${runtimes[@]}"; do
    seen=$($runtime client.mjs "$kind" "$ports")
    [ "$seen" = "${wanted[${#row[@]}]}" ] || status=1
    row+=("${runtime%% *}: $seen")
  done
  printf '%-17s' "$kind"
  printf ' %-24s' "${row[@]}"
  echo
}
reset="part, ECONNRESET"
expect node:net "$reset" "$reset" "$reset"
expect node:tls "$reset" "$reset" "part, end"
expect node:https "$reset" "$reset" "part, end"
expect Deno.connectTls "part, ConnectionReset"
exit $status
