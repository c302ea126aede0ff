import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, type Connection, listen, type Server } from "../../mod.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { RunningServer } from "../support/program.ts";

const decoder = new TextDecoder();

async function proxy(from: string, to: string, options: readonly string[] = []) {
  return await ServerHere.start(["proxy", from, to, ...options], { script: "client.ts" });
}

async function echo(endpoint = "tcp://127.0.0.1:0"): Promise<Server> {
  return await listen(endpoint, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
}

async function receiveText(connection: Connection): Promise<string> {
  return decoder.decode(await connection.receive());
}

/** The lines of a recording, without their times. */
async function linesOf(file: string): Promise<Record<string, unknown>[]> {
  const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
  return lines.map((line) => {
    const { time, ...rest } = JSON.parse(line);
    assertEquals(typeof time, "number");
    return rest;
  });
}

Deno.test("proxy shows each message with its time, connection, direction and size", async () => {
  const messages = ["hello\x1b[2J", '{"a":1}', new Uint8Array([0, 1, 255])];
  const cases: [show: string[], patterns: RegExp[]][] = [
    [[], [
      /^\d\d:\d\d:\d\d\.\d{3} #1 > 9 B {2}hello\\x1b\[2J$/m,
      /^\S+ #1 > 7 B\n {2}\{\n {4}"a": 1\n {2}\}$/m,
      /^\S+ #1 < 3 B\n {2}00000000 {2}00 01 ff {41}\|\.\.\.\|$/m,
    ]],
    [["--show", "hex"], [/^\S+ #1 < 9 B\n {2}00000000 {2}68 65 6c 6c 6f 1b 5b 32/m]],
    [["--show", "json"], [
      /^\{"event":"message","time":"\S+Z","id":1,"direction":">","size":9,"text":"hello\\u001b\[2J"\}$/m,
      /^\{"event":"message","time":"[^"]+","id":1,"direction":"<",.*"size":3,"base64":"AAH\/"\}$/m,
    ]],
    [["--json"], [
      /^\{"event":"connected","time":"[^"]+","id":1,/m,
      /^\{"event":"message",.*"id":1/m,
    ]],
    [["--show", "none"], [/^listening on \S+\n$/]],
  ];
  for (const [show, patterns] of cases) {
    await using target = await echo();
    await using proxied = await proxy("tcp://127.0.0.1:0", target.endpoints[0], show);
    await using client = await connect(proxied.endpoints[0]);
    for (const message of messages) {
      await client.send(message);
      await client.receive();
    }
    for (const pattern of patterns) assertMatch(proxied.stdout, pattern, show.join(" "));
  }
});

Deno.test("proxy passes what a bridge passes, and shows one line of text behind its head", async () => {
  await using target = await echo("ws://127.0.0.1:0");
  await using proxied = await proxy("tcp://127.0.0.1:0?framing=line", target.endpoints[0]);
  await using client = await connect(proxied.endpoints[0]);
  await client.send("plain words");
  assertEquals(await receiveText(client), "plain words");
  assertMatch(proxied.stdout, /^\S+ #1 > 11 B {2}plain words$/m);
});

Deno.test("proxy --record appends what passes, in order, and who came and went", async () => {
  const file = await Deno.makeTempFile();
  for (const _ of [1, 2]) {
    await using target = await echo();
    await using proxied = await proxy("tcp://127.0.0.1:0", target.endpoints[0], [
      "--record",
      file,
      "--show",
      "none",
    ]);
    const client = await connect(proxied.endpoints[0]);
    await client.send("a\nb");
    await client.receive();
    await client.send(new Uint8Array([255, 0]));
    await client.receive();
    await client.close();
    await proxied.logLine(/closed: 2 messages there, 2 back$/);
  }
  const lines = await linesOf(file);
  assertEquals(lines.length, 18);
  for (const part of [lines.slice(0, 9), lines.slice(9)]) {
    const [header, opened, ...rest] = part;
    assertEquals([header.type, header.version], ["recording", 1]);
    assertMatch(String(header.target), /^tcp:\/\/127\.0\.0\.1:\d+\?framing=u32be$/);
    assertEquals([opened.type, opened.id], ["open", 1]);
    assertEquals(rest.slice(0, 4), [
      { type: "message", id: 1, direction: ">", text: "a\nb" },
      { type: "message", id: 1, direction: "<", text: "a\nb" },
      { type: "message", id: 1, direction: ">", base64: "/wA=" },
      { type: "message", id: 1, direction: "<", base64: "/wA=" },
    ]);
    assertEquals(rest.slice(4), [
      { type: "end", id: 1, direction: ">" },
      { type: "end", id: 1, direction: "<" },
      { type: "closed", id: 1 },
    ]);
  }
  await Deno.remove(file);
});

Deno.test("proxy --record keeps text and bytes of WebSockets apart", async () => {
  const file = await Deno.makeTempFile();
  await using target = await echo("ws://127.0.0.1:0");
  await using proxied = await proxy("ws://127.0.0.1:0", target.endpoints[0], ["--record", file]);
  await using client = await connect(proxied.endpoints[0]);
  for (const message of ["a", new Uint8Array([97])]) {
    await client.send(message);
    await client.receive();
  }
  const messages = (await linesOf(file)).filter(({ type }) => type === "message");
  assertEquals(messages.map(({ text, base64 }) => text ?? base64), ["a", "a", "YQ==", "YQ=="]);
  await Deno.remove(file);
});

Deno.test("proxy --record has everything that was sent on when the proxy is killed", async () => {
  const file = await Deno.makeTempFile();
  await using target = await echo();
  await using proxied = await RunningServer.start(
    ["proxy", "tcp://127.0.0.1:0", target.endpoints[0], "--record", file, "--show", "none"],
    { script: "client.ts", flags: ["-N", `--allow-read=${file}`, `--allow-write=${file}`] },
  );
  const client = await connect(proxied.endpoints[0]);
  const answers = [];
  (async () => {
    for (let i = 0; i < 20_000; i++) await client.send(`${i}`);
  })().catch(() => {});
  while (answers.length < 2_000) answers.push(await receiveText(client));
  proxied.kill("SIGKILL");
  await proxied.ended();
  for (;;) {
    const message = await client.receive().catch(() => undefined);
    if (message === undefined) break;
    answers.push(decoder.decode(message));
  }
  await client.close();
  const lines = (await Deno.readTextFile(file)).split("\n").slice(0, -1).map((line) =>
    JSON.parse(line)
  );
  const back = lines.filter(({ direction, type }) => type === "message" && direction === "<");
  assert(back.length >= answers.length, `${answers.length} came, ${back.length} are recorded`);
  const differs = answers.findIndex((answer, i) => back[i].text !== answer);
  assertEquals(differs, -1);

  // The next one goes on behind what was cut.
  await Deno.writeTextFile(file, '{"type":"mess', { append: true });
  await using next = await proxy("tcp://127.0.0.1:0", target.endpoints[0], ["--record", file]);
  await next.stop();
  const all = (await Deno.readTextFile(file)).split("\n");
  assert(all.at(-3)!.endsWith('{"type":"mess'), "killed in the middle of a line, perhaps");
  assertEquals(JSON.parse(all.at(-2)!).type, "recording");
  await Deno.remove(file);
});

Deno.test("proxy --record refuses files that it cannot or should not append to", async () => {
  const folder = await Deno.makeTempDir();
  const other = `${folder}/other`;
  await Deno.writeTextFile(other, "something else\n");
  const foreign = `${folder}/foreign`;
  await Deno.writeTextFile(foreign, '{"type":"recording","version":2,"time":1}\n');
  const cases: [file: string, message: RegExp][] = [
    [other, /--record \S+other: the file is there, and is no recording$/m],
    [foreign, /has version 2 of recordings, and this program writes version 1$/m],
    [`${folder}/no/where`, /--record \S+where: /],
    [folder, /--record \S+: /],
  ];
  for (const [file, message] of cases) {
    const { code, stdout, stderr } = await runHere("client.ts", [
      "proxy",
      ":0",
      ":1",
      "--record",
      file,
    ]);
    assertMatch(stderr, message);
    assertEquals([code, stdout, stderr.trimEnd().split("\n").length], [1, "", 1], stderr);
  }
  assertEquals(await Deno.readTextFile(other), "something else\n");
  await Deno.remove(folder, { recursive: true });
});

Deno.test({
  name:
    "proxy --record ends with 1 and one line when the disk is full, and sends nothing on unseen",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using target = await echo();
    const { code, stdout, stderr } = await runHere("client.ts", [
      "proxy",
      ":0",
      target.endpoints[0],
      "--record",
      "/dev/full",
    ]);
    assertEquals(code, 1);
    assertEquals(stdout, "");
    assertMatch(stderr, /^error: Cannot write to \/dev\/full: .*\n$/);
  },
});

Deno.test("proxy --chop, --throttle and --delay change when bytes come, and not which", async () => {
  await using target = await echo();
  const options = ["--chop", "2", "--throttle", "100k", "--delay", "100", "--show", "none"];
  await using proxied = await proxy(
    "tcp://127.0.0.1:0?framing=u16be",
    target.endpoints[0],
    options,
  );
  await using client = await connect(proxied.endpoints[0]);
  const startedAt = performance.now();
  const sent = Array.from({ length: 20 }, (_, i) => `message ${i}`);
  for (const text of sent) await client.send(text);
  for (const text of sent) assertEquals(await receiveText(client), text);
  const took = performance.now() - startedAt;
  assert(took >= 199, `later there and later back: ${took} ms`);
});

Deno.test("proxy --throttle lets so many bytes per second pass", async () => {
  await using target = await echo();
  await using proxied = await proxy("tcp://127.0.0.1:0", target.endpoints[0], [
    "--throttle",
    "0.1M",
    "--show",
    "none",
  ]);
  await using client = await connect(proxied.endpoints[0]);
  const startedAt = performance.now();
  await client.send(new Uint8Array(30_000));
  assertEquals((await client.receive())?.length, 30_000);
  const took = performance.now() - startedAt;
  assert(took >= 280, `${took} ms for 30 000 bytes`);
});

Deno.test("proxy --cut breaks a connection after so many bytes, --corrupt makes bits wrong", async () => {
  await using target = await echo();
  await using cutting = await proxy("tcp://127.0.0.1:0", target.endpoints[0], ["--cut", "100"]);
  await using client = await connect(cutting.endpoints[0]);
  for (let i = 0; i < 20; i++) client.send("0123456789");
  let count = 0;
  while (await client.receive().catch(() => undefined) !== undefined) count++;
  assert(count <= 7, `${count} came`);
  await cutting.logLine(/closed: .*connection was cut$/);

  const got: string[] = [];
  await using listener = await listen("tcp://127.0.0.1:0?framing=line", async (connection) => {
    for await (const message of connection) got.push(message.toHex());
  });
  await using wrong = await proxy("tcp://127.0.0.1:0?framing=u32be", listener.endpoints[0], [
    "--corrupt",
    "1",
  ]);
  await using other = await connect(wrong.endpoints[0]);
  await other.send("aaaa");
  await other.close();
  await wrong.logLine(/closed/);
  assert(got.join("") !== "61616161", `${got}`);
});

Deno.test("proxy tells what is wrong in one line, before it listens", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--show", "xml"], /--show xml: it must be one of pretty, hex, json, none/],
    [
      ["--throttle", "fast"],
      /--throttle fast: it must be bytes per second, such as 500, 20k or 1\.5M/,
    ],
    [["--throttle", "0"], /--throttle 0: /],
    [["--corrupt", "2"], /--corrupt 2: it must be a number from 0 to 1, such as 0\.01/],
    [["--chop", "0"], /--chop 0: it must be a whole number from 1/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runHere("client.ts", ["proxy", ":0", ":1", ...args]);
    assertMatch(stderr, message);
    assertEquals([code, stdout], [2, ""]);
  }
  const { code, stderr } = await runHere("client.ts", ["proxy", "udp://:0", ":1", "--chop", "3"]);
  assertMatch(stderr, /--chop: "udp:\/\/:0" has datagrams, which are whole or not there/);
  assertEquals(code, 2);
});

Deno.test("proxy ends without a word when nobody reads what it shows any more", async () => {
  await using target = await echo();
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      `"$0" run -A client.ts proxy tcp://127.0.0.1:0 ${
        target.endpoints[0]
      } 2>&1 | head -n 1; echo "$?"`,
      Deno.execPath(),
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) text += (await reader.read()).value ?? "";
  const endpoint = /^listening on (.*)$/m.exec(text)![1];
  const client = await connect(endpoint);
  // head has ended with the first line. The proxy learns of it when it shows something.
  for (let i = 0; i < 100 && client.state === "open"; i++) {
    await client.send("x").catch(() => {});
    if (await client.receive().catch(() => undefined) === undefined) break;
  }
  await client.close();
  while (!(await reader.read()).done);
  await child.stderr.cancel();
  assertEquals((await child.status).code, 0);
});
