#!/usr/bin/env bash
# Deno's fetch() sends a POST twice, although the server got the first one, and had begun to answer.
#
# Versions: Deno 2.9.6, Node 26.10.0 and Bun 1.4.5 (from npm).
#
# A connection is kept from an earlier request. The next request on it is a POST, and then the connection breaks
# before the answer is complete: the server may have done what was asked, or not. So one would expect fetch() to
# reject, and the program to decide (RFC 9110, 9.2.2: no automatic retry of a method that is not idempotent, unless
# it is known that the request was not applied).
#
# Seen: Deno sends the POST again over a new connection, and fetch() resolves as if nothing had been. It does so
# when the whole request had arrived, when a second had passed since, and when a part of the answer's head was
# there. On a connection that no earlier request used it rejects, and so it does when the body is a stream. The
# others reject.
#
#                                 node             bun              deno
#   POST, then the end            rejected, 1      rejected, 1      resolved, 2
#   POST, then a reset            rejected, 1      rejected, 1      resolved, 2
#   POST, the end 1 s later       rejected, 1      rejected, 1      resolved, 2
#   POST, a part of an answer     rejected, 1      rejected, 1      resolved, 2
#   PATCH, then the end           rejected, 1      rejected, 1      resolved, 2
#   POST of a stream              rejected, 1      rejected, 1      rejected, 1
#   POST, a fresh connection      rejected, 1      rejected, 1      rejected, 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 node@26.10.0 bun@1.4.5 >/dev/null
export PATH=$folder/node_modules/.bin:$PATH
node --version

# A server that answers each whole request, but for the first POST or PATCH. Prints how fetch() ended, and how many
# of these requests arrived whole.
cat >post.mjs <<'END'
import { once } from "node:events";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
async function attempt({ method = "POST", fresh = false, after = 0, part = "", reset = false, stream = false }) {
  let posts = 0;
  async function lose(socket) {
    if (part) {
      socket.write(part);
      await delay(100);
    }
    await delay(after);
    if (reset) socket.resetAndDestroy();
    else socket.end();
  }
  const server = net.createServer((socket) => {
    let text = "";
    socket.on("error", () => {}).on("data", (data) => {
      text += data;
      const isGet = text.startsWith("GET ");
      if (!(isGet ? /\r\n\r\n$/ : /\r\n\r\n(x|1\r\nx\r\n0\r\n\r\n)$/).test(text)) return;
      text = "";
      if (!isGet && ++posts === 1) lose(socket);
      else socket.write(OK);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/`;
  if (!fresh) await (await fetch(url)).text();
  await delay(50); // The connection goes back to those that are kept.
  const body = stream
    ? new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("x"));
        controller.close();
      },
    })
    : "x";
  const outcome = await fetch(url, { method, body, duplex: "half" }).then(() => "resolved", () => "rejected");
  server.close();
  console.log(`${outcome}, ${posts}`);
}
await attempt({});
await attempt({ reset: true });
await attempt({ after: 1000 });
await attempt({ part: "HTTP/1.1 200 OK\r\nContent-" });
await attempt({ method: "PATCH" });
await attempt({ stream: true });
await attempt({ fresh: true });
process.exit();
END

once="rejected, 1" twice="resolved, 2"
status=0
expect() {
  local label=$1 wanted seen
  shift
  seen=$("${@:8}" post.mjs)
  wanted=$(printf '%s\n' "${@:1:7}")
  printf '%-6s %s\n' "$label" "$(paste -sd '|' - <<<"$seen" | sed 's/|/ | /g')"
  [ "$seen" = "$wanted" ] || { echo "  expected: $(paste -sd '|' - <<<"$wanted")"; status=1; }
}
for runtime in node bun; do
  expect "$runtime" "$once" "$once" "$once" "$once" "$once" "$once" "$once" "$runtime"
done
expect deno "$twice" "$twice" "$twice" "$twice" "$twice" "$once" "$once" deno run --quiet --allow-all
exit $status
