/** The client's `request`, against servers that answer requests and others that do not. */

import { assertEquals, assertMatch } from "@std/assert";
import { listen } from "../../mod.ts";
import { RequestError, requests } from "../../request.ts";
import { eventsIn } from "../support/events.ts";
import { runHere } from "../support/in_process.ts";

/** A server that answers requests, and what it has been asked. */
async function answering() {
  const asked: unknown[] = [];
  const server = await listen("tcp://127.0.0.1:0", async (connection) => {
    await requests(connection, {
      add: ({ a, b }) => a + b,
      same: (params) => params,
      text: () => "\x1b[2J\x9b é\n",
      params: (params) => void asked.push(params),
      bytes: () => Uint8Array.of(0, 0xff, 0x0a),
      async *count({ to }) {
        for (let n = 1; n <= to; n++) yield n;
        if (to === 3) throw new RequestError("enough", "Cannot count on\x1b[2J");
      },
      async *file() {
        yield new TextEncoder().encode("one\ntwo");
        yield Uint8Array.of(0xfe);
      },
      refuse() {
        throw new RequestError("no-such-order", "Cannot find order 7");
      },
      never: () => new Promise(() => {}),
    }).closed;
  });
  return Object.assign(server, { asked, endpoint: server.endpoints[0] });
}

const ANSWERS: [args: string[], stdout: string][] = [
  [["add", '{"a":1,"b":2}'], "3\n"],
  [["same", "null"], "null\n"],
  [["same", '[1, {"x": "y z"}]'], '[1,{"x":"y z"}]\n'],
  [["text"], '"\\u001b[2J\x9b é\\n"\n'],
  [["params"], ""],
  [["bytes"], "\0\ufffd\n"],
  [["count", '{"to":2}', "--stream"], "1\n2\n"],
  [["count", '{"to":0}', "--stream"], ""],
  [["file", "--stream"], "one\ntwo\ufffd"],
];

Deno.test("client.ts request prints the answer: one line of JSON, bytes as they are, items one by one", async () => {
  await using server = await answering();
  const results = await Promise.all(
    ANSWERS.map(([args]) => runHere("client.ts", [server.endpoint, "request", ...args])),
  );
  results.forEach(({ code, stdout, stderr }, i) => {
    const [args, expected] = ANSWERS[i];
    assertEquals([code, stdout, stderr], [0, expected, ""], args.join(" "));
  });
  assertEquals(server.asked, [undefined]);
});

Deno.test("client.ts request --json prints the answer as an event", async () => {
  await using server = await answering();
  const results = await Promise.all(
    [["bytes"], ["add", '{"a":1,"b":2}']].map((args) =>
      runHere("client.ts", [server.endpoint, "request", ...args, "--json"])
    ),
  );
  assertEquals(results.flatMap(({ stdout }) => eventsIn(stdout)), [
    { event: "result", base64: "AP8K" },
    { event: "result", value: 3 },
  ]);
});

const FAILURES: [args: string[], code: number, stderr: RegExp, stdout?: string][] = [
  [["refuse"], 1, /^error: refuse: no-such-order: Cannot find order 7\n$/],
  [["nope"], 1, /^error: nope: unknown-method: Cannot answer nope: there is no such method\n$/],
  [["count", '{"to":1}'], 1, /^error: count: wrong-kind: .*; --stream asks for items\n$/],
  [
    ["count", '{"to":3}', "--stream"],
    1,
    /^error: count: enough: Cannot count on\\x1b\[2J\n$/,
    "1\n2\n3\n",
  ],
  [["never", "--timeout", "300"], 1, /^error: never: timeout: .*no answer within 300 ms\n$/],
  [["same", "{a:1}"], 2, /^error: params \{a:1\} are not JSON: .*; --help tells more\n$/],
  [["same", ""], 2, /^error: params {2}are not JSON: /],
  [[], 2, /^error: "request" needs a METHOD; --help tells more\n$/],
  [["same", "1", "2"], 2, /^error: "request" takes METHOD and JSON, but got "2"; /],
  [["x".repeat(256)], 2, /^error: Cannot request "x{32}…": its name is above 255 bytes; /],
  [["same", "--framing", "line"], 2, /^error: Cannot make requests over framing line: /],
];

Deno.test("client.ts request tells on stderr what went wrong, and by its exit code", async () => {
  await using server = await answering();
  // The endpoint that a server tells names its framing already.
  const plain = server.endpoint.replace(/\?.*/, "");
  const results = await Promise.all(
    FAILURES.map(([args]) => runHere("client.ts", [plain, "request", ...args])),
  );
  results.forEach(({ code, stdout, stderr }, i) => {
    const [args, expectedCode, expected, printed = ""] = FAILURES[i];
    assertMatch(stderr, expected, args.join(" "));
    assertEquals([code, stdout], [expectedCode, printed], args.join(" "));
  });
});

Deno.test("client.ts request --stream ends when nobody reads its output any more", async () => {
  await using server = await answering();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-net", "client.ts", server.endpoint],
      ...["request", "count", '{"to":1e9}', "--stream"],
    ],
    cwd: new URL("../../", import.meta.url),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  assertMatch(new TextDecoder().decode((await reader.read()).value), /^1\n/);
  await reader.cancel();
  assertEquals(await new Response(child.stderr).text(), "");
  assertEquals((await child.status).code, 0);
});

Deno.test("client.ts request ends with 3 at a server that speaks something else, with 1 at none", async () => {
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    await connection.send("* Welcome");
    await connection.closed;
  });
  const [foreign, nobody] = await Promise.all([
    runHere("client.ts", [server.endpoints[0], "request", "add"]),
    runHere("client.ts", ["tcp://127.0.0.1:1", "request", "add"]),
  ]);
  assertMatch(
    foreign.stderr,
    /^error: Cannot make requests: the peer's first message "\* Welcome" is no HELLO; it may answer no requests, .*\n$/,
  );
  assertEquals([foreign.code, nobody.code], [3, 1]);
});
