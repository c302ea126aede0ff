/** One chat on several cores: servers of a cluster that share one port. */

import { assertEquals } from "@std/assert";
import { connect, type Connection, text } from "../../mod.ts";
import { RunningServer } from "../support/program.ts";
import { Broker, NATS } from "./chat_cluster_world.ts";
import { testWith } from "./engines/engine.ts";

const SHARES = { flags: ["--allow-net", "--unstable-net"] };

/** Reads until a line fits. */
async function until(peer: Connection<string>, fits: (line: string) => boolean): Promise<string> {
  for await (const line of peer) if (fits(line)) return line;
  throw new Error("the connection ended before the line came");
}

await testWith(
  NATS,
  "Two servers at one port are one chat, and one is left when the other is killed",
  async () => {
    await using broker = await Broker.start();
    const options = ["--cluster", `nats://${broker.address}`, "--reuse-port"];
    await using one = await RunningServer.start([":0", ...options], SHARES);
    const port = one.port();
    await using two = await RunningServer.start([`:${port}`, ...options], SHARES);
    const servers = [one, two];
    // Each server tells who comes to it: there are people until both have some.
    const counts = servers.map(() => 0);
    for (const [i, server] of servers.entries()) {
      (async () => {
        for (;;) {
          await server.logLine(/ connected$/);
          counts[i]++;
        }
      })().catch(() => {}); // It has ended.
    }
    await using stack = new AsyncDisposableStack();
    const people: Connection<string>[] = [];
    const names = new Set<string>();
    while (people.length < 4 || counts.includes(0)) {
      const peer = await connect(`tcp://127.0.0.1:${port}`, { format: text() });
      stack.defer(() => peer.abort());
      people.push(peer);
      const welcome = await until(peer, (line) => line.startsWith("* Welcome, "));
      names.add(/Welcome, ([\w-]+)/.exec(welcome)![1]);
    }
    assertEquals(names.size, people.length);
    await people[0].send("hello, everybody");
    const heard = people.map((peer) => until(peer, (line) => line.endsWith(": hello, everybody")));
    assertEquals(new Set(await Promise.all(heard)).size, 1);

    one.kill("SIGKILL");
    await one.ended();
    const late = await connect(`tcp://127.0.0.1:${port}`, { format: text() });
    stack.defer(() => late.abort());
    await until(late, (line) => line.startsWith("* Welcome, "));
    await late.send("who is left");
    await until(late, (line) => line.endsWith(": who is left"));
  },
);
