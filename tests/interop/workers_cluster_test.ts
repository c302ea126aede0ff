/** `server.ts --workers` in a cluster: each thread is a server of it. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { backoff, connect, text } from "../../mod.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { freePort } from "../support/free_port.ts";
import { run, RunningServer } from "../support/program.ts";
import { assertOneChat, FLAGS, Guest, guestsOfBoth } from "../support/workers.ts";
import { Broker, NATS } from "./chat_cluster_world.ts";
import { temporaryFolder, testWith } from "./engines/engine.ts";

/** Elsewhere all may come to one thread. */
const onLinux = async (body: () => Promise<void>) => {
  if (Deno.build.os === "linux") await body();
};
const test = (name: string, body: () => Promise<void>) => testWith(NATS, name, () => onLinux(body));

await test("server.ts --workers 2 --cluster: threads and servers are one chat, until one ends", async () => {
  await using folder = await temporaryFolder();
  const secret = join(folder.path, "token");
  await Deno.writeTextFile(secret, "secret\n");
  await using broker = await Broker.start("--auth", "secret");
  const cluster = ["--cluster", `nats://${broker.address}`, "--cluster-token-file", secret];
  const flags = [...FLAGS, `--allow-read=${folder.path}`];
  await using one = await RunningServer.start([":0", "--workers", "2", ...cluster], { flags });
  await using two = await RunningServer.start([":0", ...cluster], { flags });
  await using stack = new AsyncDisposableStack();
  const threads = await guestsOfBoth(one.endpoints[0], stack);
  const other = stack.use(await Guest.join(two.endpoints[0]));
  await assertOneChat([...threads, other]);

  const { stdout } = await run("client.ts", ["ping", ...cluster], { flags });
  const lines = stdout.trimEnd().split("\n");
  const [ofThreads, ofOther] = [one, two].map(({ endpoints: [endpoint] }) =>
    lines.filter((line) => line.endsWith(` ${endpoint}`))
  );
  assertEquals([ofThreads.length, ofOther.length], [2, 1], stdout);
  assertMatch(stdout, /^3 servers answered$/m);

  assertEquals(await one.stop("SIGTERM"), 0);
  const gone = new Set(threads.map(({ name }) => name));
  while (gone.size > 0) {
    const { name } = await other.next(({ type }) => type === "leave");
    assert(gone.delete(name as string), `${name} left`);
  }
  assertEquals(await two.stop("SIGTERM"), 0);
});

await test("server.ts --workers 2 --cluster --session: who comes back to another thread loses nothing", async () => {
  await using broker = await Broker.start();
  const cluster = ["--cluster", `nats://${broker.address}`];
  const options = [...cluster, "--workers", "2", "--session", "--limit", "chat.burst=100000"];
  await using server = await RunningServer.start([":0", ...options], { flags: FLAGS });
  await using proxy = new CuttingProxy({
    port: server.port(),
    seed: 1,
    cuts: 8,
    meanBytes: 1_000,
  });
  await using session = await connect(`tcp://127.0.0.1:${proxy.port}`, {
    session: { retry: backoff({ minDelay: 1, maxDelay: 10 }) },
    format: text(),
  });
  assertMatch((await session.receive())!, /^\* Welcome, /);
  for (let n = 0; n < 100 || proxy.cuts < 8; n++) {
    await session.send(`/ping ${n}`);
    assertEquals(await session.receive(), `* pong ${n}`);
  }
  await session.close();
  assertEquals(await server.stop("SIGTERM"), 0);
});

await test("server.ts --workers 2 --cluster says in one line that there is no broker", async () => {
  const port = freePort();
  const args = [":0", "--workers", "2", "--cluster", `nats://127.0.0.1:${port}`];
  const { code, stdout, stderr } = await run("server.ts", args, { flags: FLAGS });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    new RegExp(`^.*Cannot connect to NATS at 127\\.0\\.0\\.1:${port}: [^\\n]*\\n$`),
  );
});
