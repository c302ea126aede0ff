#!/usr/bin/env bash
# Deno sends datagrams in the reverse order of the calls.
#
# Version: Deno 2.9.6 (from npm), Node as it is (20.20.2 below), needs Python 3.
#
# A program sends several datagrams at once, as a syslog or statsd client, RTP, or a TFTP server with a window
# does: `socket.send()` of `node:dgram`, without waiting for each callback. UDP promises no order; but on one
# machine, over loopback, one would expect them to arrive in the order in which they were sent, as with any other
# program.
#
# Seen: the last one leaves first. Of 5 that are sent in one go, the order is 4 3 2 1 0; of 200 come 199 down to
# 72, and then 0 up to 71. `Deno.listenDatagram()` does the same where its `send()` is not awaited, and so does a
# program that gives way by `setImmediate()` after each. One that waits for each callback or promise sends in
# order. The receiver is a Python program with one socket.
#
#   node:dgram in Node                  0 1 2 3 4
#   node:dgram in Deno                  4 3 2 1 0
#   node:dgram in Deno, connected       4 3 2 1 0
#   node:dgram in Deno, awaited         0 1 2 3 4
#   node:dgram in Deno, setImmediate    4 3 2 1 0
#   Deno.listenDatagram                 4 3 2 1 0
#   Deno.listenDatagram, awaited        0 1 2 3 4
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 >/dev/null
deno=$folder/node_modules/.bin/deno
node --version

# Gives its port to the command that follows, and prints the order of what came.
cat >receive.py <<'END'
import socket, subprocess, sys
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
receiver.settimeout(5)
subprocess.run([*sys.argv[1:], str(receiver.getsockname()[1])], check=True)
print(*(receiver.recv(100).decode() for _ in range(5)))
END
cat >dgram.mjs <<'END'
import dgram from "node:dgram";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
const [kind, port] = process.argv.slice(2);
const socket = dgram.createSocket("udp4");
socket.bind(0, "127.0.0.1");
await once(socket, "listening");
if (kind === "connected") {
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
}
const to = kind === "connected" ? [] : [port, "127.0.0.1"];
const sent = [];
for (let n = 0; n < 5; n++) {
  sent.push(new Promise((resolve) => socket.send(String(n), ...to, resolve)));
  if (kind === "awaited") await sent[n];
  if (kind === "immediate") await setImmediate();
}
await Promise.all(sent);
socket.close();
END
cat >datagram.mjs <<'END'
const [kind, port] = Deno.args;
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
const to = { transport: "udp", hostname: "127.0.0.1", port: Number(port) };
const sent = [];
for (let n = 0; n < 5; n++) {
  sent.push(socket.send(new TextEncoder().encode(String(n)), to));
  if (kind === "awaited") await sent[n];
}
await Promise.all(sent);
socket.close();
END

status=0
expect() {
  local label=$1 wanted=$2 seen
  shift 2
  seen=$(python3 receive.py "$@")
  printf '%-35s %s\n' "$label" "$seen"
  [ "$seen" = "$wanted" ] || { echo "  expected: $wanted"; status=1; }
}
in_deno=("$deno" run --quiet --no-prompt --allow-net --unstable-net)
expect "node:dgram in Node" "0 1 2 3 4" node dgram.mjs plain
expect "node:dgram in Deno" "4 3 2 1 0" "${in_deno[@]}" dgram.mjs plain
expect "node:dgram in Deno, connected" "4 3 2 1 0" "${in_deno[@]}" dgram.mjs connected
expect "node:dgram in Deno, awaited" "0 1 2 3 4" "${in_deno[@]}" dgram.mjs awaited
expect "node:dgram in Deno, setImmediate" "4 3 2 1 0" "${in_deno[@]}" dgram.mjs immediate
expect "Deno.listenDatagram" "4 3 2 1 0" "${in_deno[@]}" datagram.mjs plain
expect "Deno.listenDatagram, awaited" "0 1 2 3 4" "${in_deno[@]}" datagram.mjs awaited
exit $status
