/** Groups of workers over a real NATS: processes that die and freeze, a broker that is away, strangers. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect as connectToNats } from "@nats-io/transport-node";
import { type GroupOptions, requestGroup } from "../../group.ts";
import type { RequestGroup } from "../../group.ts";
import { nats } from "../../nats.ts";
import { RequestError } from "../../request.ts";
import {
  engine,
  freePort,
  Program,
  RunningEngine,
  temporaryFolder,
  testWith,
} from "./engines/engine.ts";

const NATS = engine("NATS", { commands: ["nats-server"] });
const test = (name: string, body: () => Promise<void>) => testWith(NATS, name, body);

const PEER = new URL("peers/worker_over_nats.ts", import.meta.url).pathname;
/** Short times, so that the tests are. */
const TIMES = { heartbeatInterval: 500, leaseTimeout: 5_000, acceptTimeout: 1_000 };

interface Work {
  who(): string;
  hold(path: string): string;
  count(params: { to: number }): AsyncIterable<number>;
  same(bytes: Uint8Array): Uint8Array;
}

function startBroker(port: number): Promise<RunningEngine> {
  return RunningEngine.start(["nats-server", "-a", "127.0.0.1", "-p", `${port}`], {
    ready: "Server is ready",
    at: [`tcp://127.0.0.1:${port}`],
    endBy: "SIGKILL",
  });
}

/** A worker in a process of its own. */
function startWorker(port: number, name: string): Program {
  const options = ["--no-check", "--quiet", "--allow-net", "--allow-read"];
  return new Program([Deno.execPath(), "run", ...options, PEER, `${port}`, name]);
}

/** A caller of this process, on a connection to the broker of its own. */
async function openCaller(port: number, options: GroupOptions = {}, cluster?: string) {
  const backplane = await nats({ servers: `127.0.0.1:${port}`, cluster });
  const group: RequestGroup<Work> = requestGroup<Work>(backplane, "work", {
    ...TIMES,
    workerTimeout: 120_000,
    onError: () => {},
    ...options,
  });
  return {
    group,
    backplane,
    async [Symbol.asyncDispose]() {
      await group.close();
      await backplane.close();
    },
  };
}

/** Waits until something is so; looks again and again. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

await test("A group over NATS: answers, streams, large values, and both of two processes get some", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using caller = await openCaller(port);
  await using _one = startWorker(port, "one");
  await using _two = startWorker(port, "two");
  const { group } = caller;
  await until(() => group.workers.length === 2);
  const names = await Promise.all(Array.from({ length: 100 }, () => group.request("who")));
  assertEquals(new Set(names), new Set(["one", "two"]));
  const counted = await Array.fromAsync(group.stream("count", { to: 1_000 }));
  assertEquals(counted, Array.from({ length: 1_000 }, (_, i) => i + 1));
  const large = new Uint8Array(5_000_000).map((_, i) => i * 7);
  assertEquals(await group.request("same", large), large); // The broker takes 1 MiB at a time.
});

await test("A group over NATS: a worker that is killed, with requests that may be repeated and others", async () => {
  const port = freePort();
  await using folder = await temporaryFolder();
  const [never, now] = [`${folder.path}/never`, `${folder.path}/now`];
  await using _broker = await startBroker(port);
  await using caller = await openCaller(port);
  await using killed = startWorker(port, "killed");
  const { group } = caller;
  const plain = group.request("hold", never);
  const repeatable = group.request("hold", now, { repeatable: true });
  await killed.until(`holds ${now}`);
  await using lives = startWorker(port, "lives");
  await until(() => group.workers.length === 2);
  killed.signal("SIGKILL");
  const error = await assertRejects(() => plain, RequestError);
  assertEquals(error.code, "worker-lost");
  await lives.until(`holds ${now}`);
  await Deno.writeTextFile(now, "");
  assertEquals(await repeatable, "lives");
  const { lost, repeated, lostWorkers } = group.stats;
  assertEquals([lost, repeated, lostWorkers], [1, 1, 1]);
});

await test("A group over NATS: of a worker that is frozen, others take over, and it is there again", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using caller = await openCaller(port);
  await using frozen = startWorker(port, "frozen");
  const { group } = caller;
  assertEquals(await group.request("who"), "frozen");
  await using _lives = startWorker(port, "lives");
  await until(() => group.workers.length === 2);
  frozen.signal("SIGSTOP");
  const names = await Promise.all(
    Array.from({ length: 20 }, () => group.request("who", undefined, { repeatable: true })),
  );
  assertEquals(new Set(names), new Set(["lives"]));
  await until(() => group.stats.lostWorkers === 1);
  assertEquals(group.workers.length, 1);
  frozen.signal("SIGCONT");
  await until(() => group.workers.length === 2);
  const seen = new Set<string>();
  while (seen.size < 2) seen.add(await group.request("who", undefined, { repeatable: true }));
  assertEquals(group.stats.lost, 0);
});

await test("A group over NATS: a worker that is told to end finishes what it has, and nothing fails", async () => {
  const port = freePort();
  await using folder = await temporaryFolder();
  const file = `${folder.path}/go`;
  await using _broker = await startBroker(port);
  await using caller = await openCaller(port);
  await using ends = startWorker(port, "ends");
  const { group } = caller;
  const held = group.request("hold", file);
  await ends.until(`holds ${file}`);
  await using _stays = startWorker(port, "stays");
  await until(() => group.workers.length === 2);
  await ends.endInput();
  await until(() => group.workers.some(({ state }) => state === "leaving"));
  const names = await Promise.all(Array.from({ length: 20 }, () => group.request("who")));
  assertEquals(new Set(names), new Set(["stays"]));
  await Deno.writeTextFile(file, "");
  assertEquals(await held, "ends");
  await ends.until("closed");
  assertEquals(group.workers.length, 1);
});

await test("A group over NATS: the broker is away for longer than the leases; what was done is not done again", async () => {
  const port = freePort();
  await using folder = await temporaryFolder();
  const file = `${folder.path}/go`;
  const broker = await startBroker(port);
  await using caller = await openCaller(port);
  await using worker = startWorker(port, "only");
  const { group } = caller;
  const plain = group.request("hold", file);
  await worker.until(`holds ${file}`);
  const repeatable = group.request("hold", file, { repeatable: true });
  await worker.until(`holds ${file}`);
  await broker[Symbol.asyncDispose]();
  await Deno.writeTextFile(file, "");
  const error = await assertRejects(() => plain, RequestError);
  assertEquals(error.code, "worker-lost");
  await using _again = await startBroker(port);
  assertEquals(await repeatable, "only");
  // Had it been done again, that would have been said before this.
  const other = group.request("hold", `${folder.path}/other`);
  assertEquals((await worker.until("other")).trim(), `holds ${folder.path}/other`);
  await Deno.writeTextFile(`${folder.path}/other`, "");
  assertEquals(await other, "only");
});

await test("A group over NATS: strangers change nothing, and other clusters are not seen", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using caller = await openCaller(port);
  await using other = await openCaller(port, {}, "other");
  const stranger = await connectToNats({ servers: `127.0.0.1:${port}` });
  const seen = new Map<string, Uint8Array>();
  stranger.subscribe("lengthwise.lengthwise.channel.>", {
    callback: (_error, { subject, data }) => {
      seen.set(subject, data);
    },
  });
  await stranger.flush();
  await using _worker = startWorker(port, "one");
  const { group } = caller;
  for (let i = 0; i < 5; i++) assertEquals(await group.request("who"), "one");
  await until(() => seen.size >= 4);
  for (const [subject, envelope] of seen) {
    stranger.publish(subject, "hello");
    // In an envelope of ours, by another publisher, something that groups do not know.
    const forged = envelope.slice();
    forged[2] ^= 1;
    forged[forged.length - 1] ^= 0x80;
    stranger.publish(subject, forged);
  }
  await stranger.flush();
  await stranger.close();
  await until(() => group.stats.foreign > 0 && caller.backplane.stats.foreign > 0);
  for (let i = 0; i < 5; i++) assertEquals(await group.request("who"), "one");
  assertEquals([group.workers.length, other.group.workers.length], [1, 0]);
  assert(group.stats.lost === 0);
});
