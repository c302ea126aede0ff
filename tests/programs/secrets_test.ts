/** Secrets from the command line, from files and from the environment, at both ends. */

import { assertEquals, assertMatch } from "@std/assert";
import { connect, text } from "../../mod.ts";
import { runHere, ServerHere } from "../support/in_process.ts";

/** A file with these words. */
async function file(words: string): Promise<string> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, words);
  return path;
}

Deno.test("the programs take a token from a file or a variable, whatever ends it", async () => {
  const ways = [
    { args: ["--token-file", await file("open sesame\n")] },
    { args: ["--token-file", await file("\ufeffopen sesame\r\n")] },
    { env: { LENGTHWISE_TOKEN: "open sesame\n" } },
    { args: ["--token", "open sesame\r\n"] },
  ];
  for (const { args = [], env } of ways) {
    await using server = await ServerHere.start(
      ["127.0.0.1:0", "127.0.0.1:0?framing=line", ...args],
      { count: 2, env },
    );
    for (const endpoint of server.endpoints) {
      for (const other of ways) {
        const { code, stdout, stderr } = await runHere("client.ts", [
          endpoint,
          ...other.args ?? [],
          ...["send", "hi", "--expect", "1"],
        ], { env: other.env });
        assertEquals([code, stderr], [0, ""]);
        assertMatch(stdout, /^\* Welcome/);
      }
      await using client = await connect(endpoint, { format: text(), token: "open sesame\n" });
      assertMatch((await client.receive())!, /^\* Welcome/);
    }
  }
});

Deno.test("server.ts takes the operator's token from a file or a variable, whatever ends it", async () => {
  const ways = [
    { args: ["--operator-token-file", await file("open sesame\r\n")] },
    { env: { LENGTHWISE_OPERATOR_TOKEN: "open sesame\n" } },
    { args: ["--operator-token", " open sesame\n"] },
  ];
  for (const { args = [], env } of ways) {
    await using server = await ServerHere.start(["127.0.0.1:0", ...args], { env });
    await using client = await connect(server.endpoints[0], { format: text() });
    client.send("/operator open sesame");
    await client.receive();
    assertMatch((await client.receive())!, /^\* You are an operator\./);
  }
});

Deno.test("the programs refuse a secret that is none, by the name of where it came from", async () => {
  const empty = await file("\r\n");
  const two = await file("open\nsesame\n");
  const cases: [args: string[], problem: string, env?: Record<string, string>][] = [
    [["--token-file", empty], `--token-file ${empty}: there is nothing in it`],
    [["--token-file", two], `--token-file ${two}: it has several lines, and must have one`],
    [["--token", "\n"], "--token: there is nothing in it"],
    [[], "LENGTHWISE_TOKEN: there is nothing in it", { LENGTHWISE_TOKEN: "\n" }],
    [["--token", "a", "--token-file", two], "--token and --token-file: give one of them"],
  ];
  for (const [args, problem, env] of cases) {
    for (const [script, rest] of [["server.ts", ["127.0.0.1:0"]], ["client.ts", [":1", "ping"]]]) {
      const { code, stdout, stderr } = await runHere(script as string, [...rest, ...args], { env });
      assertEquals([code, stdout], [2, ""]);
      assertEquals(stderr.includes(problem), true, stderr);
    }
  }
  const variable = { LENGTHWISE_OPERATOR_TOKEN: "\n" };
  const { code, stderr } = await runHere("server.ts", ["127.0.0.1:0"], { env: variable });
  assertEquals(code, 2);
  assertMatch(stderr, /LENGTHWISE_OPERATOR_TOKEN: there is nothing in it/);
  const missing = await runHere("server.ts", ["127.0.0.1:0", "--token-file", "/nowhere"]);
  assertEquals(missing.code, 1);
  assertMatch(missing.stderr, /--token-file \/nowhere: there is no such file/);
});
