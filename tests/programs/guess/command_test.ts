/** The client's `guess`: files, captures, standard input, peers, and what it says where nothing fits. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { framing } from "../../../codec.ts";
import { hex, utf8 } from "../../support/bytes.ts";
import { ip4, pcap } from "../../support/captures.ts";
import { runHere } from "../../support/in_process.ts";

const TEXTS = ["hello", "a longer message, with some more words", "bye", "once more"];
const u32le = framing("u32le");
const FRAMES = concat(TEXTS.map((text) => u32le.encode(utf8(text))));

/** A file for one run. */
async function withFile(bytes: Uint8Array, run: (file: string) => Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, bytes);
    await run(file);
  } finally {
    await Deno.remove(file);
  }
}

/** A peer that says this, and then waits for the other side to go. */
function peer(says: Uint8Array, heard: (bytes: Uint8Array) => Uint8Array | undefined) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const done = (async () => {
    using connection = await listener.accept();
    await connection.write(says);
    const buffer = new Uint8Array(1_000);
    for (let size; (size = await connection.read(buffer).catch(() => null)) !== null;) {
      const answer = heard(buffer.subarray(0, size));
      if (answer !== undefined) await connection.write(answer);
    }
  })();
  return {
    endpoint: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await done;
    },
  };
}

Deno.test("client.ts guess tells the framing of a file, why, and its first messages", async () => {
  await withFile(FRAMES, async (file) => {
    const { code, stdout, stderr } = await runHere("client.ts", ["guess", file]);
    assertEquals([code, stderr], [0, ""]);
    const [first, best, head, ...messages] = stdout.trimEnd().split("\n");
    assertEquals(first, `${file}: ${FRAMES.length} bytes looked at`);
    assertMatch(
      best,
      /^ {2}>99 % {2}u32le \(also [^)]*\): 4 whole messages, nothing left over; other bytes .* 10\^\d+$/,
    );
    assertEquals(head, "  first messages as u32le:");
    assertEquals(
      messages,
      TEXTS.map((text) => `    ${String(text.length).padStart(5)}  "${text}"`),
    );
  });
});

Deno.test("client.ts guess reads standard input, and shows bytes that are no text in hexadecimal", async () => {
  const messages = [hex("01ff02"), hex("1b5b324a"), hex("00".repeat(60) + "01")];
  const stdin = concat(messages.map((message) => u32le.encode(message)));
  const { code, stdout } = await runHere("client.ts", ["guess", "-"], { stdin });
  assertEquals(code, 0);
  assertStringIncludes(stdout, "standard input: ");
  assertStringIncludes(stdout, "      3  01 ff 02\n");
  assertStringIncludes(stdout, "      4  1b 5b 32 4a\n");
  assertMatch(stdout, / 61 {2}(00 ){47}00 …\n/);
});

Deno.test("client.ts guess takes the connections in a capture, both directions together", async () => {
  const packets = [
    { bytes: ip4({ seq: 0, flags: "S" }) },
    { bytes: ip4({ from: "server", seq: 50, ack: 1, flags: "S" }) },
    { bytes: ip4({ seq: 1, ack: 51, bytes: FRAMES }) },
    { bytes: ip4({ from: "server", seq: 51, ack: 1, bytes: FRAMES.subarray(0, 9) }) },
    { bytes: ip4({ from: "server", seq: 60, ack: 1, bytes: FRAMES.subarray(9) }) },
  ];
  await withFile(pcap(101, packets), async (file) => {
    const { code, stdout } = await runHere("client.ts", ["guess", file, "--json"]);
    const [best] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(code, 0);
    assertEquals([best.event, best.of], ["guess", "connections to 10.0.0.2:7000"]);
    assertEquals([best.framing, best.messages, best.restBytes, best.after], ["u32le", 8, 0, 0]);
    assertEquals(best.first[0], utf8("hello").toBase64());
  });
});

Deno.test("client.ts guess tells the directions apart where they differ", async () => {
  const lines = utf8("220 ready\r\n250 what a nice day\r\n354 go on\r\n");
  const packets = [
    { bytes: ip4({ seq: 0, flags: "S" }) },
    { bytes: ip4({ from: "server", seq: 50, ack: 1, flags: "S" }) },
    { bytes: ip4({ seq: 1, ack: 51, bytes: FRAMES }) },
    { bytes: ip4({ from: "server", seq: 51, ack: 1, bytes: lines }) },
  ];
  await withFile(pcap(101, packets), async (file) => {
    const { stdout } = await runHere("client.ts", ["guess", file]);
    assertMatch(stdout, /the client's direction: .*\n +>99 % +u32le/);
    assertMatch(stdout, /the server's direction: .*\n +>99 % +line/);
  });
});

Deno.test("client.ts guess listens to a peer, and says lines first where it is told to", async () => {
  {
    await using server = peer(FRAMES, () => undefined);
    const { code, stdout } = await runHere("client.ts", [
      "guess",
      server.endpoint,
      "--timeout",
      "800",
    ]);
    assertEquals(code, 0);
    assertMatch(stdout, /\n +>99 % +u32le[^:]*: 4 whole messages/);
  }
  {
    await using server = peer(new Uint8Array(0), (heard) => {
      assertEquals(heard, utf8("HELP\r\n"));
      return utf8("214 commands follow\r\n214 none of them\r\n");
    });
    const args = ["guess", server.endpoint, "HELP", "--timeout", "800"];
    const { code, stdout } = await runHere("client.ts", args);
    assertEquals(code, 0);
    assertMatch(stdout, /\n +>99 % +line[^:]*: 2 whole messages/);
  }
  await using server = peer(new Uint8Array(0), () => undefined);
  const silent = await runHere("client.ts", ["guess", server.endpoint, "--timeout", "50"]);
  assertEquals([silent.code, silent.stdout], [1, ""]);
  assertMatch(
    silent.stderr,
    /says nothing by itself; client.ts guess .* TEXT… sends it lines first/,
  );
});

Deno.test("client.ts guess says where nothing fits, and what it cannot look at", async () => {
  const rows: [bytes: Uint8Array, code: number, stderr: RegExp][] = [
    [new Uint8Array(0), 1, /no framing fits|there are no bytes/],
    [pcap(101, []), 1, /there are no bytes of TCP in/],
    [pcap(101, [{ bytes: ip4({ seq: 1, flags: "S" }) }]), 1, /there are no bytes of TCP in/],
    [pcap(101, []).subarray(0, 20), 1, /it ends inside the file's header, at byte 20/],
  ];
  for (const [bytes, code, expected] of rows) {
    await withFile(bytes, async (file) => {
      const result = await runHere("client.ts", ["guess", file]);
      assertEquals(result.code, code);
      assertMatch(result.stderr, expected);
    });
  }
  const usage: [args: string[], code: number, stderr: RegExp][] = [
    [["guess"], 2, /"guess" needs an ENDPOINT or a FILE to look at/],
    [["guess", "no-such-file"], 1, /no-such-file: there is no such file/],
    [["guess", "no-such-file", "TEXT"], 2, /only a peer can be told something/],
    [["guess", "127.0.0.1:1"], 1, /connection refused/],
    [[":1234", "guess"], 2, /"guess" comes first/],
  ];
  for (const [args, code, expected] of usage) {
    const result = await runHere("client.ts", args);
    assertEquals([result.code, result.stdout], [code, ""], args.join(" "));
    assertMatch(result.stderr, expected);
  }
});
