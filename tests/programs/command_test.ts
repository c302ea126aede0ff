import { assertEquals, assertStringIncludes } from "@std/assert";
import { commandOf, type Start } from "../../programs/shared/command.ts";
import { RunningServer } from "../support/program.ts";

const CHECKOUT: Start = {
  root: "file:///home/ada/lengthwise/",
  cwd: "/home/ada/lengthwise",
  deno: "/home/ada/.deno/bin/deno",
  version: "2.9.6",
  standalone: false,
};

const STARTS: readonly [from: string, start: Partial<Start>, run: string, program: string][] = [
  ["in a checkout", {}, "deno run", "client.ts"],
  ["beside a checkout", { cwd: "/home/ada" }, "deno run", "lengthwise/client.ts"],
  ["far from a checkout", { cwd: "/srv/a/b/c/d" }, "deno run", "/home/ada/lengthwise/client.ts"],
  [
    "by npx",
    { deno: "/home/ada/.npm/_npx/7a4/node_modules/deno/deno" },
    "npx -y deno@2.9.6 run",
    "client.ts",
  ],
  [
    "by its name on JSR",
    { root: "https://example.com/@lengthwise/lengthwise/0.1.0/" },
    "deno run",
    "jsr:@lengthwise/lengthwise/client",
  ],
  ["as a binary", { standalone: true }, "deno run", "jsr:@lengthwise/lengthwise/client"],
  [
    "in a folder with a space",
    { root: "file:///home/ada/my%20chat/", cwd: "/home/ada" },
    "deno run",
    '"my chat/client.ts"',
  ],
];

for (const [from, start, run, program] of STARTS) {
  Deno.test(`commandOf() of a program started ${from} is ${run} … ${program}`, () => {
    assertEquals(commandOf("client", { ...CHECKOUT, ...start }), { run, program });
  });
}

Deno.test("server.ts tells a command that joins it", async () => {
  await using server = await RunningServer.start(["127.0.0.1:0?framing=u16be"]);
  const line = await server.logLine(/join with/);
  const command = /join with: (.*)$/.exec(line)?.[1] ?? "";
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    // The Deno that runs this test may be neither on the path nor npm's.
    args: ["-c", command.replace(/^(npx -y deno@\S+|deno)/, `"${Deno.execPath()}"`)],
    cwd: new URL("../../", import.meta.url),
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertStringIncludes(output, "* Welcome, guest-1. ", errors);
  assertEquals(code, 0);
});
