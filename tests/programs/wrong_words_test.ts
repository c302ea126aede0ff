import { assertEquals, assertMatch } from "@std/assert";
import { runHere, ServerHere } from "../support/in_process.ts";

/** Runs a program that is told something wrong; what it says. */
async function complaint(script: string, args: readonly string[]): Promise<string> {
  const { code, stderr } = await runHere(script, args);
  assertEquals(code, 2, args.join(" "));
  return stderr;
}

Deno.test("A port alone, or as an option, is answered with the endpoint that was meant", async () => {
  for (const script of ["server.ts", "client.ts"]) {
    assertMatch(await complaint(script, ["1234"]), /did you mean :1234\?/);
    for (const args of [["-p", "1234"], ["--port", "1234"], ["--port=1234"]]) {
      assertMatch(await complaint(script, args), /say :1234;/);
    }
  }
  assertMatch(await complaint("client.ts", ["localhost", "1234"]), /did you mean localhost:1234\?/);
  assertMatch(await complaint("server.ts", ["-p"]), /say :PORT;/);
  assertEquals((await complaint("server.ts", ["123456"])).includes("did you mean"), false);
});

Deno.test("send --expect says what is likely where a peer answers nothing", async () => {
  await using server = await ServerHere.start([":0", "--service", "print"]);
  const args = [server.endpoints[0], "send", "x", "--expect", "1", "--timeout", "100"];
  const { code, stderr } = await runHere("client.ts", args);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^error: 0 of 1 answers within 100 ms; it may answer nothing, .* doctor tcp:/,
  );
  assertMatch(stderr, /wait for the end of this one \(--half-close\): /);
  const ended = await runHere("client.ts", [...args, "--half-close"]);
  assertEquals(ended.stderr.includes("--half-close"), false);
});

Deno.test("request says so where a peer sends back what it gets, and what is likely at a silent one", async () => {
  await using echo = await ServerHere.start([":0", "--service", "echo"]);
  for (const options of [[], ["--stream"]]) {
    const args = [echo.endpoints[0], "request", "add", "[1,2]", ...options];
    const { code, stdout, stderr } = await runHere("client.ts", args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(
      stderr,
      /^error: the peer sends back what it gets, as --service echo: it answers no/,
    );
  }
  await using print = await ServerHere.start([":0", "--service", "print"]);
  const args = [print.endpoints[0], "request", "add", "--timeout", "100"];
  const { code, stderr } = await runHere("client.ts", args);
  assertEquals(code > 0, true);
  assertMatch(
    stderr,
    /it may answer no requests, or expect another framing: client\.ts doctor tcp:/,
  );
});
