import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Chat } from "../../chat.ts";
import { connect, type Connection, listen, type Server, text } from "../../mod.ts";
import { eventsIn } from "../support/events.ts";
import { clock } from "../../programs/client/recording/format.ts";
import { chatTraffic } from "../support/chat_traffic.ts";
import { runHere, ServerHere } from "../support/in_process.ts";

const decoder = new TextDecoder();

/** A server that answers each message by a function. */
async function answering(
  answer: (text: string) => string,
  endpoint = "tcp://127.0.0.1:0",
): Promise<Server> {
  return await listen(endpoint, async (connection) => {
    for await (const message of connection) await connection.send(answer(decoder.decode(message)));
  });
}

async function receiveText(connection: Connection): Promise<string> {
  return decoder.decode(await connection.receive());
}

/** A recording file with these lines, each at its own millisecond. */
async function recording(lines: readonly (Record<string, unknown> | string)[]): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".jsonl" });
  const header = { type: "recording", version: 1, listen: "tcp://127.0.0.1:0", target: ":1" };
  const all = [header, ...lines].map((line, i) =>
    typeof line === "string" ? line : JSON.stringify({ time: 1000 + i, ...line })
  );
  await Deno.writeTextFile(file, all.join("\n") + "\n");
  return file;
}

const message = (id: number, direction: string, text: string, time?: number) => ({
  type: "message",
  id,
  direction,
  text,
  ...(time !== undefined && { time }),
});
const TALK = [
  { type: "open", id: 1, remote: "x" },
  message(1, ">", "a"),
  message(1, "<", "A"),
  message(1, ">", "b"),
  message(1, "<", "B"),
  { type: "end", id: 1, direction: ">" },
  { type: "closed", id: 1 },
];

Deno.test("replay plays what a proxy has recorded to a fresh server, and finds no difference", async () => {
  const file = await Deno.makeTempFile();
  const upper = (text: string) => text.toUpperCase();
  {
    await using target = await answering(upper, "ws://127.0.0.1:0");
    await using proxied = await ServerHere.start(
      ["proxy", "tcp://127.0.0.1:0?framing=line", target.endpoints[0], "--record", file],
      { script: "client.ts" },
    );
    for (const texts of [["one", "two"], ["three"]]) {
      await using client = await connect(proxied.endpoints[0]);
      for (const text of texts) {
        await client.send(text);
        await client.receive();
      }
    }
  }
  await using fresh = await answering(upper);
  const args = ["replay", file, fresh.endpoints[0], "--diff", "--speed", "max"];
  const { code, stdout, stderr } = await runHere("client.ts", args);
  assertEquals([code, stdout, stderr], [0, "3 messages sent, no answer differs\n", ""]);
  await Deno.remove(file);
});

Deno.test("replay plays a chat of several people to a fresh chat: the transcripts are equal", async () => {
  const open = (endpoint: string) => {
    const chat = new Chat({ flood: { burst: 1_000, perSecond: 1_000 } });
    return listen(endpoint, { format: text() }, (connection) => chat.serve(connection));
  };
  const file = await Deno.makeTempFile();
  {
    await using server = await open("tcp://127.0.0.1:0");
    await using proxied = await ServerHere.start(
      ["proxy", "tcp://127.0.0.1:0", server.endpoints[0], "--record", file, "--show", "none"],
      { script: "client.ts" },
    );
    await using one = await connect(proxied.endpoints[0], { format: text() });
    assertMatch((await one.receive())!, /Welcome, guest-1/);
    await one.send("/nick ann");
    assertMatch((await one.receive())!, /ann/);
    await using two = await connect(proxied.endpoints[0], { format: text() });
    assertMatch((await two.receive())!, /Welcome, guest-2/);
    for (let i = 0; i < 20; i++) {
      const [from, other] = i % 2 === 0 ? [one, two] : [two, one];
      await from.send(`line ${i}`);
      for (const member of [from, other]) {
        while (!(await member.receive())!.endsWith(`line ${i}`));
      }
    }
  }
  await using fresh = await open("tcp://127.0.0.1:0");
  const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`;
  const { code, stdout, stderr } = await runHere("client.ts", [
    ...["replay", file, fresh.endpoints[0], "--diff", "--speed", "max", "--ignore", time],
  ]);
  assertEquals([code, stderr], [0, ""], stdout);
  assertMatch(stdout, /^2[12] messages sent, no answer differs\n$/);
  await Deno.remove(file);
});

Deno.test("replay plays a recorded hour of a chat to a fresh one: the transcripts are equal", async () => {
  const HOUR = 3_600_000;
  const STEPS = 1_200;
  const open = () => {
    const chat = new Chat({ flood: { burst: 1e6, perSecond: 1e6 } });
    return listen("tcp://127.0.0.1:0", { format: text() }, (connection) => chat.serve(connection));
  };
  const file = await Deno.makeTempFile();
  const { now } = clock;
  let time = 0;
  clock.now = () => time; // The proxy's recorder sees an hour pass in these steps.
  let traffic;
  try {
    await using server = await open();
    await using proxied = await ServerHere.start(
      ["proxy", "tcp://127.0.0.1:0", server.endpoints[0], "--record", file, "--show", "none"],
      { script: "client.ts" },
    );
    const tick = (step: number) => time = Math.round(step * HOUR / (STEPS - 1));
    traffic = await chatTraffic(proxied.endpoints[0], { steps: STEPS, members: 5, tick });
  } finally {
    clock.now = now;
  }
  const entries = (await Deno.readTextFile(file)).trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals([entries[0].time, entries.at(-1).time], [0, HOUR]);
  const answers = entries.filter(({ direction, type }) => type === "message" && direction === "<");
  assert(answers.length >= traffic.heard && traffic.heard > 4 * traffic.said, `${answers.length}`);
  await using fresh = await open();
  // Those of the welcome, and of the history that who comes later gets.
  const stamp = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ|^\[\d\d:\d\d\]`;
  const began = performance.now();
  const { code, stdout, stderr } = await runHere("client.ts", [
    ...["replay", file, fresh.endpoints[0], "--diff", "--speed", "7200", "--ignore", stamp],
  ]);
  assertEquals([code, stderr], [0, ""], stdout);
  assertEquals(stdout, `${traffic.said} messages sent, no answer differs\n`);
  assert(performance.now() - began >= HOUR / 7200, "it keeps the pace");
  await Deno.remove(file);
});

Deno.test("replay --diff tells each answer that differs, is missing or too much, and ends with 1", async () => {
  const file = await recording(TALK);
  await using other = await answering((text) => text === "a" ? "\x1b[2J" : "B");
  const run = (to: string, ...args: string[]) =>
    runHere("client.ts", ["replay", file, to, "--diff", "--speed", "max", ...args]);
  const { code, stdout } = await run(other.endpoints[0]);
  assertEquals(
    [code, stdout],
    [1, '#1 < 1: recorded "A", came "\\u001b[2J"\n2 messages sent, 1 answers differ\n'],
  );
  await using silent = await listen("tcp://127.0.0.1:0", async (connection) => {
    for await (const _ of connection);
    await connection.send("too late");
    await connection.send("too much");
    await connection.send("and more");
  });
  const late = await run(silent.endpoints[0], "--timeout", "50", "--json");
  assertEquals(late.code, 1);
  const events = eventsIn(late.stdout);
  assertEquals(events.filter(({ event }) => event === "difference").length, 5);
  assertEquals(events.at(-1), { event: "replayed", sent: 2, differences: 5 });
  await Deno.remove(file);
});

Deno.test("replay tells of a peer that breaks the framing, and ends with 3", async () => {
  const file = await recording(TALK);
  const play = async (answer: (connection: Deno.Conn) => Promise<unknown>, ...args: string[]) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      const connection = await listener.accept();
      await answer(connection);
      connection.close();
    })();
    const to = `tcp://127.0.0.1:${listener.addr.port}`;
    const result = await runHere("client.ts", [
      ...["replay", file, to, "--speed", "max", "--timeout", "5000", "--show", "none", ...args],
    ]);
    await serving;
    return result;
  };
  const other = async (connection: Deno.Conn) => {
    await connection.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"));
    while (await connection.read(new Uint8Array(1_000)) !== null);
  };
  for (const args of [[], ["--diff"]]) {
    const { code, stderr } = await play((connection) => other(connection).catch(() => {}), ...args);
    assertEquals(code, 3);
    assertMatch(stderr, /^error: (#1: )?Cannot receive message of 1213486160 bytes.*\n$/);
  }
  await Deno.remove(file);
});

/** A server that answers so many messages of one byte in capitals, and leaves at the next one. */
async function leaving(answers: number, leave: (socket: Socket) => void) {
  const server = createServer((socket) => {
    let frames = 0;
    socket.on("error", () => {});
    socket.on("data", (frame) => {
      if (frames++ < answers) socket.write(frame.toString().toUpperCase());
      else leave(socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

Deno.test("replay tells why a connection was lost, and ends with 1", async () => {
  const file = await recording(TALK);
  for (const answers of [0, 1]) {
    await using target = await leaving(answers, (socket) => socket.resetAndDestroy());
    for (const args of [["--show", "none"], ["--diff"]]) {
      const { code, stderr } = await runHere("client.ts", [
        ...["replay", file, target.endpoint, "--speed", "max", ...args],
      ]);
      assertEquals(code, 1, `${answers}`);
      assertMatch(stderr, /^error: (#1: )?Cannot \w+ .*: connection reset by peer\n$/);
    }
  }
  await Deno.remove(file);
});

Deno.test("replay ends with 1 when the peer ends before it has answered, and messages are left", async () => {
  const file = await recording(TALK);
  {
    await using target = await leaving(0, (socket) => socket.end());
    const args = ["replay", file, target.endpoint, "--speed", "max", "--show", "none"];
    const { code, stderr } = await runHere("client.ts", args);
    assertEquals(
      [code, stderr],
      [1, "error: #1: the peer ended before it had answered, and before all was sent\n"],
    );
  }
  await using target = await leaving(1, (socket) => socket.end());
  const args = ["replay", file, target.endpoint, "--speed", "max", "--show", "none"];
  const { code, stderr } = await runHere("client.ts", args);
  assertEquals([code, stderr], [0, ""], "all was sent");
  await Deno.remove(file);
});

Deno.test("replay keeps the recorded pace, goes faster with --speed, and waits for answers first", async () => {
  await using target = await answering((text) => text.toUpperCase());
  const took = async (end: number, ...args: string[]) => {
    const file = await recording([
      { type: "open", id: 1, remote: "x" },
      message(1, ">", "a", 2_000),
      message(1, "<", "A", 2_001),
      message(1, ">", "b", end),
      message(1, "<", "B", end + 1),
    ]);
    const startedAt = performance.now();
    const result = await runHere("client.ts", [
      "replay",
      file,
      target.endpoints[0],
      "--diff",
      ...args,
    ]);
    const time = performance.now() - startedAt;
    assertEquals([result.code, result.stderr], [0, ""], result.stdout);
    await Deno.remove(file);
    return time;
  };
  assert(await took(2_300) >= 1_290, "from the start of the connection to its last message: 1.3 s");
  const minute = await took(61_000, "--speed", "200");
  assert(minute >= 299 && minute < 30_000, `${minute} ms`);
});

Deno.test("replay --step sends a message per line of the input", async () => {
  const file = await recording(TALK);
  const got: string[] = [];
  await using target = await answering((text) => (got.push(text), text.toUpperCase()));
  const args = ["replay", file, target.endpoints[0], "--step", "--show", "none"];
  const one = await runHere("client.ts", args, { stdin: "\n" });
  assertEquals([one.code, got], [0, ["a"]]);
  assertMatch(one.stderr, /#1: Enter sends the next 1 B/);
  const all = await runHere("client.ts", args, { stdin: "\n\n" });
  assertEquals([all.code, got], [0, ["a", "a", "b"]]);
  await Deno.remove(file);
});

Deno.test("replay --as server plays the answers to a peer that comes", async () => {
  const file = await recording(TALK);
  await using server = await ServerHere.start(
    ["replay", file, "tcp://127.0.0.1:0", "--as", "server", "--diff", "--speed", "max"],
    { script: "client.ts" },
  );
  await using client = await connect(server.endpoints[0]);
  await client.send("a");
  assertEquals(await receiveText(client), "A");
  await client.send("not b");
  assertEquals(await receiveText(client), "B");
  await client.close();
  assertEquals(await server.ended(), 1);
  assertMatch(
    server.stdout,
    /^#1 > 2: recorded "b", came "not b"\n2 messages sent, 1 answers differ$/m,
  );
  await Deno.remove(file);
});

Deno.test("replay passes over a line that a killed recorder has left, and plays each part", async () => {
  const part = [...TALK.slice(0, 3), '{"type":"mess', {
    type: "recording",
    version: 1,
    listen: "x",
    target: "y",
  }];
  const file = await recording([...part, ...TALK, '{"cut']);
  const got: string[] = [];
  await using target = await answering((text) => (got.push(text), text.toUpperCase()));
  const args = ["replay", file, target.endpoints[0], "--diff", "--speed", "max"];
  const { code, stderr } = await runHere("client.ts", args);
  assertEquals([code, stderr, got], [0, "", ["a", "a", "b"]]);
  await Deno.remove(file);
});

Deno.test("replay says what is wrong with a file or an option, in one line", async () => {
  const folder = await Deno.makeTempDir();
  const write = async (name: string, content: string) => {
    await Deno.writeTextFile(`${folder}/${name}`, content);
    return `${folder}/${name}`;
  };
  const header = '{"type":"recording","version":1,"time":1,"listen":"x","target":":1"}\n';
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[], 2, /"replay" takes a FILE/],
    [["a", "b", "c"], 2, /"replay" takes a FILE/],
    [[`${folder}/none`], 1, /none: there is no such file/],
    [[await write("empty", "")], 1, /empty: there is nothing in it/],
    [[await write("text", "hello\n")], 1, /text: it is no recording/],
    [
      [await write("new", header.replace(":1,", ":7,"))],
      1,
      /version 7 of recordings, and this program reads version 1/,
    ],
    [
      [await write("bad", `${header}junk\n{"type":"closed","time":1,"id":1}\n`)],
      1,
      /bad: line 2 is no line of a recording/,
    ],
    [
      [
        await write(
          "who",
          `${header}{"type":"message","time":1,"id":5,"direction":">","text":""}\n`,
        ),
      ],
      1,
      /line 2 of the recording: connection 5 was not opened/,
    ],
    [["x", "--speed", "0"], 2, /--speed 0: it must be a number above 0/],
    [["x", "--ignore", "("], 2, /--ignore \(: /],
    [["x", "--as", "peer"], 2, /--as peer: it must be one of client, server/],
  ];
  for (const [args, code, message] of cases) {
    const result = await runHere("client.ts", ["replay", ...args]);
    assertMatch(result.stderr, message, args.join(" "));
    assertEquals(
      [result.code, result.stderr.trimEnd().split("\n").length],
      [code, 1],
      result.stderr,
    );
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("replay ends with 1 when the peer is not there", async () => {
  const file = await recording(TALK);
  const { code, stderr } = await runHere("client.ts", ["replay", file, "tcp://127.0.0.1:1"]);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot connect to .*: connection refused, nothing listens there\n$/);
  await Deno.remove(file);
});
