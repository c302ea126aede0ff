/** When the members of a server that died leave a chat of many servers: by the beats, without a broker. */

import { assertEquals } from "@std/assert";
import type { ChatCluster, ChatParts } from "../../chat/engine/order.ts";
import { numberedHistory } from "../../chat/history/memory.ts";
import { Site } from "../../chat/cluster/site.ts";
import type { LogEntry, LogOwner, SharedLog } from "../../chat/cluster/shared_log.ts";
import { TestChat } from "../support/chat.ts";

/** How often a server of `chatCluster()` tells that it is there, if nothing else is said. */
const BEAT_INTERVAL = 1_000;
/** What happens at one time is done before the next one, this much later, in milliseconds. */
const STEP = 100;

interface Timer {
  readonly callback: () => void;
  readonly interval: number;
  at: number;
}

/** A log in memory, and one clock for all servers. */
class World {
  now = 0;
  readonly #entries: LogEntry[] = [];
  readonly #owners = new Map<string, LogOwner>();
  readonly #timers = new Map<string, Set<Timer>>();

  /** A server that everything reaches at once, until it dies. */
  server(name: string): Server {
    return new Server(name, this);
  }

  /** What a dead server does is seen by nobody, and it sees nothing. */
  die(name: string): void {
    this.#owners.delete(name);
    this.#timers.delete(name);
  }

  every(name: string, callback: () => void, interval: number): () => void {
    const timer = { callback, interval, at: this.now + interval };
    const timers = this.#timers.get(name) ?? new Set();
    this.#timers.set(name, timers.add(timer));
    return () => timers.delete(timer);
  }

  logOf(name: string): SharedLog {
    const tell = (what: (owner: LogOwner) => void) => {
      if (this.#owners.has(name)) { for (const owner of this.#owners.values()) what(owner); }
    };
    return {
      isConnected: true,
      isRefused: false,
      problem: undefined,
      append: (_id, bytes) => {
        const entry = { seq: this.#entries.length + 1, time: this.now, bytes };
        this.#entries.push(entry);
        queueMicrotask(() => tell((owner) => owner.entry(entry)));
        return Promise.resolve();
      },
      read: (after, owner) => {
        this.#owners.set(name, owner);
        queueMicrotask(() => this.#entries.slice(after).forEach((entry) => owner.entry(entry)));
      },
      beat: (bytes) => tell((owner) => owner.beat(bytes)),
    };
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end;) {
      this.now += STEP;
      for (const timer of [...this.#timers.values()].flatMap((timers) => [...timers])) {
        if (timer.at > this.now) continue;
        timer.at += timer.interval;
        timer.callback();
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}

/** One server of the chat. */
class Server implements ChatCluster, AsyncDisposable {
  readonly history = numberedHistory();
  readonly chat: TestChat;
  #site: Site | undefined;

  constructor(readonly name: string, readonly world: World) {
    this.chat = new TestChat({ cluster: this });
  }

  get ready(): Promise<void> {
    return this.#site!.ready;
  }

  /** The names at all servers, as this one knows them. */
  get names(): readonly string[] {
    return this.chat.chat.names;
  }

  attach(parts: ChatParts): Site {
    const { name, world, history } = this;
    return this.#site = new Site(parts, { at: 0, target: 0, snapshot: undefined }, {
      log: world.logOf(name),
      history,
      server: name,
      version: "",
      maxWaitingBytes: 1024 * 1024,
      beatInterval: BEAT_INTERVAL,
      entriesPerState: Infinity,
      endpoints: () => [],
      onEvent: () => {},
      every: (callback, interval) => world.every(name, callback, interval),
      summaryOf: () => "",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#site!.close(0);
    await this.chat[Symbol.asyncDispose]();
  }
}

Deno.test("Chat cluster: members of a server that dies leave within 10 s, and those of others stay", async () => {
  const left: number[] = [];
  // Whatever the time between the beats of the servers, and between a beat and the death.
  for (let phase = 0; phase < BEAT_INTERVAL; phase += 300) {
    for (let death = 0; death < BEAT_INTERVAL; death += 300) {
      const world = new World();
      await using one = world.server("one");
      await one.ready;
      await world.pass(phase);
      await using two = world.server("two");
      await two.ready;
      await one.chat.join("Ada");
      await two.chat.join("Bob");
      await world.pass(2_000 + death);
      assertEquals([one.names, two.names], [["Ada", "Bob"], ["Ada", "Bob"]]);

      world.die("two");
      const start = world.now;
      await world.pass(5_000);
      assertEquals(one.names, ["Ada", "Bob"], "a server may be silent for a while");
      while (one.names.includes("Bob") && world.now < start + 20_000) await world.pass(STEP);
      left.push(world.now - start);
      assertEquals(one.names, ["Ada"]);
    }
  }
  assertEquals(left.filter((time) => time > 7_000), [], "seven beats of one's own, and no more");
});
