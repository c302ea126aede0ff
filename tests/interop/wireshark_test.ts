/** docs/wireshark/lengthwise.lua in tshark, and tcpdump's captures: messages are what was sent. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat, indexOfNeedle } from "@std/bytes";
import { framing, type FramingText } from "../../codec.ts";
import { connect, type Connection, listen } from "../../mod.ts";
import { requests } from "../../request.ts";
import { KINDS } from "../codec/kinds.ts";
import { utf8 } from "../support/bytes.ts";
import { conversation, ip4, pcap, type SegmentSpec } from "../support/captures.ts";
import { runBytesHere } from "../support/in_process.ts";
import { testWith } from "./peers.ts";

const TSHARK = { name: "tshark", probe: ["tshark", "--version"] };
const SCRIPT = new URL("../../docs/wireshark/lengthwise.lua", import.meta.url).pathname;
/** Framings that the script has not: Wireshark has dissectors of most of these protocols itself. */
const NOT_THERE =
  /^(?:capnp|grpcMessage|javaUtf|journalExport|minecraft|mqtt|pythonConnection|qt|redis\(side|redis.*server)/;

type Chunk = readonly [from: "client" | "server", bytes: Uint8Array];

/** As who clicks on packets in Wireshark has it: each is looked at a second time. */
const TWICE = ["-2"];

/** What tshark finds with the script in a capture: the values of these fields in each packet. */
async function tshark(
  capture: Uint8Array,
  preferences: Record<string, string>,
  fields: readonly string[],
  flags: readonly string[] = [],
): Promise<string[][]> {
  const file = await Deno.makeTempFile({ suffix: ".pcap" });
  await Deno.writeFile(file, capture);
  const args = ["-n", "-X", `lua_script:${SCRIPT}`, "-r", file, "-Y", "lengthwise", "-T", "fields"];
  for (const [name, value] of Object.entries(preferences)) {
    args.push("-o", `lengthwise.${name}:${value}`);
  }
  args.push(...flags);
  for (const field of fields) args.push("-e", field);
  const { code, stdout, stderr } = await new Deno.Command("tshark", {
    args: [...args, "-E", "separator=\x1f", "-E", "aggregator=\x1e"],
  }).output();
  const said = new TextDecoder().decode(stderr).replace(/^Running as user.*\n/, "");
  assertEquals([code, said], [0, ""]);
  await Deno.remove(file);
  return new TextDecoder().decode(stdout).split("\n").slice(0, -1)
    .map((line) => line.split("\x1f"));
}

function list(field: string): string[] {
  return field === "" ? [] : field.split("\x1e");
}

function captureOf(segments: readonly SegmentSpec[]): Uint8Array {
  return pcap(101, segments.map((segment) => ({ bytes: ip4(segment) })));
}

/** Bytes in pieces of 1, 2, 3, … bytes. */
function pieces(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0, size = 1; at < bytes.length; at += size++) {
    found.push(bytes.subarray(at, at + size));
  }
  return found;
}

await testWith(
  TSHARK,
  "lengthwise.lua finds the messages of every framing, however they were cut",
  async () => {
    const rows = KINDS.filter(({ text }) => !NOT_THERE.test(text));
    assert(rows.length > 45, `${rows.length} framings`);
    const streams = rows.map(({ text, frames }, i) => {
      const bytes = concat(
        frames.map(([_, frame]) => Uint8Array.fromHex(frame.replace(/\s/g, ""))),
      );
      const more = concat([bytes, bytes]);
      const decoder = framing(text).decoder();
      return { port: 20_000 + i, text, bytes: more, messages: decoder.decode(more.slice()) };
    });
    const segments = streams.flatMap(({ port, bytes }) =>
      conversation(pieces(bytes).map((piece): Chunk => ["client", piece]), port)
    );
    const decode = streams.map(({ port, text }) => `${port}=${text}`).join(";");
    const fields = ["tcp.dstport", "lengthwise.size", "lengthwise.message", "_ws.expert"];
    const found = await tshark(captureOf(segments), { ports: "20000-29999", decode }, fields);
    for (const { port, text, messages } of streams) {
      const packets = found.filter(([to]) => to === String(port));
      assertEquals(
        packets.flatMap(([_, sizes]) => list(sizes)).map(Number),
        messages.map((m) => m.length),
        text,
      );
      const shown = packets.flatMap(([_, __, bytes]) => list(bytes));
      assertEquals(shown, messages.filter((m) => m.length > 0).map((m) => m.toHex()), text);
    }
  },
);

await testWith(
  TSHARK,
  "lengthwise.lua tells what is wrong, and framings that differ by direction",
  async () => {
    const lines = utf8("hello\nworld\n");
    const u16 = framing("u16be").encode(utf8("HELLO"));
    const text = "duplex(in:u16be,out:staged(u8,line,messages:2))";
    const chunks: Chunk[] = [["client", utf8("\x01a\x02bc")], ["server", u16], ["client", lines], [
      "server",
      utf8("\xff\xff\xff\xff"),
    ]];
    const fields = ["tcp.srcport", "lengthwise.text", "_ws.expert.message"];
    const preferences = { ports: "7000", framing: text, limit: "1000" };
    assertEquals(
      await tshark(captureOf(conversation(chunks)), preferences, fields),
      [
        ["40000", "a\x1ebc", ""],
        ["7000", "HELLO", ""],
        ["40000", "hello\x1eworld", ""],
        ["7000", "", `${text}: message of 50111 bytes: limit is 1000`],
      ].map(([port, texts, error]) => [port, texts, error]),
    );
    const unknown = await tshark(
      captureOf(conversation(chunks)),
      { ports: "7000", framing: "u15" },
      fields,
    );
    assertStringIncludes(unknown[0][2], 'the framing "u15" is unknown');
  },
);

/** Joins a client to a server, and keeps what passes. */
class Tap implements AsyncDisposable {
  readonly chunks: Chunk[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #joining: Promise<unknown>;

  constructor(port: number) {
    this.#joining = (async () => {
      const client = await this.#listener.accept();
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      await Promise.all([
        this.#pass("client", client, server),
        this.#pass("server", server, client),
      ]);
    })();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #pass(from: Chunk[0], one: Deno.Conn, other: Deno.Conn): Promise<void> {
    for await (const chunk of one.readable) {
      this.chunks.push([from, chunk.slice()]);
      for (let at = 0; at < chunk.length;) at += await other.write(chunk.subarray(at));
    }
    await other.closeWrite().catch(() => {}); // It has gone already.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#joining;
    this.#listener.close();
  }
}

function portOf(endpoint: string): number {
  return Number(/:(\d+)/.exec(endpoint)![1]);
}

/** Asks and answers over real connections; what was sent, as tshark should show it. */
async function askedThrough(session: boolean): Promise<Chunk[]> {
  const methods = { add: ({ a, b }: { a: number; b: number }) => a + b };
  const serve = async (connection: Connection) => {
    await requests(connection, methods).closed;
  };
  await using server = await listen("tcp://127.0.0.1:0", { session }, serve);
  await using tap = new Tap(portOf(server.endpoints[0]));
  {
    await using connection = await connect(`tcp://127.0.0.1:${tap.port}`, { session });
    const peer = requests(connection);
    assertEquals(await peer.request("add", { a: 1, b: 2 }), 3);
    await peer.request("none").then(() => assert(false), () => {});
  }
  return tap.chunks;
}

await testWith(TSHARK, "lengthwise.lua shows requests", async () => {
  const capture = captureOf(conversation(await askedThrough(false)));
  const fields = ["request", "request.id", "request.method", "request.value", "request.error"]
    .map((name) => `lengthwise.${name}`);
  const found = await tshark(capture, { ports: "7000", contents: "requests" }, fields);
  const all = fields.map((_, i) => found.flatMap((packet) => list(packet[i])));
  assertEquals(all[0].toSorted(), ["ERROR", "HELLO", "HELLO", "REQUEST", "REQUEST", "RESPONSE"]);
  assertEquals(all.slice(1, 4), [["1", "1", "2", "2"], ["add", "none"], ['{"a":1,"b":2}', "3"]]);
  assertStringIncludes(all[4][0], "unknown-method: Cannot answer none");
});

await testWith(
  TSHARK,
  "lengthwise.lua shows sessions, and the requests inside of them",
  async () => {
    const capture = captureOf(conversation(await askedThrough(true)));
    const fields = ["session", "session.id", "request", "request.method", "request.value"]
      .map((name) => `lengthwise.${name}`);
    const found = await tshark(capture, { ports: "7000", contents: "both" }, fields, TWICE);
    const all = fields.map((_, i) => found.flatMap((packet) => list(packet[i])));
    assertEquals(all[0].slice(0, 2), ["HELLO", "WELCOME"]);
    for (const type of ["DATA", "ACK", "END"]) assert(all[0].includes(type), type);
    assertEquals(all[1][0], "0".repeat(32));
    assertEquals(all[2].toSorted(), ["ERROR", "HELLO", "HELLO", "REQUEST", "REQUEST", "RESPONSE"]);
    assertEquals(all.slice(3), [["add", "none"], ['{"a":1,"b":2}', "3"]]);
  },
);

/** Captures what passes one port, until bytes have been seen that come last. */
async function tcpdump(
  port: number,
  last: Uint8Array,
  talk: () => Promise<void>,
): Promise<Uint8Array> {
  const child = new Deno.Command("tcpdump", {
    args: ["-i", "lo", "-w", "-", "-U", "--immediate-mode", "-B", "16384", `tcp port ${port}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [first, second] = child.stderr.tee();
  for await (
    const said of first.pipeThrough(new TextDecoderStream() as never) as ReadableStream<string>
  ) {
    if (said.includes("listening on")) break;
  }
  const chunks: Uint8Array[] = [];
  let tail: Uint8Array = new Uint8Array();
  const reading = (async () => {
    for await (const chunk of child.stdout) {
      chunks.push(chunk);
      tail = concat([tail, chunk]).slice(-last.length - chunk.length);
      if (includes(tail, last)) child.kill("SIGINT");
    }
  })();
  await talk();
  await reading;
  await second.cancel();
  await child.status;
  return concat(chunks);
}

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  return indexOfNeedle(bytes, part) >= 0;
}

const TCPDUMP = { name: "tcpdump", probe: ["sh", "-c", "tcpdump --version && tshark --version"] };
const mayCapture = Deno.build.os === "linux" && Deno.uid() === 0;
const name =
  "A capture of tcpdump is decoded by dump and by lengthwise.lua: messages are what was sent";
if (!mayCapture) Deno.test.ignore(`${name} (skipped: only root may capture)`, () => {});
else {
  await testWith(TCPDUMP, name, async () => {
    const sent = Array.from(
      { length: 300 },
      (_, i) => new Uint8Array(i % 100 === 99 ? 150_000 : (i * 37) % 2_000).fill(i),
    );
    const end = utf8("this is the last message of all");
    const text: FramingText = "u32le";
    await using server = await listen(`tcp://127.0.0.1:0?framing=${text}`, async (connection) => {
      for await (const message of connection) await connection.send(message);
    });
    const port = portOf(server.endpoints[0]);
    const capture = await tcpdump(port, end, async () => {
      await using connection = await connect(server.endpoints[0]);
      const hearing = (async () => {
        for (let i = 0; i < sent.length; i++) await connection.receive();
      })();
      for (const message of sent) await connection.send(message);
      await hearing;
      await connection.send(end);
      await connection.receive();
    });
    const file = await Deno.makeTempFile();
    await Deno.writeFile(file, capture);
    const frames = concat([...sent, end].map((message) => framing("u32be").encode(message)));
    const dumped = await runBytesHere("client.ts", [
      ...["dump", file, "--framing", text, "--from", "client", "--out", "length"],
    ]);
    assertEquals(dumped.bytes.length, frames.length);
    assert(dumped.bytes.every((byte, i) => byte === frames[i]));
    const packets = await tshark(capture, { ports: `${port}`, framing: text }, [
      ...["tcp.dstport", "lengthwise.size", "lengthwise.message"],
    ]);
    const there = packets.filter(([to]) => to === `${port}`);
    assertEquals(
      there.flatMap(([_, sizes]) => list(sizes)).map(Number),
      [...sent, end].map(({ length }) => length),
    );
    const shown = there.flatMap(([_, __, messages]) => list(messages));
    assertEquals(shown, [...sent, end].filter(({ length }) => length > 0).map((m) => m.toHex()));
    await Deno.remove(file);
  });
}
