import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { pageWith } from "../../chat/page/respond.ts";
import { connect, text } from "../../mod.ts";
import { howToJoin, type JoinRequirements } from "../../programs/server/joining.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { RunningServer } from "../support/program.ts";

const OPEN: JoinRequirements = {
  token: false,
  fingerprint: undefined,
  clientCertificate: false,
  hostname: undefined,
};
/** The page of a server whose WebSockets may be sessions. */
const { html: PAGE } = await pageWith({ hasSessions: true });
const CLIENT = "deno run --allow-net client.ts";

const LINES: readonly [endpoint: string, given: Partial<JoinRequirements>, how: string][] = [
  ["tcp://127.0.0.1:1234?framing=u32be", {}, CLIENT],
  ["tcp://127.0.0.1:1234?framing=u32be", { token: true }, `${CLIENT} --token TOKEN`],
  ["tcp://127.0.0.1:9?framing=u8", {}, `${CLIENT} "tcp://127.0.0.1:9?framing=u8"`],
  ["tcp://0.0.0.0:9?framing=u8", {}, `${CLIENT} "tcp://127.0.0.1:9?framing=u8"`],
  ["tcp://0.0.0.0:9?framing=u8", { hostname: "box" }, `${CLIENT} "tcp://box:9?framing=u8"`],
  ["tcp://127.0.0.1:9?framing=u8", { hostname: "box" }, `${CLIENT} "tcp://127.0.0.1:9?framing=u8"`],
  ["tcp://[::]:9?framing=line", {}, "telnet ::1 9"],
  [
    "tcp://[::]:9?framing=line",
    { hostname: "box", token: true },
    "telnet box 9, with the token as the first line",
  ],
  [
    "tcp://127.0.0.1:9?framing=line&session=1",
    {},
    `${CLIENT} "tcp://127.0.0.1:9?framing=line&session=1"`,
  ],
  ["udp://0.0.0.0:9?framing=line", {}, "nc -u 127.0.0.1 9"],
  ["udp://127.0.0.1:9", {}, `${CLIENT} "udp://127.0.0.1:9"`],
  ["ws://0.0.0.0:9/", { token: true }, "http://127.0.0.1:9/ in a browser"],
  [
    "wss://[::]:9/x",
    { hostname: "box", fingerprint: "AB" },
    "https://[::1]:9/x in a browser, from elsewhere https://box:9/x",
  ],
  ["ws://127.0.0.1:9/?session=1", {}, "http://127.0.0.1:9/ in a browser"],
  [
    "tls://127.0.0.1:9?framing=u8",
    { fingerprint: "AB:CD", clientCertificate: true, token: true },
    'deno run --allow-net --allow-read client.ts "tls://127.0.0.1:9?framing=u8" ' +
    "--fingerprint AB:CD --cert FILE --key FILE --token TOKEN",
  ],
  [
    "tcp://127.0.0.1:9?framing=u8",
    { fingerprint: "AB:CD", clientCertificate: true },
    `${CLIENT} "tcp://127.0.0.1:9?framing=u8"`,
  ],
  [
    "unix:/tmp/x?framing=u8",
    {},
    'deno run --allow-net --allow-read --allow-write client.ts "unix:/tmp/x?framing=u8"',
  ],
];

for (const [endpoint, given, how] of LINES) {
  Deno.test(`howToJoin() for ${endpoint} with ${JSON.stringify(given)} is ${how}`, () => {
    assertEquals(howToJoin(endpoint, { ...OPEN, ...given }), how);
  });
}

Deno.test("server.ts says of TLS and a token what a client needs, and that lets it in", async () => {
  const args = ["tls://0.0.0.0:0", "--tls-self-signed", "--token", "sesame"];
  await using server = await RunningServer.start(args);
  const line = await server.logLine(/join with/);
  const [, endpoint, fingerprint] =
    /client\.ts "(tls:\/\/127\.0\.0\.1:\d+\?framing=u32be)" --fingerprint (\S+) --token TOKEN$/
      .exec(line) ?? [];
  assertEquals(line.includes("sesame"), false);
  const { code, stdout } = await runHere("client.ts", [
    ...[endpoint, "--fingerprint", fingerprint, "--token", "sesame"],
    ...["send", "/ping 1", "--expect", "1"],
  ]);
  assertEquals([code, /^\* Welcome, /.test(stdout)], [0, true]);
});

Deno.test("server.ts shows the page with sessions at all of its WebSockets, whatever the others are", async () => {
  const endpoints = ["ws://:0", "ws://:0?session=1", "ws://:0?session=0"];
  for (const session of [[], ["--session"]]) {
    await using server = await ServerHere.start([...endpoints, ...session], { count: 3 });
    for (const endpoint of server.endpoints) {
      assertMatch(await server.logLine(/join with/), /http:\/\/127\.0\.0\.1:\d+\/ in a browser$/);
      const { port } = new URL(endpoint);
      // As a proxy in front may ask, under another name.
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { host: "b.example" } });
      assertEquals([response.status, await response.text()], [200, PAGE]);
      const options = {
        format: text(),
        session: true,
        web: { subprotocols: ["lengthwise-session"] },
      };
      await using member = await connect(endpoint, options);
      assertMatch(await member.receive() ?? "", /^\* Welcome, /);
      const health = await fetch(`http://127.0.0.1:${port}/health`);
      assertEquals(await health.text(), "ok\n");
    }
  }
});

Deno.test("server.ts shows the page without sessions where nobody could go on with them", async () => {
  const servers = ["--page-servers", "ws://b.example"];
  await using apart = await ServerHere.start(["ws://:0", ...servers]);
  const { port } = new URL(apart.endpoints[0]);
  const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  assertMatch(page, /<meta name="servers" content="ws:\/\/b\.example\/">/);
  assertMatch(page, /<meta name="sessions" content="no">/);
});

Deno.test("server.ts shows the page at the path where its WebSockets are", async () => {
  await using server = await ServerHere.start(["ws://:0/chat"]);
  const address = server.endpoints[0].replace("ws", "http");
  assertStringIncludes(await server.logLine(/join with/), `${address} in a browser`);
  const page = await fetch(address);
  assertEquals([page.status, await page.text()], [200, PAGE]);
  const other = await fetch(new URL("/", address));
  assertEquals([other.status, await other.text()], [
    404,
    "There is no page at this address; try /chat\n",
  ]);
  await using member = await connect(server.endpoints[0]);
  await member.receive();
});

Deno.test("server.ts answers HEAD with the length of the page, and without it", async () => {
  await using server = await ServerHere.start(["ws://:0"]);
  const url = server.endpoints[0].replace("ws", "http");
  const head = await fetch(url, { method: "HEAD" });
  assertEquals(await head.text(), "");
  const bytes = new TextEncoder().encode(PAGE).length;
  assertEquals(head.headers.get("content-length"), String(bytes));
});

Deno.test("server.ts refuses endpoints and options that nobody could use", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["memory:x"], /"memory:x": memory: is only for within one program/],
    [[":0", "--origin", "https://example.com"], /--origin is for ws:\/\/ and wss:\/\/, and no end/],
    [["ws://:0", "--origin", "foo"], /Cannot use origin "foo": it must look like https:/],
    [[":0", "--proxy-from", "10.0.0.1"], /--proxy-from is for endpoints with \?proxy=1, ws:/],
    [[":0?proxy=1"], /\?proxy=1 needs the addresses of the proxies, such as --proxy-from 10\.0/],
    [[":0?proxy=1", "--proxy-from", "10.1"], /Cannot use proxies "10\.1": it must be an IP addr/],
    [[":0", "--udp-idle", "5"], /--udp-idle is for udp:\/\/, and no endpoint is one/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runHere("server.ts", args);
    assertMatch(stderr, message);
    assertEquals([code, stdout], [2, ""]);
  }
});
