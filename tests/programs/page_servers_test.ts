import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runHere, ServerHere } from "../support/in_process.ts";

const WRONG: readonly [args: string[], message: string][] = [
  [[":0", "b"], "--page-servers is for the chat's page, which ws:// and wss:// have"],
  [["ws://:0", "ws://b", "--service", "echo"], "--page-servers is for the service chat, not for"],
  ...[
    "b:8080",
    "http://b",
    "ws://",
    "ws://b:99999",
    "ws://b:0",
    "ws://b?x=1",
    "ws://b#x",
    "ws://b,",
  ]
    .map((text): [string[], string] => [
      ["ws://:0", text],
      `--page-servers ${
        text === "ws://b," ? "" : text
      }: write a server as ws://HOST:PORT/PATH or wss://…, as pages reach it`,
    ]),
  [["ws://:0", "ws://ada:secret@b"], "--page-servers ws://…@b: write a server as ws://HOST:PORT"],
  ...["ws://[::1]:8080", "ws://*", "ws://a;script-src", "ws://a'b", "ws://b."]
    .map((text): [string[], string] => [
      ["ws://:0", text],
      `--page-servers ${text}: a page can be let to names and IPv4 addresses only`,
    ]),
  [
    ["wss://:0", "wss://b,ws://c", "--tls-self-signed"],
    "--page-servers ws://c: pages of wss:// may not connect to ws://",
  ],
  [
    ["ws://:0", Array.from({ length: 65 }, (_, n) => `ws://b${n}`).join()],
    "--page-servers names 65 servers: limit is 64",
  ],
];

Deno.test("server.ts --page-servers refuses in one line what no page could use", async () => {
  for (const [[endpoint, servers, ...more], message] of WRONG) {
    const args = [endpoint, "--page-servers", servers, ...more];
    for (const all of [args, [...args, "--check"]]) {
      const { code, stdout, stderr } = await runHere("server.ts", all);
      assertStringIncludes(stderr, message);
      assertEquals([code, stdout, stderr.trimEnd().split("\n").length], [2, "", 1], stderr);
    }
  }
});

Deno.test("server.ts --page-servers puts the others into the page and its policy, each once", async () => {
  const servers = "ws://b.example:8080, WSS://C.example:443/chat,ws://b.example:8080/";
  await using server = await ServerHere.start(["ws://:0", "--page-servers", servers]);
  const response = await fetch(server.endpoints[0].replace("ws", "http"));
  assertStringIncludes(
    response.headers.get("content-security-policy")!,
    "; connect-src 'self' ws://b.example:8080 wss://c.example; ",
  );
  const named = '<meta name="servers" content="ws://b.example:8080/ wss://c.example/chat">';
  assertStringIncludes(await response.text(), named);
});

Deno.test("server.ts --config has the page's servers as a list", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const text = `{"endpoints": ["ws://:0"], "page-servers": ["ws://b:1", "ws://c:2"]}`;
    await Deno.writeTextFile(file, text);
    await using server = await ServerHere.start(["--config", file]);
    const response = await fetch(server.endpoints[0].replace("ws", "http"));
    const policy = response.headers.get("content-security-policy")!;
    assertMatch(policy, /; connect-src 'self' ws:\/\/b:1 ws:\/\/c:2; /);
    assert((await response.text()).includes('content="ws://b:1/ ws://c:2/"'));
  } finally {
    await Deno.remove(file);
  }
});
