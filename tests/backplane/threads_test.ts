/** Hubs of several threads as one. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { isText, markText } from "../../connection.ts";
import { type BackplanePort, Switchboard, throughPort } from "../../backplane.ts";
import type { Order } from "./hub_worker.ts";

/** A worker with a hub. */
class HubThread implements Disposable {
  readonly remove: () => void;
  readonly #worker = new Worker(new URL("./hub_worker.ts", import.meta.url), { type: "module" });
  readonly #told: string[] = [];
  #change = Promise.withResolvers<void>();

  private constructor({ port, remove }: ReturnType<Switchboard["add"]>) {
    this.remove = remove;
    this.#worker.onmessage = ({ data }) => {
      this.#told.push(data);
      this.#change.resolve();
      this.#change = Promise.withResolvers();
    };
    this.#worker.postMessage({ do: "open", port } satisfies Order, [port]);
  }

  static async start(board: Switchboard): Promise<HubThread> {
    const thread = new HubThread(board.add());
    assertEquals(await thread.next(), "done");
    return thread;
  }

  order(order: Order): void {
    this.#worker.postMessage(order);
  }

  /** The next that it tells. */
  async next(): Promise<string> {
    while (this.#told.length === 0) await this.#change.promise;
    return this.#told.shift()!;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** What a hub gets, without a hub. */
function listener() {
  const got: unknown[] = [];
  let change = Promise.withResolvers<void>();
  const tell = (what: unknown) => {
    got.push(what);
    change.resolve();
    change = Promise.withResolvers();
  };
  const port: BackplanePort = {
    deliver: (room, message) => tell([room, new TextDecoder().decode(message), isText(message)]),
    failed: (error) => tell(String(error)),
  };
  return {
    port,
    got,
    tell,
    async next(): Promise<unknown> {
      while (got.length === 0) await change.promise;
      return got.shift();
    },
  };
}

/** Waits until the switchboard knows of so many subscriptions. */
async function subscribed(board: Switchboard, count: number): Promise<void> {
  while (board.stats.subscriptions < count) await new Promise((resolve) => setTimeout(resolve));
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("hubs of two threads are one: what one broadcasts, members at the other get, in order", async () => {
  using board = new Switchboard();
  using one = await HubThread.start(board);
  using two = await HubThread.start(board);
  two.order({ do: "join", room: "news" });
  assertEquals(await two.next(), "done");
  one.order({ do: "join", room: "news" });
  assertEquals(await one.next(), "done");
  await subscribed(board, 2);
  for (let n = 0; n < 1000; n++) one.order({ do: "broadcast", room: "news", message: `${n}` });
  for (const thread of [one, two]) {
    for (let n = 0; n < 1000; n++) assertEquals(await thread.next(), `${n}`);
  }
  assertEquals(board.stats, { threads: 2, subscriptions: 2, dropped: 0 });
});

Deno.test("a thread that does not take its messages loses those above the limit, and is told", async () => {
  using board = new Switchboard({ maxWaitingBytes: 100_000 });
  using one = await HubThread.start(board);
  using busy = await HubThread.start(board);
  using other = await HubThread.start(board);
  for (const thread of [busy, other]) {
    thread.order({ do: "join", room: "news" });
    assertEquals(await thread.next(), "done");
  }
  await subscribed(board, 2);
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const wake = () => {
    Atomics.store(cell, 0, 1);
    Atomics.notify(cell, 0);
  };
  using _ = { [Symbol.dispose]: wake };
  busy.order({ do: "sleep", cell });
  assertEquals(await busy.next(), "asleep");
  const message = "x".repeat(1000);
  for (let n = 0; n < 300; n++) {
    one.order({ do: "broadcast", room: "news", message });
    assertEquals(await other.next(), message); // So that it is never too much for this one.
  }
  let { dropped } = board.stats;
  assert(dropped > 100 && dropped < 300, `${dropped}`);
  wake();
  assertEquals(await busy.next(), "done");
  for (let n = 0; n < 300 - dropped; n++) assertEquals(await busy.next(), message);
  // As soon as it has taken what waited, it gets another one.
  for (let before = -1; before !== dropped;) {
    before = board.stats.dropped;
    one.order({ do: "broadcast", room: "news", message: "again" });
    assertEquals(await other.next(), "again");
    dropped = board.stats.dropped;
  }
  let next = await busy.next();
  while (next === message) next = await busy.next();
  assertMatch(
    next,
    /^BackplaneError: Cannot receive all of other threads: \d+ messages were dropped/,
  );
  assertEquals(await busy.next(), "again");
});

Deno.test("what is published does not come back, keeps its mark as text, and ends with the subscription", async () => {
  using board = new Switchboard();
  const [one, two] = [listener(), listener()];
  using near = throughPort(board.add().port);
  using far = throughPort(board.add().port);
  const [first, second] = [near.attach(one.port), far.attach(two.port)];
  first.subscribe("a");
  second.subscribe("a");
  assertEquals(await first.channels!.isHeard!("none"), false); // The switchboard has all before it.
  assertEquals(await second.channels!.isHeard!("none"), false);
  const text = markText(bytes("xtext").subarray(1));
  first.publish("a", () => text);
  first.publish("b", () => bytes("nobody"));
  second.publish("a", () => bytes("bytes"));
  assertEquals(await two.next(), ["a", "text", true]);
  assertEquals(await one.next(), ["a", "bytes", false]);
  second.unsubscribe("a");
  await second.channels!.isHeard!("none");
  first.publish("a", () => bytes("nobody"));
  second.publish("a", () => bytes("last"));
  assertEquals(await one.next(), ["a", "last", false]);
  assertEquals([one.got, two.got], [[], []]);
  for (const link of [first, second]) link.close();
});

Deno.test("channels of threads: who hears is known, and a thread that was removed hears nothing", async () => {
  using board = new Switchboard();
  const [one, two] = [listener(), listener()];
  const thread = board.add();
  using near = throughPort(board.add().port);
  using far = throughPort(thread.port);
  const [first, second] = [near.attach(one.port), far.attach(two.port)];
  second.channels!.subscribe("c", (message) => two.tell(new TextDecoder().decode(message)));
  assertEquals(await second.channels!.isHeard!("c"), false);
  assertEquals(await first.channels!.isHeard!("c"), true);
  first.channels!.publish("c", bytes("hello"));
  assertEquals(await two.next(), "hello");
  thread.remove();
  assertEquals(await first.channels!.isHeard!("c"), false);
  assertEquals(board.stats.threads, 1);
  second.close();
  first.close();
  assertEquals(await first.channels!.isHeard!("c"), undefined);
});

Deno.test("a hub that publishes more than is passed on is told, and who can wait has room again", async () => {
  using board = new Switchboard();
  const one = listener();
  using near = throughPort(board.add().port);
  const link = near.attach(one.port);
  const message = new Uint8Array(1024 * 1024);
  for (let n = 0; n < 9; n++) link.channels!.publish("c", message);
  assertMatch(String(await one.next()), /Cannot publish message: 8388608 bytes wait/);
  await link.channels!.room!();
  assertEquals(link.channels!.room!(), undefined);
  link.close();
});
