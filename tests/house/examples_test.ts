import { assertEquals, assertLess } from "@std/assert";
import { connect, text } from "../../mod.ts";
import { run, RunningServer } from "../support/program.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);

Deno.test("examples are under 40 lines each", async () => {
  for await (const { name } of Deno.readDir(EXAMPLES)) {
    const lines = (await Deno.readTextFile(new URL(name, EXAMPLES))).split("\n").length;
    assertLess(lines, 41, name);
  }
});

/** What the examples that end by themselves print, with the flags that their first lines name. */
const OUTPUT: Record<string, { flags: string[]; stdout: string }> = {
  "typed_json.ts": { flags: ["--allow-net"], stdout: "2 x tea\n" },
  "accept_loop.ts": {
    flags: ["--allow-net"],
    stdout: "#1 sent 1000 messages in 14890 bytes\n#2 sent 1000 messages in 11890 bytes\n",
  },
  "reconnect.ts": {
    flags: ["--allow-net"],
    stdout: "this is visit 1\nthis is visit 2\nthis is visit 3\n",
  },
  "typed_requests.ts": {
    flags: ["--allow-net"],
    stdout: "42\nunknown-item\n1500 bytes stored\ntimeout\n",
  },
  "json_rpc.ts": {
    flags: ["--quiet", "--allow-net"], // quiet about what it downloads
    stdout: "3\nhello Ada\nMethod not found\n",
  },
  "frames_in_a_file.ts": {
    flags: ["--allow-read", "--allow-write"],
    stdout: "one\ntwo\nthree\n3 messages\n",
  },
};

for (const [name, { flags, stdout }] of Object.entries(OUTPUT)) {
  Deno.test(`examples/${name} does what it says`, async () => {
    const result = await run(`examples/${name}`, [], { flags });
    assertEquals(result, { code: 0, stdout, stderr: "" });
  });
}

Deno.test("examples/echo_client.ts gets its message back from examples/echo_server.ts", async () => {
  await using server = await RunningServer.start(["tcp://127.0.0.1:0"], {
    script: "examples/echo_server.ts",
  });
  const result = await run("examples/echo_client.ts", server.endpoints);
  assertEquals(result, { code: 0, stdout: "hello\n", stderr: "" });
});

Deno.test("examples/csharp_peer.ts passes on what its clients say", async () => {
  await using server = await RunningServer.start(["tcp://127.0.0.1:0?framing=u32le"], {
    script: "examples/csharp_peer.ts",
  });
  await using one = await connect(server.endpoints[0], { format: text() });
  assertEquals(await one.receive(), "1 clients");
  await using two = await connect(server.endpoints[0], { format: text() });
  assertEquals([await one.receive(), await two.receive()], ["2 clients", "2 clients"]);
  await one.send("hi");
  assertEquals(await two.receive(), "#1: hi");
});
