/** The client's `dump`: from captures to messages. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { duplex, framing, type FramingText } from "../../codec.ts";
import { listen } from "../../mod.ts";
import { utf8 } from "../support/bytes.ts";
import { conversation, ip4, ip6, pcap, pcapng, type SegmentSpec } from "../support/captures.ts";
import { runBytesHere, runHere, ServerHere } from "../support/in_process.ts";

/** A file for the time of a test. */
async function file(
  bytes: Uint8Array = new Uint8Array(),
): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempFile({ prefix: "lengthwise_dump_" });
  await Deno.writeFile(path, bytes);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

function frames(name: FramingText, ...texts: string[]): Uint8Array {
  const made = framing(name);
  return concat(texts.map((text) => made.encode(utf8(text))));
}

/** A connection: what the client says, and what the server does, in order, and both ends. */
const talk = (...said: (readonly ["client" | "server", Uint8Array])[]) => conversation(said);
const OPEN = talk().slice(0, 2);

function captured(...segments: SegmentSpec[]): Uint8Array {
  const packets = segments.map((segment) => {
    const bytes = ip4(segment);
    return { bytes, captured: segment.captured === undefined ? undefined : 40 + segment.captured };
  });
  return pcap(101, packets);
}

const HELLO = talk(
  ["client", frames("u32le", "hello", '{"a":1}')],
  ["server", frames("u32le", "HELLO", "\x00\x01")],
);

async function dump(bytes: Uint8Array, ...args: string[]) {
  await using capture = await file(bytes);
  const { code, stdout, stderr } = await runHere("client.ts", ["dump", capture.path, ...args]);
  return { code, stdout, stderr: stderr.replaceAll(capture.path, "FILE") };
}

/** What messages `--json` tells of, and the errors. */
function told(stdout: string): string[] {
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line)).flatMap((event) =>
    event.event === "message"
      ? [`#${event.id} ${event.direction} ${event.text}`]
      : event.event === "error"
      ? [`error ${event.message}`]
      : []
  );
}

Deno.test("dump shows the messages in a capture, with time, connection, direction and size", async () => {
  const shown = `\
2023-11-14 22:13:20.000000 #1 10.0.0.1:40000 > 10.0.0.2:7000, u32le
22:13:20.002000 #1 > 5 B  hello
22:13:20.002000 #1 > 7 B
  {
    "a": 1
  }
22:13:20.003000 #1 < 5 B  HELLO
22:13:20.003000 #1 < 2 B
  00000000  00 01                                            |..|
22:13:20.005000 #1 closed: 2 messages there, 2 back
`;
  for (const bytes of [captured(...HELLO), pcapng(101, HELLO.map(ip4))]) {
    assertEquals(await dump(bytes, "--framing", "u32le"), { code: 0, stdout: shown, stderr: "" });
  }
});

Deno.test("dump finds the framing of a file by itself if one is sure, also one in each direction", async () => {
  const texts = ["hello", "a longer message, with some more words", "bye", "once more"];
  const same = talk(["client", frames("u32le", ...texts)], ["server", frames("u32le", ...texts)]);
  const found = await dump(captured(...same), "--json");
  assertEquals([found.code, told(found.stdout).length], [0, 8]);
  assertStringIncludes(found.stdout, `"framing":"u32le"`);
  const lines = ["EHLO me", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA", "QUIT"];
  const two = talk(["client", frames("line", ...lines)], ["server", frames("u32be", ...texts)]);
  const both = await dump(captured(...two), "--json");
  assertEquals(told(both.stdout), [
    ...lines.map((line) => `#1 > ${line}`),
    ...texts.map((text) => `#1 < ${text}`),
  ]);
  const { name } = duplex({ in: framing("u32be"), out: framing("line") });
  assertStringIncludes(both.stdout, `"framing":"${name}"`);
});

Deno.test("dump says what to do where no framing is sure, and for a pipe", async () => {
  const noise = talk(["client", Uint8Array.of(7, 200, 13, 99)]);
  const { code, stdout, stderr } = await dump(captured(...noise));
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /^error: connections to 10\.0\.0\.2:7000 are left out: no framing is sure.*--decode 7000=NAME.*\n$/,
  );
  const pipe = await runHere("client.ts", ["dump", "-"], { stdin: captured(...HELLO) });
  assertEquals(pipe.code, 2);
  assertStringIncludes(pipe.stderr, "--framing NAME, or --decode PORT=NAME");
});

Deno.test("dump takes framings that differ by direction, by port, and after the first message", async () => {
  const startup = Uint8Array.of(0, 0, 0, 8, 0, 3, 0, 0);
  const query = Uint8Array.of(0x51, 0, 0, 0, 5, 0);
  const segments = talk(["client", startup], ["client", query], ["server", query]);
  const args = ["--decode", "1=length(bytes:1,offset:2)", "--decode", "7000=postgres", "--json"];
  const { code, stdout } = await dump(captured(...segments), ...args);
  const sizes = stdout.trimEnd().split("\n").map((line) => JSON.parse(line).size);
  assertEquals([code, sizes], [0, [undefined, 8, 6, 6, undefined]]);
  // Without the beginning, the first message is none.
  const later = await dump(captured(...segments.slice(3)), ...args);
  assertEquals([later.code, told(later.stdout).length], [0, 2]);
});

Deno.test("dump takes connections by port and by host", async () => {
  const bytes = captured(...HELLO);
  const count = async (...args: string[]) =>
    told((await dump(bytes, "--framing", "u32le", "--json", ...args)).stdout)
      .filter((line) => line.startsWith("#")).length;
  assertEquals(await count("--ports", "6000-6999,7000"), 4);
  assertEquals(await count("--hosts", "10.0.0.0/30"), 4);
  assertEquals(await count("--ports", "7001"), 0);
  assertEquals(await count("--ports", "7000", "--hosts", "10.0.0.3,::1"), 0);
  const six = pcap(
    229,
    HELLO.slice(0, 3).filter(({ from }) => from !== "server").map((segment) => ({
      bytes: ip6(segment),
    })),
  );
  const shown = await dump(six, "--framing", "u32le", "--hosts", "[::1]");
  assertStringIncludes(shown.stdout, "#1 [2001:db8::1]:40000 > [::1]:7000, u32le");
});

Deno.test("dump --out prints the messages alone, of one end with --from", async () => {
  await using capture = await file(captured(...HELLO));
  const run = async (...args: string[]) =>
    (await runBytesHere("client.ts", ["dump", capture.path, "--framing", "u32le", ...args])).bytes;
  assertEquals(await run("--out", "lines", "--from", "client"), utf8('hello\n{"a":1}\n'));
  assertEquals(await run("--out", "bytes", "--from", "server"), utf8("HELLO\x00\x01"));
  assertEquals(
    await run("--out", "length"),
    concat([
      frames("u32be", "hello", '{"a":1}'),
      frames("u32be", "HELLO", "\x00\x01"),
    ]),
  );
});

Deno.test("dump reads a pipe as it comes: a message is shown before the next packet is there", async () => {
  const bytes = captured(...HELLO);
  const first = 24 + [0, 1, 2].reduce((sum, i) => sum + 16 + ip4(HELLO[i]).length, 0);
  const { promise, resolve } = Promise.withResolvers<void>();
  const stdin = ReadableStream.from((async function* () {
    yield bytes.slice(0, first);
    await promise;
    yield bytes.slice(first);
  })());
  await using running = await ServerHere.start(
    ["dump", "-", "--framing", "u32le", "--quiet"],
    { script: "client.ts", count: 0, stdin },
  );
  assertMatch(await running.nextLine(), /#1 > 5 B {2}hello$/);
  resolve();
  assertEquals(await running.ended(), 0);
  assertStringIncludes(running.stdout, "#1 < 5 B  HELLO");
});

Deno.test("dump tells which bytes are missing, and goes on where a framing has marks", async () => {
  const lines = frames("line", "one", "two", "three", "four");
  const gap = [
    ...OPEN,
    { seq: 1, bytes: lines.subarray(0, 5) },
    { seq: 1 + 7, ack: 101, bytes: lines.subarray(7) },
    { from: "server", seq: 101, ack: 1 + lines.length, bytes: lines.subarray(0, 4) },
  ] satisfies SegmentSpec[];
  const marked = await dump(captured(...gap), "--framing", "line", "--json");
  assertEquals([marked.code, told(marked.stdout)], [1, [
    "#1 > one",
    "#1 < one",
    "error #1 >: 2 bytes are not in the capture, behind message 1",
    "#1 > three",
    "#1 > four",
  ]]);
  const lengths = await dump(captured(...gap), "--framing", "u8", "--max-message", "200", "--json");
  assertEquals(lengths.code, 1);
  assertStringIncludes(
    told(lengths.stdout)[0],
    "error #1 >: 2 bytes are not in the capture, behind message 0; what follows cannot be told",
  );
  // What was left out by a snap length is missing, too.
  const snapped = captured(...OPEN, { seq: 1, bytes: lines, captured: 6 }, {
    seq: 1 + lines.length,
    bytes: lines,
  });
  assertEquals((await dump(snapped, "--framing", "line", "--json")).code, 1);
});

Deno.test("dump tells where bytes do not fit to the framing, after what did, and ends with 3", async () => {
  const bytes = concat([frames("u32be", "fine"), utf8("GET / HTTP/1.1\r\n")]);
  const { code, stdout, stderr } = await dump(
    captured(...talk(["client", bytes])),
    "--framing",
    "u32be",
  );
  assertEquals(code, 3);
  assertStringIncludes(stdout, "#1 > 4 B  fine\n");
  assertMatch(
    stderr,
    /^error: #1 >: Cannot receive message of 1195725856 bytes.* in u32be, at byte 0 to 24 .*\n$/,
  );
  const cut = await dump(
    captured(...talk(["client", utf8("\x00\x00\x00\x09abc")])),
    "--framing",
    "u32be",
  );
  assertEquals([cut.code, cut.stderr.split("\n").length], [3, 2]);
});

Deno.test("dump tells of a capture that is broken, cut off or none, after what was whole", async () => {
  const bytes = captured(...HELLO);
  const cut = await dump(bytes.subarray(0, bytes.length - 50), "--framing", "u32le");
  assertEquals(cut.code, 1);
  assertStringIncludes(cut.stdout, "#1 < 5 B  HELLO\n");
  assertMatch(
    cut.stderr,
    /^error: FILE: Cannot read capture any further: it ends inside a packet's header, at byte \d+\n$/,
  );
  const none = await dump(utf8("no capture at all"), "--framing", "line");
  assertEquals([none.code, none.stderr], [
    1,
    "error: FILE: Cannot read capture: it is neither pcap nor pcapng\n",
  ]);
  const packed = await dump(Uint8Array.of(0x1f, 0x8b, 8, 0), "--framing", "line");
  assertStringIncludes(packed.stderr, "it is compressed; gzip -dc unpacks it");
  const other = pcap(147, [{ bytes: Uint8Array.of(1, 2, 3) }]);
  assertEquals(await dump(other, "--framing", "line"), {
    code: 1,
    stdout: "",
    stderr: "error: there are no bytes of TCP that are wanted in FILE (1 packets: link type)\n",
  });
  for (
    const [args, words] of [
      [["dump"], `"dump" takes one FILE`],
      [["dump", "a", "b"], `"dump" takes one FILE`],
      [["dump", "a", "--ports", "x"], "--ports x: it must be a port"],
      [["dump", "a", "--hosts", "10.0.0.0/40"], "--hosts 10.0.0.0/40"],
      [["dump", "a", "--decode", "line"], "it must be PORT=FRAMING"],
      [["dump", "a", "--decode", "1=lin"], `framing "lin"`],
      [["dump", "-", "--framing", "line", "--show", "hex", "--out", "hex"], "--show and --out"],
    ] as const
  ) {
    const { code, stderr } = await runHere("client.ts", args);
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(stderr, words);
  }
});

Deno.test("dump --record makes a recording that replay plays", async () => {
  await using capture = await file(captured(...HELLO));
  await using recording = await file();
  const args = ["dump", capture.path, "--framing", "u32le", "--record", recording.path];
  assertEquals((await runHere("client.ts", [...args, "--show", "none"])).code, 0);
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    for await (const message of connection) {
      const text = new TextDecoder().decode(message);
      await connection.send(text === "hello" ? "HELLO" : "\x00\x01");
    }
  });
  const replay = ["replay", recording.path, server.endpoints[0], "--diff", "--speed", "max"];
  const { code, stdout } = await runHere("client.ts", replay);
  assertEquals([code, stdout], [0, "2 messages sent, no answer differs\n"]);
});

Deno.test("dump --record takes the connections to one server, and says which are left out", async () => {
  const other = HELLO.filter(({ from }) => from !== "server");
  const packets = [...HELLO.map(ip4), ...other.map((segment) => ip6(segment))];
  await using capture = await file(pcap(12, packets.map((bytes) => ({ bytes }))));
  await using recording = await file();
  const args = ["dump", capture.path, "--framing", "u32le", "--record", recording.path, "--quiet"];
  const { code, stderr } = await runHere("client.ts", args);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^error: --record: connections to \[::1\]:7000 are left out, .* 10\.0\.0\.2:7000; --ports .*\n$/,
  );
  const lines = (await Deno.readTextFile(recording.path)).trimEnd().split("\n");
  assertEquals(lines.length, 1 + 1 + 4 + 2 + 1);
  assert(lines[0].includes(`"target":"tcp://10.0.0.2:7000?framing=u32le"`));
});
