import { assertEquals, assertMatch } from "@std/assert";
import type { Connection } from "../../connection.ts";
import { isText } from "../../connection.ts";
import { listen, type Server } from "../../listen/listen.ts";
import { requests } from "../../request.ts";
import { type InForm, OUT_FORMS, type OutForm, readBatches } from "../../programs/shared/forms.ts";
import { messageForm } from "../../programs/shared/shown.ts";
import { runBytesHere, runHere } from "../support/in_process.ts";

const encoder = new TextEncoder();

/** An echo server that keeps what came. */
async function echo(query = ""): Promise<Server & { got: Uint8Array[] }> {
  const got: Uint8Array[] = [];
  const server = await listen(`tcp://127.0.0.1:0${query}`, async (connection) => {
    for await (const message of connection) {
      got.push(message.slice());
      await connection.send(message);
    }
  });
  return Object.assign(server, { got });
}

function randomBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, size)));
  }
  return bytes;
}

async function messagesIn(form: InForm, input: string | Uint8Array) {
  const bytes = typeof input === "string" ? encoder.encode(input) : input;
  const messages: Uint8Array[] = [];
  for await (const batch of readBatches([bytes].values() as never, form)) messages.push(...batch);
  return messages;
}

/** A message of every kind: empty, with newlines, no UTF-8, with a byte order mark, JSON. */
const MESSAGES = [
  "",
  "plain",
  "two\nlines\r\n",
  "\ufeffmarked",
  '{"a":[1,2]}',
  "\x1b[2J",
].map((text) => encoder.encode(text)).concat([new Uint8Array([0xff, 0x00, 0x0a, 0xfe])]);

Deno.test("Every form but lines and bytes brings every message out and in again, whole", async () => {
  for (const form of ["hex", "base64", "json", "length"] as const) {
    for (const isTerminal of form === "length" ? [false] : [false, true]) {
      if (form === "json" && isTerminal) continue; // What a terminal is shown is not for programs.
      const shown = messageForm(form, isTerminal);
      const printed = MESSAGES.map(shown).map((piece) =>
        typeof piece === "string" ? encoder.encode(piece) : piece
      );
      const all = new Uint8Array(await new Blob(printed as BlobPart[]).arrayBuffer());
      assertEquals(
        (await messagesIn(form, all)).map((m) => m.toHex()),
        MESSAGES.map((m) => m.toHex()),
        form,
      );
    }
  }
});

Deno.test("readBatches() takes hex with spaces and colons, and JSON of several kinds", async () => {
  const hex = await messagesIn("hex", "de ad:BE ef\n\n00\n");
  assertEquals(hex.map((message) => message.toHex()), ["deadbeef", "", "00"]);
  const json = await messagesIn("json", '"a\\nb"\n{"text":"t"}\n{"base64":"/wA="}\n{"hex":"ff"}');
  assertEquals(json.map((message) => message.toHex()), ["610a62", "74", "ff00", "ff"]);
  assertEquals(json.map(isText), [true, true, false, false]);
});

Deno.test("messageForm() never gives a terminal a control character, in no form", () => {
  const evil = "\x1b]0;owned\x07\x9b31m\u202e\r\n{";
  for (const form of OUT_FORMS.filter((form) => form !== "length")) {
    for (const message of [evil, JSON.stringify({ evil }), '["\u009b"]']) {
      const shown = messageForm(form, true)(encoder.encode(message));
      const text = typeof shown === "string" ? shown : new TextDecoder().decode(shown);
      // deno-lint-ignore no-control-regex
      assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.exec(text), null, form);
    }
  }
});

Deno.test("messageForm() makes JSON, text and other bytes readable with pretty", () => {
  const pretty = messageForm("pretty", false);
  assertEquals(pretty(encoder.encode('{"a":[1]}')), '{\n  "a": [\n    1\n  ]\n}\n');
  assertEquals(pretty(encoder.encode("{no json")), "{no json\n");
  assertEquals(pretty(encoder.encode("a\nb\n")), "a\nb\n");
  assertEquals(
    pretty(new Uint8Array([0, 65, 255])),
    "00000000  00 41 ff                                         |.A.|\n",
  );
  assertEquals(pretty(new Uint8Array(0)), "\n");
});

Deno.test("client.ts in a pipe passes random bytes both ways with framing none, byte for byte", async () => {
  await using server = await echo("?framing=none");
  const stdin = randomBytes(3_000_000);
  const args = [...server.endpoints, "--half-close"];
  const { code, bytes, stderr } = await runBytesHere("client.ts", args, { stdin });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(bytes.length, stdin.length);
  assertEquals(bytes.toHex() === stdin.toHex(), true);
});

Deno.test("client.ts --in bytes --out bytes passes bytes through a framing that has messages", async () => {
  await using server = await echo("?framing=varint");
  const stdin = randomBytes(1_000_000);
  const args = [...server.endpoints, "--in", "bytes", "--out", "bytes", "--half-close"];
  const { code, bytes, stderr } = await runBytesHere("client.ts", args, { stdin });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(bytes.toHex() === stdin.toHex(), true);
});

Deno.test("client.ts in a pipe sends messages with newlines as JSON, hex, Base64 or after their length", async () => {
  const cases: [form: string, stdin: string | Uint8Array, out: OutForm, stdout: string][] = [
    ["json", '"a\\nb"\n{"base64":"/w=="}\n', "json", '"a\\nb"\n{"base64":"/w=="}\n'],
    ["hex", "61 0a 62\n", "hex", "610a62\n"],
    ["base64", "YQpi\n", "base64", "YQpi\n"],
    ["length", new Uint8Array([0, 0, 0, 3, 97, 10, 98, 0, 0, 0, 0]), "json", '"a\\nb"\n""\n'],
    ["lines", "a\r\nb", "length", "\0\0\0\x01a\0\0\0\x01b"],
    ["json", '"a\\nb"\n', "pretty", "a\nb\n"],
  ];
  for (const [form, stdin, out, expected] of cases) {
    await using server = await echo();
    const args = [...server.endpoints, "--in", form, "--out", out, "--half-close"];
    const { code, stdout, stderr } = await runHere("client.ts", args, { stdin });
    assertEquals([code, stdout, stderr], [0, expected, ""], form);
  }
});

Deno.test("client.ts says which line of its input has not the form, and ends with 2", async () => {
  const cases: [args: string[], stdin: string | Uint8Array, message: RegExp][] = [
    [["--in", "hex"], "00\nxyz\n", /line 2 is not hex: "xyz"/],
    [["--in", "hex"], "123\n", /line 1 is not hex/],
    [["--in", "base64"], "%\n", /line 1 is not base64/],
    [["--in", "json"], "{\n", /line 1 is not JSON/],
    [
      ["--in", "json"],
      "7\n",
      /line 1 is no message: a string, or an object with text, base64 or hex/,
    ],
    [["--in", "json"], new Uint8Array([0xff, 10]), /line 1 of the input is no UTF-8/],
    [["--in", "length"], new Uint8Array([0, 0, 0, 9, 1]), /not in the form "length"/],
    [["--in", "length"], new Uint8Array([255, 255, 255, 255]), /not in the form "length": .*limit/],
    [["--in", "hxe"], "", /--in hxe: it must be one of .*; the nearest is hex/],
    [["ls", "--in", "hex"], "", /--in has nothing to do with "ls"/],
    [["send", "--in", "hex", "zz"], "", /"zz" is not hex/],
    [["send", "--in", "length", "x"], "", /"x": the form "length" is for files and pipes/],
    [["send", "-", "-"], "", /"-" is standard input, which can be read only once/],
  ];
  for (const [args, stdin, message] of cases) {
    await using server = await echo();
    const { code, stderr } = await runHere("client.ts", [...server.endpoints, ...args], { stdin });
    assertMatch(stderr, message);
    assertEquals([code, stderr.trimEnd().split("\n").length], [2, 1], stderr);
  }
});

Deno.test("client.ts --out and --json are not given together", async () => {
  const { code, stdout } = await runHere("client.ts", [":1", "--out", "hex", "--json"]);
  assertEquals(code, 2);
  assertMatch(JSON.parse(stdout).message, /--out and --json: give one of them/);
});

Deno.test("client.ts send takes a file, standard input, and words in other forms", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeFile(file, new Uint8Array([0, 10, 255]));
  const lines = await Deno.makeTempFile();
  await Deno.writeTextFile(lines, "one\ntwo\n");
  const cases: [operands: string[], stdin: string, got: string[]][] = [
    [[`@${file}`], "", ["000aff"]],
    [["-"], "all of\nit\n", ["616c6c206f660a69740a"]],
    [["-"], "", [""]],
    [["x", "-", `@${file}`], "y", ["78", "79", "000aff"]],
    [["--in", "lines", `@${lines}`], "", ["6f6e65", "74776f"]],
    [["--in", "bytes", `@${lines}`], "", ["6f6e650a74776f0a"]],
    [["--in", "hex", "de ad", "-"], "be\nef\n", ["dead", "be", "ef"]],
    [["--in", "base64", "/w=="], "", ["ff"]],
    [["--in", "json", '"-"', '"@x"'], "", ["2d", "4078"]],
    [["@@file"], "", ["4066696c65"]],
  ];
  for (const [operands, stdin, got] of cases) {
    await using server = await echo();
    const args = [...server.endpoints, "send", ...operands];
    const { code, stderr } = await runHere("client.ts", args, { stdin });
    assertEquals([code, stderr], [0, ""], operands.join(" "));
    assertEquals(server.got.map((message) => message.toHex()), got, operands.join(" "));
  }
  for (const path of [file, lines]) await Deno.remove(path);
});

Deno.test("client.ts send says why a file cannot be read, before it connects", async () => {
  const { code, stderr } = await runHere("client.ts", [":1", "send", "@/nowhere/at/all"]);
  assertEquals([code, stderr], [1, "error: @/nowhere/at/all: there is no such file or folder\n"]);
});

Deno.test("client.ts send keeps text and bytes apart over WebSocket", async () => {
  const kinds: boolean[] = [];
  await using server = await listen("ws://127.0.0.1:0", async (connection: Connection) => {
    for await (const message of connection) kinds.push(isText(message));
  });
  for (const args of [["word"], ["--in", "hex", "61"], ["-"], ["--in", "bytes", "-"]]) {
    await runHere("client.ts", [...server.endpoints, "send", ...args], { stdin: "in" });
  }
  assertEquals(kinds, [true, false, true, false]);
});

Deno.test("client.ts request takes its params from a file or a pipe, and prints in other forms", async () => {
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    await requests(connection, { same: (params: unknown) => params }).closed;
  });
  const cases: [args: string[], stdin: string, stdout: string][] = [
    [["-"], '{"a": 1}', '{"a":1}\n'],
    [["-", "--in", "bytes"], "raw\n", "raw\n"],
    [["--in", "hex", "ff00", "--out", "hex"], "", "ff00\n"],
    [["--in", "hex", "ff", "--out", "json"], "", '{"base64":"/w=="}\n'],
    [["--in", "lines", "words", "--out", "lines"], "", "words\n"],
    [["[1]", "--out", "json"], "", "[1]\n"],
    [["[1]", "--out", "pretty"], "", "[\n  1\n]\n"],
    [["[1]", "--out", "base64"], "", "WzFd\n"],
  ];
  for (const [args, stdin, expected] of cases) {
    const { code, stdout, stderr } = await runHere(
      "client.ts",
      [...server.endpoints, "request", "same", ...args],
      { stdin },
    );
    assertEquals([code, stdout, stderr], [0, expected, ""], args.join(" "));
  }
});
