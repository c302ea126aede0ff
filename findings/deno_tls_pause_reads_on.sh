#!/usr/bin/env bash
# A paused TLS socket of `node:tls` in Deno reads on, and keeps in memory whatever its peer sends.
#
# Versions: Deno 2.9.6 (from npm), Node as it is (20.20.2 below), needs bash and openssl.
#
# A program reads more slowly than its peer writes: it calls `pause()`, pipes into a slow file, or looks at one
# chunk at a time. One would expect its socket to stop reading at some 16 to 64 KiB, so that TCP makes the peer
# wait. Node does that, and so do Deno's own `Deno.connectTls()` and Deno's `node:net`.
#
# Seen: with `node:tls` and `node:https` in Deno nothing makes the peer wait. Its 100 MB are all taken at once, by
# clients and servers alike, although nobody reads them, and they are handed over when the socket is resumed.
# Meanwhile `isPaused()` says true and `readableLength` 0, while `bytesRead` grows, and so does the memory of the
# process: by 410 MB for 200 MB.
#
# Below is how much a peer could send that stops at 100 MB, or when it could not go on for 1 s.
#
#                               node              deno
#   net.connect, paused         held back         held back
#   tls.connect, paused         held back         all of 100 MB
#   tls.connect, slow pipe      held back         all of 100 MB
#   https.get, paused           held back         all of 100 MB
#   https server, paused        held back         all of 100 MB
#   Deno.connectTls, not read                     held back
set -euo pipefail
folder=$(mktemp -d)
source=
sink=
finish() {
  for pid in $source $sink; do kill "$pid" 2>/dev/null && wait "$pid" || true; done
  rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 >/dev/null
deno=$folder/node_modules/.bin/deno
node --version
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE 2>/dev/null

# Sends 100 MB, and waits for 'drain' as one should. Prints its port, and then how it went.
cat >source.mjs <<'END'
import fs from "node:fs";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
const [kind, port] = process.argv.slice(2);
const [TOTAL, chunk] = [100_000_000, Buffer.alloc(50_000)];
const options = { key: fs.readFileSync("key.pem"), cert: fs.readFileSync("cert.pem") };
function send(stream) {
  let [sent, timer] = [0];
  const tell = (text) => {
    console.log(text);
    process.exit();
  };
  stream.on("error", (error) => tell(error.message));
  const go = () => {
    clearTimeout(timer);
    while (sent < TOTAL) {
      sent += chunk.length;
      if (stream.write(chunk)) continue;
      timer = setTimeout(() => tell(sent < TOTAL / 4 ? "held back" : `held back at ${sent}`), 1000);
      return void stream.once("drain", go);
    }
    // All of it has left when the callback of the last byte comes.
    timer = setTimeout(() => tell("held back at the end"), 1000);
    stream.write("x", () => tell(`all of ${TOTAL / 1e6} MB`));
  };
  go();
}
if (kind === "upload") {
  send(https.request({ host: "127.0.0.1", servername: "localhost", port, method: "POST", ca: options.cert }));
} else {
  const server = kind === "net"
    ? net.createServer(send)
    : kind === "tls"
    ? tls.createServer(options, send)
    : https.createServer(options, (_request, response) => send(response));
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
}
END
# Does not read. It runs in Node and in Deno.
cat >sink.mjs <<'END'
import { once } from "node:events";
import fs from "node:fs";
import https from "node:https";
import net from "node:net";
import { Writable } from "node:stream";
import tls from "node:tls";
const [kind, port] = process.argv.slice(2);
const [key, ca] = [fs.readFileSync("key.pem"), fs.readFileSync("cert.pem")];
const to = { host: "127.0.0.1", port: Number(port), servername: "localhost", ca };
setInterval(() => {}, 1000); // A paused socket alone does not keep a program running.
if (kind === "net.connect, paused") net.connect(to).on("error", () => {}).pause();
else if (kind === "tls.connect, paused") tls.connect(to).on("error", () => {}).pause();
else if (kind === "tls.connect, slow pipe") {
  const slow = new Writable({ write(_chunk, _encoding, _done) {} });
  tls.connect(to).on("error", () => {}).pipe(slow);
} else if (kind === "https.get, paused") {
  const [response] = await once(https.get(to).on("error", () => {}), "response");
  response.on("error", () => {}).pause();
} else if (kind === "https server, paused") {
  const server = https.createServer({ key, cert: ca }, (request) => request.on("error", () => {}).pause());
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
} else {
  const connection = await Deno.connectTls({ hostname: "localhost", port: to.port, caCerts: [String(ca)] });
  await connection.handshake();
}
END

# RUNTIME KIND SOURCE: how much the source could send to that kind of sink.
transfer() {
  local runtime=(node) port seen
  [ "$1" = deno ] && runtime=("$deno" run --quiet --no-prompt --allow-net --allow-read --allow-env)
  if [ "$3" = upload ]; then
    exec 3< <(exec "${runtime[@]}" sink.mjs "$2")
    sink=$!
    read -r port <&3
    exec 4< <(exec node source.mjs upload "$port")
    source=$!
  else
    exec 4< <(exec node source.mjs "$3")
    source=$!
    read -r port <&4
    "${runtime[@]}" sink.mjs "$2" "$port" 3<&- 4<&- &
    sink=$!
  fi
  read -r seen <&4
  wait "$source" || true
  kill "$sink"
  wait "$sink" 2>/dev/null || true
  source= sink=
  result=$seen
}
status=0
expect() {
  local kind=$1 from=$2 runtime seen=()
  shift 2
  local wanted=("$@") runtimes=(node deno)
  [ $# = 1 ] && runtimes=(deno)
  for runtime in "${runtimes[@]}"; do
    transfer "$runtime" "$kind" "$from"
    seen+=("$runtime: $result")
    [ "$result" = "${wanted[${#seen[@]} - 1]}" ] || status=1
  done
  printf '%-27s' "$kind"
  printf ' %-22s' "${seen[@]}"
  echo
}
all="all of 100 MB"
expect "net.connect, paused" net "held back" "held back"
expect "tls.connect, paused" tls "held back" "$all"
expect "tls.connect, slow pipe" tls "held back" "$all"
expect "https.get, paused" https "held back" "$all"
expect "https server, paused" upload "held back" "$all"
expect "Deno.connectTls, not read" tls "held back"
exit $status
