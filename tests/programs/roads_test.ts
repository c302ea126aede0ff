/** The two programs over every road that leads from one to the other, and what they say of those that do not. */

import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { connect, listen } from "../../mod.ts";
import { fingerprintOf } from "../../transport/tls.ts";
import { certificates } from "../support/certificates.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { type Result, run, RunningServer } from "../support/program.ts";
import { HttpProxy, SocksProxy } from "../support/proxies.ts";
import { RawPeer } from "../support/raw.ts";
import { receiveText } from "../support/texts.ts";

const { ca, otherCa, good, next, expired, elsewhere } = await certificates;

/** A folder, for sockets and certificates, and what may be done in it. */
class Folder implements AsyncDisposable {
  readonly path: string;
  readonly flags: readonly string[];

  private constructor(path: string) {
    this.path = path;
    this.flags = ["--allow-net", `--allow-read=${path}`, `--allow-write=${path}`];
  }

  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "lengthwise_roads_" }));
  }

  async write(name: string, text: string): Promise<string> {
    await Deno.writeTextFile(`${this.path}/${name}`, text);
    return `${this.path}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** What makes an echo server of the program, with the certificate `good`. */
async function echoAt(folder: Folder, endpoints: string[]) {
  const cert = await folder.write("cert.pem", good.cert);
  const key = await folder.write("key.pem", good.key);
  const args = [...endpoints, "--service", "echo", "--cert", cert, "--key", key];
  return [args, { count: endpoints.length, flags: folder.flags }] as const;
}

/** Host and port. */
function addressOf(endpoint: string): string {
  return /127[^/?]*/.exec(endpoint)![0];
}

const ENDPOINTS = ["tcp", "tls", "ws", "wss", "udp"].map((kind) => `${kind}://127.0.0.1:0`);

Deno.test("client.ts and server.ts exchange messages over every transport, and through proxies", async () => {
  await using folder = await Folder.make();
  const authority = await folder.write("ca.pem", ca.cert);
  await using server = await RunningServer.start(
    ...await echoAt(folder, [...ENDPOINTS, `unix:${folder.path}/echo.sock`]),
  );
  await using socks = new SocksProxy({ user: "ada:secret" });
  await using http = new HttpProxy();
  const texts = ["hello", "", "grüße, 漢字 and 😀", "x".repeat(50_000)];
  const lines = texts.map((text) => `${text}\n`).join("");
  const pipe = async (endpoint: string, ...options: string[]) => {
    // Over UDP nothing tells that no more will come; over all others this does not end by the clock.
    const linger = endpoint.startsWith("udp:") ? "1500" : "20000";
    const args = [endpoint, "--half-close", "--linger", linger, ...trust(endpoint), ...options];
    const result = await runHere("client.ts", args, { stdin: lines });
    assertEquals(result, { code: 0, stdout: lines, stderr: "" }, args.join(" "));
  };
  const send = async (endpoint: string) => {
    const args = [endpoint, "send", ...texts, "--expect", `${texts.length}`, ...trust(endpoint)];
    const result = await run("client.ts", args, folder);
    assertEquals(result, { code: 0, stdout: lines, stderr: "" }, args.join(" "));
  };
  await Promise.all(server.endpoints.map((endpoint) => send(endpoint)));
  const [tcp, tls, ws, wss] = server.endpoints;
  await Promise.all([
    ...server.endpoints.map((endpoint) => pipe(endpoint)),
    ...[tcp, wss].map((endpoint) => pipe(endpoint, "--proxy", socks.url)),
    ...[tls, ws].map((endpoint) => pipe(endpoint, "--proxy", http.url)),
  ]);
  assertEquals(socks.destinations.toSorted(), [tcp, wss].map(addressOf).toSorted());
  assertEquals(http.destinations.toSorted(), [tls, ws].map(addressOf).toSorted());

  function trust(endpoint: string): string[] {
    return /^(tls|wss):/.test(endpoint) ? ["--ca", authority] : [];
  }
});

Deno.test("server.ts --tls-self-signed is trusted by --fingerprint and --insecure, which warns", async () => {
  const endpoints = ["tls://127.0.0.1:0", "wss://127.0.0.1:0"];
  await using server = await ServerHere.start(
    [...endpoints, "--tls-self-signed", "--service", "echo", "--json"],
    { count: 2 },
  );
  const { event, fingerprint } = JSON.parse(await server.nextLine());
  assertEquals(event, "certificate");
  for (const endpoint of server.endpoints) {
    const send = (...options: string[]) =>
      runHere("client.ts", [endpoint, "send", "x", "--expect", "1", ...options]);
    const results = await Promise.all([
      send("--fingerprint", fingerprint),
      send("--insecure"),
      send("--fingerprint", fingerprintOf(good.cert)),
      send(),
    ]);
    assertEquals(results.map(({ code }) => code), [0, 0, 1, 1]);
    assertEquals(results.map(({ stdout }) => stdout), ["x\n", "x\n", "", ""]);
    const [known, insecure, other, unknown] = results.map(({ stderr }) => stderr);
    assertEquals(known, "");
    assertMatch(insecure, /^\S+ warning: --insecure: the certificate of \S+ is not checked; .*\n$/);
    assertMatch(other, /^error: Cannot connect to \S+: .*fingerprint.*\n$/);
    assertMatch(unknown, /^error: Cannot connect to \S+: .*not (accepted|trusted).*\n$/);
  }
});

Deno.test({
  name:
    "server.ts takes other certificates at SIGHUP, for who comes then; wrong ones change nothing",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await Folder.make();
    await using server = await RunningServer.start(...await echoAt(folder, ["tls://127.0.0.1:0"]));
    const tls = { ca: ca.cert };
    const seen = async () => {
      await using connection = await connect(server.endpoints[0], { tls });
      return connection.peer?.fingerprint;
    };
    await using early = await connect(server.endpoints[0], { tls });
    assertEquals(early.peer?.fingerprint, fingerprintOf(good.cert));

    await folder.write("cert.pem", next.cert);
    server.kill("SIGHUP");
    assertMatch(
      await server.logLine(/SIGHUP/),
      /the old certificates stay: Cannot use tls\.key: it is not the key of the certificate/,
    );
    assertEquals(await seen(), fingerprintOf(good.cert));

    await folder.write("key.pem", next.key);
    server.kill("SIGHUP");
    assertMatch(await server.logLine(/SIGHUP/), /new certificates are in use$/);
    assertEquals(await seen(), fingerprintOf(next.cert));
    await early.send("still here");
    assertEquals(await receiveText(early), "still here");
  },
});

/** Runs `client.ts ENDPOINT send x --expect 1` for each, all at once. */
async function sendAll(
  cases: readonly [args: string[], code: number, message: RegExp][],
): Promise<void> {
  const results = await Promise.all(
    cases.map(([[endpoint, ...options]]) =>
      runHere("client.ts", [endpoint, "send", "x", "--expect", "1", ...options])
    ),
  );
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const [args, expectedCode, message] = cases[i];
    assertMatch(stderr, message, args.join(" "));
    assertEquals([code, stdout], [expectedCode, ""], `${args.join(" ")}: ${stderr}`);
  }
}

Deno.test("client.ts tells why it does not trust a server, and ends with 1", async () => {
  await using folder = await Folder.make();
  const authority = await folder.write("ca.pem", ca.cert);
  const other = await folder.write("other.pem", otherCa.cert);
  await using stack = new AsyncDisposableStack();
  const [fine, over, misnamed] = await Promise.all([good, expired, elsewhere].map(async (tls) => {
    const server = stack.use(await listen("tls://127.0.0.1:0", { tls }, () => {}));
    return server.endpoints[0];
  }));
  await sendAll([
    [[fine, "--ca", other], 1, /issued by "Test authority", which is not trusted/],
    [[fine], 1, /issued by "Test authority", which is not trusted; .* \(--ca\)\n$/],
    [[fine, "--ca", authority, "--server-name", "example.org"], 1, /not for "example\.org"/],
    [[misnamed, "--ca", authority], 1, /it is for DNS:elsewhere\.example, .*\(--server-name\)/],
    [[over, "--ca", authority], 1, /"localhost" expired on /],
    [[fine, "--ca", `${folder.path}/none`], 1, /none/],
    [[fine, "--ca", authority, "--insecure"], 2, /insecure together with tls\.ca/],
  ]);
});

Deno.test("client.ts tells that the other end speaks something else", async () => {
  await using folder = await Folder.make();
  await using server = await ServerHere.start(...await echoAt(folder, ENDPOINTS));
  const [tcp, tls, ws, wss] = server.endpoints.map(addressOf);
  await sendAll([
    [[`tls://${tcp}`, "--insecure"], 1, /Cannot connect to \S+: the peer ended within the hands/],
    [[`tcp://${tls}`], 3, /Cannot receive message of \d+ bytes: limit is/],
    [[`ws://${wss}`], 1, /the server speaks TLS; use wss:\/\//],
    [[`wss://${ws}`, "--insecure"], 1, /Cannot connect to \S+: the peer ended within the hands/],
    [[`ws://${tcp}`], 1, /the server closed before it answered; it may speak no WebSocket there/],
    [[`tcp://${ws}`], 3, /it looks like text, "HTTP"/],
  ]);
  // It is still there for those who speak the right thing.
  await using connection = await connect(`tcp://${tcp}`);
  await connection.send("x");
  assertEquals(await receiveText(connection), "x");
});

Deno.test("client.ts tells that a proxy refuses, does not answer, is not there, or cannot help", async () => {
  await using refusing = new SocksProxy({ refuse: 2 });
  await using forbidding = new HttpProxy({ refuse: 403 });
  await using silent = new SocksProxy({ hangAfter: 0 });
  await using guarded = new HttpProxy({ user: "ada:secret" });
  const wrong = guarded.url.replace("secret", "guess");
  const there = "tcp://127.0.0.1:9";
  await sendAll([
    [[there, "--proxy", refusing.url], 1, /the proxy socks5:\S+ .*(not allowed|refuse)/],
    [[there, "--proxy", forbidding.url], 1, /the proxy http:\S+ .*403/],
    [[there, "--proxy", wrong], 1, /the proxy http:\S+ .*(407|password)/],
    [[there, "--proxy", silent.url, "--timeout", "300"], 1, /no answer within 300 ms\n$/],
    [[there, "--proxy", "socks5://127.0.0.1:1"], 1, /:1 cannot be reached: connection refused/],
    [
      ["udp://127.0.0.1:9", "--proxy", refusing.url],
      2,
      /only tcp, tls, wss, ws go through a proxy/,
    ],
    [[there, "--proxy", "ftp://127.0.0.1:1"], 2, /ftp/],
  ]);
});

Deno.test("server.ts lets pages of other origins in only if --origin lists them", async () => {
  await using server = await ServerHere.start(
    ["ws://127.0.0.1:0", "--origin", "https://good.example"],
  );
  const host = addressOf(server.endpoints[0]);
  const answers = ["https://evil.example", "https://good.example", `http://${host}`];
  const statuses = await Promise.all(answers.map(async (origin) => {
    using peer = await RawPeer.connect(`tcp://${host}`);
    const fields = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    const head = ["GET / HTTP/1.1", `Host: ${host}`, ...fields, key, `Origin: ${origin}`];
    await peer.send(`${head.join("\r\n")}\r\n\r\n`);
    return new TextDecoder().decode(await peer.receive(12));
  }));
  assertEquals(statuses, ["HTTP/1.1 403", "HTTP/1.1 101", "HTTP/1.1 101"]);
  assertStringIncludes(await server.logLine(/refused/), "origin https://evil.example is not that");
});

Deno.test("client.ts sends what a datagram holds over udp:, and refuses a byte more", async () => {
  await using server = await ServerHere.start(["udp://127.0.0.1:0", "--service", "echo"]);
  const send = (bytes: number): Promise<Result> =>
    runHere("client.ts", [server.endpoints[0], "send", "x".repeat(bytes), "--expect", "1"]);
  const [fits, tooLong] = await Promise.all([send(65_507), send(65_508)]);
  assertEquals([fits.code, fits.stdout.length, fits.stderr], [0, 65_508, ""]);
  assertEquals(tooLong.stdout, "");
  assertMatch(tooLong.stderr, /^error: Cannot send message of 65508 bytes: limit is 65507 bytes /);
  assertNotEquals(tooLong.code, 0);
});

Deno.test("the programs tell that a Unix socket's path is too long, or that it cannot be there", async () => {
  await using folder = await Folder.make();
  await folder.write("file", "precious");
  const cases: [path: string, code: number, client: RegExp, server: RegExp][] = [
    ["x".repeat(108), 2, /path has \d+ bytes, limit is/, /path has \d+ bytes, limit is/],
    ["no/such/folder", 1, /no such file or folder/, /no such file or folder/],
    ["file", 1, /nothing listens there/, /there is a file that is no socket/],
  ];
  await Promise.all(cases.map(async ([name, code, ...messages]) => {
    const endpoint = `unix:${folder.path}/${name}`;
    const results = await Promise.all([
      runHere("client.ts", [endpoint, "send", "x"]),
      runHere("server.ts", [endpoint]),
    ]);
    for (const [i, result] of results.entries()) {
      assertMatch(result.stderr, messages[i]);
      assertEquals([result.code, result.stdout], [code, ""], result.stderr);
    }
  }));
});
