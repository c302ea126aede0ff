/** `server.ts --workers` in one file: its threads would need the modules, so it says so and has one. */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { connect, text } from "../../mod.ts";
import { RunningServer } from "../support/program.ts";
import { temporaryFolder } from "./engines/engine.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

Deno.test("What deno bundle makes of server.ts says why it has no workers, and serves", async () => {
  await using folder = await temporaryFolder();
  const script = join(folder.path, "server.js");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--no-lock", "--output", script, join(ROOT, "server.ts")],
    cwd: ROOT,
  }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
  const flags = ["--allow-net", "--unstable-net", "--allow-read"];
  await using server = await RunningServer.start([":0", "--workers", "2"], { script, flags });
  const why = "the modules of the server, which are bundled";
  await server.logLine(new RegExp(`warn --workers 2 needs ${why}: working on one core`));
  const guests = await Promise.all(
    [1, 2].map(() => connect(server.endpoints[0], { format: text() })),
  );
  for (const guest of guests) await guest.receive();
  await guests[0].send("hello");
  let line: string | undefined = "";
  while (line !== undefined && !line.endsWith(": hello")) line = await guests[1].receive();
  assertEquals(line?.split(": ")[1], "hello");
  await Promise.all(guests.map((guest) => guest.close()));
  assertEquals(await server.stop("SIGTERM"), 0);
});
