/** Debian's HAProxy and nginx in front of the server, as docs/proxies.md has them. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, listen, type Server } from "../../mod.ts";
import type { Refusal } from "../../server.ts";
import { parseEndpoint, type TcpEndpoint } from "../../transport.ts";
import { certificates } from "../support/certificates.ts";
import { receiveText } from "../support/texts.ts";
import { engine, freePort, RunningEngine, temporaryFolder, testWith } from "./engines/engine.ts";

const HAPROXY = engine("HAProxy", { commands: ["haproxy"] });
const STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so";
const NGINX = engine("nginx", { commands: ["nginx"], files: [STREAM] });

const { good, ca } = await certificates;
const ROADS = ["tcp", "tls", "ws", "wss"];
/** Not the address from which a proxy connects. */
const SOURCE = "127.0.0.7";

/** The lines of docs/proxies.md in a language. */
async function documented(language: string): Promise<string> {
  const text = await Deno.readTextFile(new URL("../../docs/proxies.md", import.meta.url));
  const [, lines] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(text) ?? [];
  assert(lines !== undefined);
  return lines;
}

interface World extends AsyncDisposable {
  readonly server: Server;
  readonly refused: Refusal[];
  /** Resolves when the proxy has looked whether the server is there. */
  readonly checked: Promise<void>;
  /** Ports at which the proxy is to listen, and where it is to connect to; one for each road. */
  readonly ports: readonly { readonly at: number; readonly to: string }[];
}

/** A server with each road, which answers with the peer's address. */
async function world(proxies = ["127.0.0.1"]): Promise<World> {
  const refused: Refusal[] = [];
  const { promise: checked, resolve } = Promise.withResolvers<void>();
  const server = await listen(
    ROADS.map((road) => `${road}://127.0.0.1:0?proxy=1`),
    { proxies, tls: good, onRefuse: (refusal) => refused.push(refusal) },
    async (connection) => {
      if (connection.remote.startsWith("127.0.0.1:")) resolve();
      for await (const _ of connection) await connection.send(connection.remote);
    },
  );
  const ports = server.endpoints.map((endpoint) => {
    const { hostname, port } = parseEndpoint(endpoint) as TcpEndpoint;
    return { at: freePort(), to: `${hostname}:${port}` };
  });
  return { server, refused, checked, ports, [Symbol.asyncDispose]: () => server.close() };
}

/** Every road through the proxy has the client's address, and one message after another. */
async function tryRoads({ ports, refused }: World): Promise<void> {
  await Promise.all(ROADS.map(async (road, i) => {
    const options = { source: SOURCE, tls: { ca: ca.cert } };
    await using client = await connect(`${road}://127.0.0.1:${ports[i].at}`, options);
    for (let n = 0; n < 3; n++) {
      client.send("who am I?");
      assertMatch(await receiveText(client) ?? "", /^127\.0\.0\.7:\d+$/, road);
    }
  }));
  assertEquals(refused, []);
}

async function haproxy(
  { ports }: World,
  folder: string,
  change = (line: string) => line,
): Promise<RunningEngine> {
  const [defaults, section] = (await documented("haproxy")).split(/(?=^listen )/m);
  const sections = ports.map(({ at, to }, i) =>
    change(section).replace("lengthwise", ROADS[i]).replace("bind :1234", `bind 127.0.0.1:${at}`)
      .replace("10.0.0.2:1234", to).replace("check ", "check inter 20ms ")
  );
  const file = `${folder}/haproxy.cfg`;
  const text = [`global\n  log stdout format raw daemon notice\n\n`, defaults, ...sections].join(
    "\n",
  );
  await Deno.writeTextFile(file, text.replace("mode tcp", "mode tcp\n  log global"));
  return await RunningEngine.start(["haproxy", "-W", "-db", "-f", file], {
    ready: "Loading success.",
    at: ports.map(({ at }) => `tcp://127.0.0.1:${at}`),
  });
}

const KINDS: [what: string, change: (lines: string) => string][] = [
  ["version 2, with health checks", (lines) => lines],
  [
    "version 2 with a checksum",
    (lines) => `${lines.trimEnd()} proxy-v2-options crc32c,authority\n`,
  ],
  ["version 1", (lines) => lines.replace("send-proxy-v2", "send-proxy")],
];
for (const [what, change] of KINDS) {
  await testWith(HAPROXY, `HAProxy tells the addresses of clients by ${what}`, async () => {
    await using folder = await temporaryFolder();
    await using behind = await world();
    await using _proxy = await haproxy(behind, folder.path, change);
    await tryRoads(behind);
    // Clients are those of the roads; the checks are connections of the proxy's own, and go at once.
    await behind.checked;
  });
}

await testWith(
  HAPROXY,
  "HAProxy that is not named is refused",
  async () => {
    await using folder = await temporaryFolder();
    await using behind = await world(["192.0.2.1"]);
    await using _proxy = await haproxy(behind, folder.path);
    await using client = await connect(`tcp://127.0.0.1:${behind.ports[0].at}`);
    client.send("who am I?");
    assertEquals(await client.receive().catch(() => undefined), undefined);
    assertEquals(behind.refused.every(({ reason }) => reason === "proxy"), true);
    assert(behind.refused.length > 0 && behind.server.stats.accepted === 0);
  },
);

/** nginx at these ports with these lines, which begin with one block. */
async function nginx(folder: string, ports: number[], lines: string): Promise<RunningEngine> {
  const own = `load_module ${STREAM};\ndaemon off;\npid ${folder}/pid;\nevents {}\n`;
  await Deno.writeTextFile(`${folder}/nginx.conf`, own + lines);
  return await RunningEngine.start(
    [
      "nginx",
      "-p",
      folder,
      "-c",
      `${folder}/nginx.conf`,
      "-e",
      "stderr",
      "-g",
      "error_log stderr notice;",
    ],
    {
      ready: "start worker process ",
      at: ports.map((port) => `tcp://127.0.0.1:${port}`),
      endBy: "SIGTERM",
    },
  );
}

await testWith(NGINX, "nginx tells the addresses of clients by X-Forwarded-For", async () => {
  await using folder = await temporaryFolder();
  const refused: Refusal[] = [];
  await using server = await listen(
    "ws://127.0.0.1:0",
    { proxies: ["127.0.0.1"], onRefuse: (refusal) => refused.push(refusal) },
    (connection) => connection.send(connection.remote),
  );
  const { port } = parseEndpoint(server.endpoints[0]) as TcpEndpoint;
  const at = freePort();
  const section = (await documented("nginx http")).replace("listen 80", `listen 127.0.0.1:${at}`)
    .replace("10.0.0.2:1234", `127.0.0.1:${port}`);
  const own = "access_log off; client_body_temp_path body; proxy_temp_path proxy;" +
    "fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;";
  await using _proxy = await nginx(folder.path, [at], section.replace("http {", `http { ${own}`));
  const headers = { "X-Forwarded-For": "203.0.113.9", Forwarded: "for=203.0.113.9" };
  await using client = await connect(`ws://127.0.0.1:${at}/`, { source: SOURCE, web: { headers } });
  assertEquals(await receiveText(client), `${SOURCE}:0`);
  assertEquals(refused, []);
});

await testWith(NGINX, "nginx tells the addresses of clients by version 1", async () => {
  await using folder = await temporaryFolder();
  await using behind = await world();
  const { path } = folder;
  const [before, section, after] = (await documented("nginx")).split(/(^ {2}server .*^ {2}\}\n)/ms);
  const sections = behind.ports.map(({ at, to }) =>
    section.replace("listen 1234", `listen 127.0.0.1:${at}`).replace("10.0.0.2:1234", to)
  );
  await using _proxy = await nginx(
    path,
    behind.ports.map(({ at }) => at),
    [before, ...sections, after].join("\n"),
  );
  await tryRoads(behind);
});
