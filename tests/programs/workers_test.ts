/** `server.ts --workers`: one server with several threads at its ports. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { backoff, connect, type Connection, text } from "../../mod.ts";
import { fingerprintOf } from "../../transport/tls.ts";
import { issue } from "../support/certificates.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { runHere } from "../support/in_process.ts";
import { run, RunningServer } from "../support/program.ts";
import { type Event, FLAGS, GRACE, Guest, guestsOfBoth, ignore } from "../support/workers.ts";

const isSaid = ({ type }: Event) => type === "say";

Deno.test({
  name: "server.ts --workers 2: one chat, with one order and each name once, whatever the thread",
  ignore,
  async fn() {
    const options = ["--workers", "2", ...GRACE, "--json", "--operator-token", "secret-token"];
    await using server = await RunningServer.start([":0", ...options], { flags: FLAGS });
    await using stack = new AsyncDisposableStack();
    const guests = await guestsOfBoth(server.endpoints[0], stack);
    const [first] = guests;
    const other = guests.find(({ thread }) => thread !== first.thread)!;

    for (const guest of guests) await guest.say(`I am ${guest.name}`);
    const orders = await Promise.all(guests.map(async (guest) => {
      const said: string[] = [];
      while (said.length < guests.length) {
        const { id, name, text } = await guest.next(isSaid);
        said.push(`${id} ${name} ${text}`);
      }
      return said;
    }));
    for (const order of orders) assertEquals(order, orders[0]);
    assertEquals(new Set(orders[0]).size, guests.length);

    await first.say("/who");
    const { members } = await first.next(({ type, members }) =>
      type === "who" && (members as unknown[]).length === guests.length
    );
    const names = (members as { name: string }[]).map(({ name }) => name);
    assertEquals(names.toSorted(), guests.map(({ name }) => name).toSorted());

    await Promise.all([first.say("/nick Ada"), other.say("/nick ada")]);
    const answers = await Promise.all(
      [first, other].map((guest) =>
        guest.next(({ type, code, to }) => {
          return code === "name-taken" || type === "nick" && `${to}`.toLowerCase() === "ada";
        })
      ),
    );
    // Each hears of the change of the one who got it; only one hears before that it was taken.
    const winner = answers.map(({ to }) => to).find((to) => to !== undefined);
    assertMatch(`${winner}`, /^ada$/i);
    const [holder, loser] = winner === "Ada" ? [first, other] : [other, first];
    await loser.say("/nick ADA");
    await loser.next(({ code }) => code === "name-taken");

    await loser.say(`/msg ${winner} psst`);
    assertEquals((await holder.next(({ type }) => type === "tell")).text, "psst");

    await loser.say("/operator secret-token");
    await loser.next(({ code }) => code === "operator");
    await loser.say(`/kick ${winner} enough`);
    assertEquals((await holder.next(({ code }) => code === "kicked")).by, loser.name);
    assertEquals(await holder.find(() => false), undefined);

    assertEquals(await server.stop("SIGTERM"), 0);
  },
});

Deno.test({
  name:
    "server.ts --workers 2 --json: connections have numbers of their own, and limits hold for both",
  ignore,
  async fn() {
    // So many that the system does not give all of them to one thread, in the life of this test.
    const most = 40;
    const limit = ["--max-connections", `${most}`];
    const options = ["--workers", "2", ...GRACE, "--service", "echo", "--json", ...limit];
    const metrics = ["--metrics", "127.0.0.1:0"];
    await using server = await RunningServer.start([":0", ...options, ...metrics], {
      flags: FLAGS,
    });
    const events: Event[] = [];
    const next = async (name: string): Promise<Event> => {
      for (;;) {
        const event: Event = JSON.parse(await server.nextLine());
        events.push(event);
        if (event.event === name) return event;
      }
    };
    const { url } = await next("metrics");
    await using stack = new AsyncDisposableStack();
    const echoed = async () => {
      const connection = stack.use(await connect(server.endpoints[0]));
      connection.send("hello").catch(() => {});
      // One that is turned away may be reset.
      return await connection.receive().then((got) => got !== undefined, () => false);
    };
    let count = 0;
    while (await echoed()) count++;
    assertEquals(count, most);
    for (let n = 0; n < 20; n++) assertEquals(await echoed(), false);
    for (let n = 0; n < 21; n++) assertEquals((await next("refused")).reason, "maxConnections");

    const text = await (await fetch(`${url}`)).text();
    for (
      const line of [
        `lengthwise_connections ${most}`,
        `lengthwise_connections_accepted_total ${most}`,
        `lengthwise_messages_total{direction="out"} ${most}`,
        'lengthwise_connections_refused_total{reason="maxConnections"} 21',
      ]
    ) assertStringIncludes(text, `\n${line}\n`);

    const connected = events.filter(({ event }) => event === "connected");
    assertEquals(new Set(connected.map(({ id }) => id)).size, most);
    assertEquals(new Set(connected.map(({ worker }) => worker)), new Set([1, 2]));

    server.kill("SIGTERM");
    assertEquals((await next("closing")).connections, most);
    for (let n = 0; n < most; n++) assertEquals((await next("closed")).messagesReceived, 1);
    assertEquals(await server.ended(), 0);
  },
});

Deno.test({
  name:
    "server.ts --workers 2: a worker that fails is told of and started again, and the chat goes on",
  ignore,
  async fn() {
    const flags = [...FLAGS, "--allow-env"];
    const script = "tests/support/crashing_server.ts";
    const options = ["--workers", "2", ...GRACE];
    await using server = await RunningServer.start([":0", ...options], { flags, script });
    const [endpoint] = server.endpoints;
    await using stack = new AsyncDisposableStack();
    const guests = await guestsOfBoth(endpoint, stack);
    for (const guest of guests) await guest.say(`I am ${guest.name}`);
    for (const guest of guests) for (const _ of guests) await guest.next(isSaid);

    server.kill("SIGUSR2");
    const threads = [...new Set(guests.map(({ thread }) => thread))];
    // The members of one thread see the end; those of the other one see that they left.
    const ends = threads.map((thread) => {
      const [guest] = guests.filter((one) => one.thread === thread);
      return guest.find(({ type }) => type === "leave").then((event) => ({ thread, event }));
    });
    const results = await Promise.all(ends);
    const dead = results.find(({ event }) => event === undefined)!.thread;
    const survivors = guests.filter(({ thread }) => thread !== dead);
    assertNotEquals(results.find(({ thread }) => thread !== dead)!.event, undefined);
    const lost = guests.length - survivors.length;
    const line = await server.logLine(/worker 1 has ended/);
    assertMatch(
      line,
      new RegExp(`error worker 1 has ended: .*nonsense.*; it had ${lost} connections`),
    );
    await server.logLine(/worker 1 serves again/);

    const [survivor] = survivors;
    // The new thread has newcomers, and they see what was said before it started.
    let newcomer = stack.use(await Guest.join(endpoint));
    while (newcomer.thread === survivor.thread) newcomer = stack.use(await Guest.join(endpoint));
    assert(!threads.includes(newcomer.thread));
    const { messages } = await newcomer.next(({ type }) => type === "history");
    const texts = (messages as { text: string }[]).map(({ text }) => text);
    assert(texts.includes(`I am ${survivor.name}`), texts.join());
    await newcomer.say("I am new");
    await survivor.next(({ text }) => text === "I am new");
    await survivor.say("Welcome");
    await newcomer.next(({ text }) => text === "Welcome");
    assertEquals(await server.stop("SIGTERM"), 0);
  },
});

Deno.test({
  name: "server.ts --workers 2 --drain: all go on talking until it closes, and it is not ready",
  ignore,
  async fn() {
    const options = ["--workers", "2", "--drain", "60000", "--metrics", "127.0.0.1:0"];
    await using server = await RunningServer.start([":0", ...options], { flags: FLAGS });
    const [, url] = /metrics at (.*)\/metrics/.exec(await server.logLine(/metrics at/))!;
    await using stack = new AsyncDisposableStack();
    const guests = await guestsOfBoth(server.endpoints[0], stack);
    assertEquals(await (await fetch(`${url}/ready`)).text(), "ready\n");
    server.kill("SIGTERM");
    await server.logLine(/SIGTERM: not ready any more/);
    const response = await fetch(`${url}/ready`);
    assertEquals([response.status, await response.text()], [503, "draining\n"]);
    await guests[0].say("still here");
    for (const guest of guests) await guest.next(({ text }) => text === "still here");
    server.kill("SIGTERM"); // A second one ends it at once.
    assertEquals(await server.ended(), 130);
    for (const guest of guests) assertEquals(await guest.find(() => false), undefined);
  },
});

Deno.test({
  name: "server.ts --workers 2 --service broker: what one peer sends goes to those of both threads",
  ignore,
  async fn() {
    const options = ["--workers", "2", ...GRACE, "--service", "broker", "--json"];
    await using server = await RunningServer.start([":0", ...options], { flags: FLAGS });
    await using stack = new AsyncDisposableStack();
    const peers: Connection<string>[] = [];
    const workers = new Set<unknown>();
    while (workers.size < 2) {
      peers.push(stack.use(await connect(server.endpoints[0], { format: text() })));
      for (let event: Event = {}; event.event !== "connected";) {
        event = JSON.parse(await server.nextLine());
        if (event.event === "connected") workers.add(event.worker);
      }
    }
    for (const peer of peers) {
      for (let n = 0; n < 100; n++) peer.send(`${n}`);
      for (const other of peers) {
        if (other === peer) continue;
        for (let n = 0; n < 100; n++) assertEquals(await other.receive(), `${n}`);
      }
    }
    assertEquals(await server.stop("SIGTERM"), 0);
  },
});

Deno.test({
  name: "server.ts --workers 3 --session: a client that comes back to another thread loses nothing",
  ignore,
  async fn() {
    const options = ["--workers", "3", "--service", "echo", "--session"];
    await using server = await RunningServer.start([":0", ...options], { flags: FLAGS });
    await using proxy = new CuttingProxy({
      port: server.port(),
      seed: 1,
      cuts: 20,
      meanBytes: 2_000,
    });
    await using session = await connect(`tcp://127.0.0.1:${proxy.port}`, {
      session: { retry: backoff({ minDelay: 1, maxDelay: 10 }) },
      format: text(),
    });
    for (let n = 0; n < 500 || proxy.cuts < 20; n++) {
      await session.send(`message ${n}`);
      assertEquals(await session.receive(), `message ${n}`);
    }
    assertEquals(proxy.cuts, 20);
    await session.close();
    assertEquals(await server.stop("SIGTERM"), 0);
  },
});

Deno.test({
  name: "server.ts --workers 2: all threads show certificates that were replaced",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const [cert, key] = [`${folder}/cert.pem`, `${folder}/key.pem`];
    const write = async (name: string) => {
      const pair = await issue(name);
      await Deno.writeTextFile(cert, pair.cert);
      await Deno.writeTextFile(key, pair.key);
      return fingerprintOf(pair.cert);
    };
    try {
      const before = await write("before");
      const options = ["--workers", "2", "--service", "echo", "--cert", cert, "--key", key];
      await using server = await RunningServer.start(["tls://127.0.0.1:0", ...options], {
        flags: [...FLAGS, `--allow-read=${folder}`],
      });
      const shows = async (fingerprint: string) => {
        try {
          await using _ = await connect(server.endpoints[0], { tls: { fingerprint } });
          return true;
        } catch {
          return false;
        }
      };
      for (let n = 0; n < 10; n++) assertEquals(await shows(before), true);
      const after = await write("after");
      server.kill("SIGHUP");
      await server.logLine(/new certificates are in use/);
      for (let n = 0; n < 20; n++) assertEquals(await shows(after), true);
      await Deno.writeTextFile(cert, "nothing");
      server.kill("SIGHUP");
      await server.logLine(/the old certificates stay/);
      for (let n = 0; n < 10; n++) assertEquals(await shows(after), true);
      assertEquals(await server.stop("SIGTERM"), 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "server.ts --workers: a port that another server has is refused, although threads share it",
  ignore,
  async fn() {
    const options = ["--workers", "2", "--service", "echo"];
    await using server = await RunningServer.start([":0", ...options], { flags: FLAGS });
    const result = await run("server.ts", [`:${server.port()}`, ...options], { flags: FLAGS });
    assertEquals(result.code, 1);
    assertMatch(result.stderr, /Cannot listen on tcp:\/\/127\.0\.0\.1:\d+: .*in use/);
    assertEquals(await server.stop("SIGTERM"), 0);
  },
});

Deno.test("server.ts --workers names the flags that are missing, and works on one core", async () => {
  const cases: [string[], RegExp][] = [
    [
      ["--allow-net"],
      /warn --workers 2 needs --unstable-net and --allow-read=\S+: working on one core/,
    ],
    [["--allow-net", "--unstable-net"], /warn --workers 2 needs --allow-read=\S+: working/],
    [["--allow-net", "--allow-read"], /warn --workers 2 needs --unstable-net: working on one core/],
  ];
  for (const [flags, line] of cases) {
    const options = ["--workers", "2", "--service", "echo"];
    await using server = await RunningServer.start([":0", ...options], { flags });
    await server.logLine(line);
    await using connection = await connect(server.endpoints[0], { format: text() });
    await connection.send("hello");
    assertEquals(await connection.receive(), "hello");
    await connection.close();
    assertEquals(await server.stop("SIGTERM"), 0);
  }
});

Deno.test("server.ts --workers refuses wrong numbers, and what is of one core", async () => {
  const cases: [string[], RegExp][] = [
    [["--workers", "0"], /--workers 0: it must be a whole number from 1 to 64/],
    [["--workers", "65"], /--workers 65: it must be a whole number from 1 to 64/],
    [["--workers", "two"], /--workers two: it must be a whole number/],
    [
      ["--workers", "2", "--service", "files", "--dir", "."],
      /--workers is not for the service files/,
    ],
    [["--workers", "2", "--history", "chat.db"], /--history and --workers/],
    [
      ["unix:/tmp/socket", "--workers", "2"],
      /--workers is for ports of TCP, and "unix:\/tmp\/socket"/,
    ],
    [["udp://:0", "--workers", "2"], /--workers is for ports of TCP, and "udp:\/\/:0"/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runHere("server.ts", args);
    assertEquals([code, message.test(stderr)], [2, true], stderr);
  }
});

Deno.test("server.ts --check tells whether there can be workers", async () => {
  const args = [":0", "--check", "--workers", "2"];
  const one = await run("server.ts", args);
  assertMatch(
    one.stdout,
    /^--workers 2 needs --unstable-net and --allow-read=\S+: working on one/m,
  );
  const two = await run("server.ts", args, { flags: FLAGS });
  assertMatch(two.stdout, /^2 workers share the ports$/m);
  assertEquals([one.code, two.code], [0, 0]);
});
