/** Sessions in a cluster over a real NATS: servers that are killed, frozen and restarted, a broker that is away. */

import { assert, assertEquals, assertInstanceOf, assertLess, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import { connect, reconnect } from "../../client.ts";
import { type Cluster, joinCluster } from "../../cluster.ts";
import { ConnectionClosedError, SessionLostError } from "../../errors.ts";
import { text } from "../../format.ts";
import { nats, type NatsBackplane } from "../../nats.ts";
import { listen, type Server } from "../../server.ts";
import { type Session, SessionCode } from "../../session.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { Broker } from "./chat_cluster_world.ts";
import { engine, freePort, Program, RunningEngine, testWith } from "./engines/engine.ts";

const NATS = engine("NATS", { commands: ["nats-server"] });
const test = (name: string, body: () => Promise<void>) => testWith(NATS, name, body);

const PEER = new URL("peers/cluster_server.ts", import.meta.url).pathname;
const AT_ONCE = { session: { retry: () => 10 }, format: text() };

function startBroker(port: number, ...options: string[]): Promise<RunningEngine> {
  return RunningEngine.start(["nats-server", "-a", "127.0.0.1", "-p", `${port}`, ...options], {
    ready: "Server is ready",
    at: [`tcp://127.0.0.1:${port}`],
    endBy: "SIGKILL",
  });
}

/** A server of the cluster in a process of its own, which can be started again at the same port. */
class Process implements AsyncDisposable {
  #program: Program | undefined;
  #endpoint = "";

  private constructor(readonly broker: number) {}

  static async start(broker: number): Promise<Process> {
    const process = new Process(broker);
    await process.start();
    return process;
  }

  get endpoint(): string {
    return this.#endpoint;
  }

  get port(): number {
    return Number(new URL(this.#endpoint).port);
  }

  async start(): Promise<void> {
    const options = ["--no-check", "--quiet", "--allow-net"];
    // Not one that the system gives to connections, which may have it before the next start.
    const at = this.#endpoint === "" ? freePort() : this.port;
    const program = this.#program = new Program([
      Deno.execPath(),
      "run",
      ...options,
      PEER,
      `${this.broker}`,
      `${at}`,
    ]);
    await program.until("listening on ");
    this.#endpoint = (await program.until("\n")).trim();
  }

  signal(name: Deno.Signal): void {
    this.#program!.signal(name);
  }

  /** Asks it to go, waits until it has gone, and starts it again. */
  async restart(): Promise<void> {
    this.signal("SIGTERM");
    await this.#program!.ended;
    await this.#program![Symbol.asyncDispose]();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
  }
}

/** A server of the cluster in this process. */
class Here implements AsyncDisposable {
  private constructor(
    readonly backplane: NatsBackplane,
    readonly cluster: Cluster,
    readonly server: Server,
  ) {}

  static async start(broker: number): Promise<Here> {
    const backplane = await nats({ servers: `127.0.0.1:${broker}` });
    const cluster = joinCluster({ backplane });
    const server = await listen("tcp://127.0.0.1:0", { session: true, cluster }, async (one) => {
      for await (const message of one) await one.send(message);
    });
    return new Here(backplane, cluster, server);
  }

  get port(): number {
    return Number(new URL(this.server.endpoints[0]).port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.backplane.close();
  }
}

/** Sends numbers, and reads them back. */
async function echoes(session: Session<string>, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i++) session.send(`${i}`);
  for (let i = from; i < from + count; i++) assertEquals(await session.receive(), `${i}`);
}

function balancer(port: number): CuttingProxy {
  return new CuttingProxy({ port, seed: 1, cuts: 0, meanBytes: 1e12 });
}

await test("Session over NATS: its server is killed, the loss is told at once, and the next one is elsewhere", async () => {
  const broker = freePort();
  await using _broker = await startBroker(broker);
  await using one = await Process.start(broker);
  await using two = await Process.start(broker);
  const homes = [one, two];
  const list = homes.map(({ endpoint }) => endpoint);
  let killed: Process | undefined;
  for await (const session of reconnect(list, { ...AT_ONCE, retry: () => 10 })) {
    await echoes(session, 0, 100);
    await session.flush();
    if (killed !== undefined) {
      assert(session.endpoint !== killed.endpoint);
      break;
    }
    const home = killed = homes.find(({ endpoint }) => endpoint === session.endpoint)!;
    const startedAt = performance.now();
    home.signal("SIGSTOP"); // It cannot acknowledge what comes now.
    for (let i = 0; i < 10; i++) session.send(`late ${i}`);
    home.signal("SIGKILL");
    for await (const _ of session);
    const { error } = await session.closed;
    assertInstanceOf(error, SessionLostError);
    const late = error.unacknowledged.map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(late, Array.from({ length: 10 }, (_, i) => `late ${i}`));
    assertEquals(error.code, SessionCode.GONE);
    // It takes about 1.5 s, and would take 120 s without the cluster.
    assertLess(performance.now() - startedAt, 60_000);
  }
});

await test("Session over NATS is carried to its server, and goes on when the broker was away", async () => {
  const port = freePort();
  const broker = await startBroker(port);
  await using one = await Process.start(port);
  await using two = await Here.start(port);
  await using proxy = balancer(one.port);
  const session = await connect(`tcp://127.0.0.1:${proxy.port}`, AT_ONCE);
  await echoes(session, 0, 10);
  proxy.lead(two.port);
  proxy.cut();
  await echoes(session, 10, 1_000);
  assertEquals(two.cluster.stats.carriedAway, 1);
  session.send("x".repeat(1_000_000));
  assertEquals((await session.receive())?.length, 1_000_000);
  await broker[Symbol.asyncDispose]();
  const echoing = echoes(session, 2_000, 1_000);
  await using _again = await startBroker(port);
  await echoing;
  assertEquals((await session.close()).clean, true);
});

await test("Session over NATS outlives that its server is frozen: it has not gone", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using one = await Process.start(port);
  await using two = await Here.start(port);
  await using proxy = balancer(one.port);
  const session = await connect(`tcp://127.0.0.1:${proxy.port}`, AT_ONCE);
  await echoes(session, 0, 10);
  one.signal("SIGSTOP");
  proxy.lead(two.port);
  proxy.cut();
  session.send("10");
  // The other one has looked for it, and begun to carry.
  while (two.cluster.stats.carried === 0) await delay(5); // Nothing tells it.
  one.signal("SIGCONT");
  assertEquals(await session.receive(), "10");
  assertEquals(two.cluster.stats.gone, 0);
  assertEquals((await session.close()).clean, true);
});

await test("Sessions over NATS lose nothing in a rolling restart, and move at most once for each server", async () => {
  const broker = freePort();
  await using _broker = await startBroker(broker);
  const starting = Array.from({ length: 3 }, () => Process.start(broker));
  const servers = await Promise.all(starting);
  const list = servers.map(({ endpoint }) => endpoint);
  let restarts = 0;
  let state: "running" | "over" = "running";
  const client = async (): Promise<number> => {
    let next = 0;
    let answered = 0;
    let moves = -1;
    for await (const session of reconnect(list, { ...AT_ONCE, retry: () => 10 })) {
      moves++;
      const reading = (async () => {
        for await (const message of session) assertEquals(message, `${answered++}`);
      })();
      while (session.state === "open" && state === "running") {
        try {
          await session.send(`${next}`);
          next++;
          await session.flush();
        } catch (error) {
          assertInstanceOf(error, ConnectionClosedError); // It moves: the number is said again.
          break;
        }
      }
      if (state === "over") await session.closeWrite().catch(() => {});
      await reading;
      const { error } = await session.closed;
      assert(error === undefined || error instanceof ConnectionClosedError, String(error));
      if (state === "over") break;
    }
    assertEquals(answered, next);
    assert(next > 0);
    return moves;
  };
  const clients = Array.from({ length: 12 }, client);
  for (const server of servers) {
    await server.restart();
    restarts++;
  }
  state = "over";
  for (const moves of await Promise.all(clients)) assert(moves <= restarts, `${moves} moves`);
  for (const server of servers) await server[Symbol.asyncDispose]();
});

await test("client.ts ping --cluster tells which servers a cluster has, and how they are", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using one = await Process.start(port);
  await using two = await Here.start(port);
  const ping = ["ping", "--cluster", `nats://127.0.0.1:${port}`];
  await using _session = await connect(one.endpoint, AT_ONCE);
  const { code, stdout, stderr } = await runHere("client.ts", ping);
  assertEquals([code, stderr], [0, ""]);
  const [head, ...rows] = stdout.trimEnd().split("\n");
  assertMatch(head, /^server +version +connections +up +answered +endpoints$/);
  assertEquals(rows.pop(), "2 servers answered");
  const mine = rows.find((row) => row.startsWith(two.cluster.id))!;
  const other = rows.find((row) => row !== mine)!;
  assertMatch(mine, /^\w{10} +- +0 of 10000 +\d+ s +\d+\.\d ms +tcp:/);
  assertMatch(other, /^\w{10} +9\.8\.7 +1 of 10000 +\d+ s +\d+\.\d ms +tcp:/);
  assert(other.endsWith(one.endpoint), other);

  const json = await runHere("client.ts", [...ping, "--json", "--timeout", "500"]);
  const events = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.map(({ event }) => event), ["server", "server", "summary"]);
  assertEquals(events.find(({ id }) => id === two.cluster.id).connections, 0);
  const stranger = await runHere("client.ts", [...ping, "--cluster-name", "another"]);
  assertEquals([stranger.code, stranger.stdout], [1, "0 servers answered\n"]);
  for (
    const [args, message] of [
      [[`:${port}`, ...ping], /ping --cluster asks the broker that it names, and not ":\d+"/],
      [["ping", "--cluster", "nats://user@host"], /write a broker as nats:\/\/HOST:PORT/],
    ] as const
  ) {
    const { code, stderr } = await runHere("client.ts", args);
    assertMatch(stderr, message);
    assertEquals(code, 2);
  }
  const locked = freePort();
  await using _locked = await startBroker(locked, "--auth", "secret");
  for (const program of ["client.ts", "server.ts"]) {
    const args = program === "client.ts" ? ["ping"] : ["127.0.0.1:0"];
    const refused = await runHere(program, [...args, "--cluster", `nats://127.0.0.1:${locked}`]);
    assertMatch(refused.stderr, /^error: .*wants a token.*; --cluster-token-file FILE names .*\n$/);
    assertEquals(refused.code, 1);
  }
});

await test("server.ts --cluster --session: who comes back to another server goes on at its own", async () => {
  await using broker = await Broker.start();
  const cluster = `nats://${broker.address}`;
  const start = () => ServerHere.start(["127.0.0.1:0", "--session", "--cluster", cluster]);
  const servers = [await start(), await start()];
  const [one, two] = servers;
  await using proxy = balancer(one.port());
  const session = await connect(`tcp://127.0.0.1:${proxy.port}`, AT_ONCE);
  const until = async (wanted: string) => {
    for await (const line of session) if (line === wanted) return;
  };
  session.send("at home");
  await until("guest-1: at home");
  proxy.lead(two.port());
  proxy.cut();
  session.send("carried");
  await until("guest-1: carried");
  assertEquals(session.stats.resumes, 1);
  const { code, stdout } = await runHere("client.ts", ["ping", "--cluster", cluster]);
  assertEquals(code, 0);
  assertMatch(stdout, /^2 servers answered$/m);
  await session.close();
  for (const server of servers) assertEquals(await server.stop(), 0);
});
