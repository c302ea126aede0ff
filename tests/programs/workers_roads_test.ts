/** `server.ts --workers` together with what else a server is started with. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, join } from "node:path";
import { connect, type Connection, text } from "../../mod.ts";
import { eventsIn } from "../support/events.ts";
import { run, RunningServer } from "../support/program.ts";
import {
  assertOneChat,
  type Event,
  FLAGS,
  GRACE,
  guestsOfBoth,
  ignore,
} from "../support/workers.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lengthwise-workers-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "server.ts --workers 2: tcp:, ws: and wss: are one chat, and each thread has the page",
  ignore,
  async fn() {
    const endpoints = ["tcp://127.0.0.1:0", "ws://127.0.0.1:0/chat", "wss://127.0.0.1:0"];
    const others = ["--page-servers", "wss://b.example/chat", "--origin", "https://b.example"];
    const args = [...endpoints, "--workers", "2", ...GRACE, "--tls-self-signed", ...others];
    await using server = await RunningServer.start(args, { count: 3, flags: FLAGS });
    const line = await server.logLine(/--fingerprint/);
    const [, fingerprint] = /--fingerprint (\S+)/.exec(line)!;
    const [tcp, ws, wss] = server.endpoints;

    const address = ws.replace("ws:", "http:");
    for (let n = 0; n < 20; n++) {
      const response = await fetch(address, { headers: { connection: "close" } });
      assertEquals(response.status, 200);
      const policy = response.headers.get("content-security-policy")!;
      assertStringIncludes(policy, "wss://b.example");
      assertStringIncludes(await response.text(), "wss://b.example/chat");
    }

    await using stack = new AsyncDisposableStack();
    const roads = [
      await guestsOfBoth(tcp, stack),
      await guestsOfBoth(ws, stack),
      await guestsOfBoth(wss, stack, { tls: { fingerprint } }),
    ];
    // Newcomers after them hear nothing of what is said to others before.
    await assertOneChat(
      roads.map(([first]) => first).concat(roads.map((guests) => guests.at(-1)!)),
    );
    assertEquals(new Set(roads.flat().map(({ name }) => name)).size, roads.flat().length);
    assertEquals(await server.stop("SIGTERM"), 0);
  },
});

Deno.test({
  name: "server.ts --workers 2 --session over ws: and wss: keeps what is said, whatever the thread",
  ignore,
  async fn() {
    const endpoints = ["ws://127.0.0.1:0", "wss://127.0.0.1:0"];
    const options = ["--workers", "2", "--service", "echo", "--session", "--tls-self-signed"];
    await using server = await RunningServer.start([...endpoints, ...options], {
      count: 2,
      flags: FLAGS,
    });
    const [, fingerprint] = /--fingerprint (\S+)/.exec(await server.logLine(/--fingerprint/))!;
    for (const endpoint of server.endpoints) {
      const sessions: Connection<string>[] = [];
      for (let n = 0; n < 6; n++) {
        const tls = endpoint.startsWith("wss:") ? { tls: { fingerprint } } : {};
        sessions.push(await connect(endpoint, { format: text(), session: true, ...tls }));
      }
      for (const session of sessions) {
        await session.send("hello");
        assertEquals(await session.receive(), "hello");
        await session.close();
      }
    }
    assertEquals(await server.stop("SIGTERM"), 0);
  },
});

Deno.test({
  name: "server.ts --workers in the file of --config, with --log-file, secrets and --metrics",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const [config, log, token] = ["server.json", "server.log", "token"].map((name) =>
        join(folder, name)
      );
      await Deno.writeTextFile(token, "open sesame\n");
      await Deno.writeTextFile(
        config,
        JSON.stringify({
          endpoints: ["tcp://127.0.0.1:0?framing=line", "ws://127.0.0.1:0"],
          workers: 2,
          grace: 200,
          json: true,
          metrics: "127.0.0.1:0",
          "log-file": log,
          "token-file": token,
          limit: { "chat.burst": 1000, maxConnections: 100 },
        }),
      );
      const flags = [...FLAGS, `--allow-read=${folder}`, `--allow-write=${folder}`];
      await using server = await RunningServer.start(["--config", config], { count: 2, flags });
      const [{ url }] = await eventsUntil(log, "metrics");
      await using stack = new AsyncDisposableStack();
      const guests: Connection<string>[] = [];
      for (const endpoint of server.endpoints) {
        for (let n = 0; n < 10; n++) {
          const guest = stack.use(await connect(endpoint, { format: text() }));
          await guest.send("open sesame");
          assertMatch((await guest.receive())!, /^\* Welcome, guest-/);
          guests.push(guest);
        }
      }
      const metrics = await (await fetch(`${url}`)).text();
      assertMatch(metrics, /^lengthwise_connections 20$/m);
      assertEquals((await eventsUntil(log, "workers"))[0].workers, 2);
      const connected = await eventsUntil(log, "connected", 20);
      assertEquals(new Set(connected.map(({ worker }) => worker)), new Set([1, 2]));
      assertEquals(new Set(connected.map(({ id }) => id)).size, 20);

      // As logrotate does it.
      await Deno.rename(log, `${log}.1`);
      server.kill("SIGHUP");
      await eventsUntil(log, "reopened");
      const late = stack.use(await connect(server.endpoints[0], { format: text() }));
      await late.send("open sesame");
      assertMatch((await late.receive())!, /^\* Welcome, guest-/);
      await eventsUntil(log, "connected");
      assertEquals(await server.stop("SIGTERM"), 0);
      assertEquals(eventsOf(log, "closed").length, 21);

      const check = await run("server.ts", ["--config", config, "--check"], { flags });
      assertEquals([check.code, check.stderr], [0, ""]);
      assertEquals(
        eventsIn(check.stdout).find(({ wanted }) => wanted !== undefined)?.workers,
        2,
      );
    }),
});

Deno.test({
  name: "server.ts --workers 2 --service print: each line of the output is whole",
  ignore,
  async fn() {
    const options = ["--workers", "2", ...GRACE, "--service", "print", "--json", "--hold-back"];
    await using server = await RunningServer.start([":0", ...options, "--log-level", "error"], {
      flags: FLAGS,
    });
    const senders = Array.from({ length: 8 }, (_, n) => `${n}`);
    const texts = senders.map((name) => name.repeat(50_000));
    const sending = Promise.all(senders.map(async (_, n) => {
      const sender = await connect(server.endpoints[0]);
      for (let m = 0; m < 5; m++) await sender.send(texts[n]);
      await sender.close();
    }));
    const counts = new Map<string, number>();
    for (let n = 0; n < 40;) {
      const event: Event = JSON.parse(await server.nextLine());
      if (event.event !== "message") continue;
      const text = event.text as string;
      assert(texts.includes(text), text.slice(0, 100));
      counts.set(text, (counts.get(text) ?? 0) + 1);
      n++;
    }
    await sending;
    assertEquals([...counts.values()], senders.map(() => 5));
    assertEquals(await server.stop("SIGTERM"), 0);
  },
});

/** The events of a log file that are of this kind, as soon as there are so many. */
async function eventsUntil(log: string, name: string, count = 1): Promise<Event[]> {
  using watcher = Deno.watchFs(dirname(log));
  let events = eventsOf(log, name);
  if (events.length >= count) return events;
  for await (const _ of watcher) {
    events = eventsOf(log, name);
    if (events.length >= count) break;
  }
  return events;
}

/** Those in lines that are written to their end. */
function eventsOf(log: string, name: string): Event[] {
  let text = "";
  try {
    text = Deno.readTextFileSync(log);
  } catch {
    // It is not there yet.
  }
  const lines = text.slice(0, text.lastIndexOf("\n") + 1);
  return lines === "" ? [] : eventsIn(lines).filter(({ event }) => event === name);
}
