#!/usr/bin/env bash
# In Deno a connected `node:dgram` socket is not connected: it hears everybody, and not that nobody is there.
#
# Version: Deno 2.9.6 (from npm), Node as it is (20.20.2 below). Linux, because of /proc/net/udp.
#
# `socket.connect(port, address)` of `node:dgram` is connect() of the system. So one would expect that only
# datagrams of that peer are received, that a closed port is told as ECONNREFUSED, and that `address()` tells which
# of the machine's addresses leads to the peer, as clients of DNS, SIP or statsd use it.
#
# Seen: Deno keeps the peer's address for `send()`, and the system hears nothing of it: /proc/net/udp shows no
# peer. Datagrams of others are received like those of the peer, no error comes from a closed port, and
# `address()` stays 0.0.0.0. `remoteAddress()` tells the peer, as if it were connected.
#
#                              node              deno
#   heard                      peer              other peer
#   a closed port              ECONNREFUSED      nothing within 1 s
#   own address                127.0.0.1         0.0.0.0
#   peer in /proc/net/udp      yes               no
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 >/dev/null
deno=$folder/node_modules/.bin/deno
node --version

cat >connected.mjs <<'END'
import dgram from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
async function bound(address) {
  const socket = dgram.createSocket("udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}
const send = (from, text, ...to) => new Promise((resolve) => from.send(text, ...to, resolve));
const [peer, other, socket] = [await bound("127.0.0.1"), await bound("127.0.0.1"), await bound("0.0.0.0")];
const port = peer.address().port;
socket.connect(port, "127.0.0.1");
await once(socket, "connect");

// What the other sends is on its way first.
const heard = [];
const last = new Promise((resolve) =>
  socket.on("message", (message) => heard.push(String(message)) && String(message) === "peer" && resolve())
);
await send(other, "other", socket.address().port, "127.0.0.1");
await send(peer, "peer", socket.address().port, "127.0.0.1");
await last;
console.log("heard:", heard.join(" "));

// A socket that is connected to the peer: its remote address, and state 1.
const line = ` 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 01 `;
const isKnown = readFileSync("/proc/net/udp", "utf8").includes(line);
console.log("own address:", socket.address().address);
console.log("peer in /proc/net/udp:", isKnown ? "yes" : "no");

await new Promise((resolve) => peer.close(resolve));
const refused = new Promise((resolve) => socket.once("error", ({ code }) => resolve(code)));
await send(socket, "is anybody there?");
const late = new Promise((resolve) => setTimeout(resolve, 1000, "nothing within 1 s"));
console.log("a closed port:", await Promise.race([refused, late]));
process.exit();
END

status=0
expect() {
  local label=$1 wanted=$2 seen
  shift 2
  seen=$("$@" connected.mjs)
  sed "s/^/$label  /" <<<"$seen"
  [ "$seen" = "$wanted" ] || { echo "  expected:"; echo "$wanted"; status=1; }
}
expect node $'heard: peer\nown address: 127.0.0.1\npeer in /proc/net/udp: yes\na closed port: ECONNREFUSED' node
expect deno $'heard: other peer\nown address: 0.0.0.0\npeer in /proc/net/udp: no\na closed port: nothing within 1 s' \
  "$deno" run --quiet --allow-all
exit $status
