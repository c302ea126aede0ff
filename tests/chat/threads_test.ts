/** The order of a chat of several threads, and what one that comes later is told. */

import { assertEquals, assertMatch } from "@std/assert";
import { Chat } from "../../chat.ts";
import { ChatOrder, chatThread, type ChatThreadPlace } from "../../chat/threads/threads.ts";
import type { Down, Up } from "../../chat/threads/items.ts";
import { connect, listen, text } from "../../mod.ts";

/** A thread that says what a test wants. */
class BareThread implements Disposable {
  readonly place: ChatThreadPlace;
  readonly #told: Down[] = [];
  #change = Promise.withResolvers<void>();

  constructor(order: ChatOrder, onStuck?: () => void) {
    this.place = order.add(onStuck);
    this.place.port.onmessage = ({ data }) => {
      this.#told.push(data);
      this.#change.resolve();
      this.#change = Promise.withResolvers();
    };
  }

  say(item: Up): void {
    this.place.port.postMessage(item);
  }

  async next(): Promise<Down> {
    while (this.#told.length === 0) await this.#change.promise;
    return this.#told.shift()!;
  }

  /** Reads from the beginning, as the first thread of a chat does. */
  async begin(server: string): Promise<void> {
    this.say({ do: "load" });
    assertEquals((await this.next()).do, "loaded");
    this.say({ do: "read", after: 0, server });
  }

  [Symbol.dispose](): void {
    this.place.remove();
    this.place.port.close();
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);
const numberOf = (item: Down) => item.do === "entry" ? item.seq : item.do;

Deno.test("ChatOrder: all threads get all entries in one order, with numbers that rise by one", async () => {
  using order = new ChatOrder();
  using one = new BareThread(order);
  using two = new BareThread(order);
  await one.begin("one");
  two.say({ do: "load" });
  assertEquals(await one.next(), { do: "write" });
  one.say({ do: "written", known: { at: 0, state: "{}" } });
  assertEquals(await two.next(), { do: "loaded", known: { at: 0, state: "{}" } });
  two.say({ do: "read", after: 0, server: "two" });
  for (let n = 0; n < 10; n++) {
    for (const each of [one, two]) {
      each.say({ do: "append", bytes: bytes(`${n}`) });
    }
  }
  const orders: unknown[][] = [[], []];
  for (let n = 0; n < 20; n++) {
    for (const [i, each] of [one, two].entries()) orders[i].push(await each.next());
  }
  assertEquals(orders[0], orders[1]);
  assertEquals(
    orders[0].map((item) => numberOf(item as Down)),
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
});

Deno.test("ChatOrder: who comes later gets what was known, and then all entries since", async () => {
  using order = new ChatOrder();
  using one = new BareThread(order);
  await one.begin("one");
  one.say({ do: "append", bytes: bytes("before") });
  assertEquals(numberOf(await one.next()), 1);
  using late = new BareThread(order);
  late.say({ do: "load" });
  assertEquals(await one.next(), { do: "write" });
  one.say({ do: "append", bytes: bytes("known") });
  assertEquals(numberOf(await one.next()), 2);
  one.say({ do: "append", bytes: bytes("since") });
  assertEquals(numberOf(await one.next()), 3);
  one.say({ do: "written", known: { at: 2, state: "…" } });
  assertEquals(await late.next(), { do: "loaded", known: { at: 2, state: "…" } });
  late.say({ do: "read", after: 2, server: "late" });
  assertEquals(numberOf(await late.next()), 3);
});

Deno.test("ChatOrder: where the one that was asked ends, another one is asked, or nobody knows", async () => {
  using order = new ChatOrder();
  using one = new BareThread(order);
  using two = new BareThread(order);
  await one.begin("one");
  two.say({ do: "load" });
  assertEquals(await one.next(), { do: "write" });
  one.say({ do: "written", known: { at: 0 } });
  await two.next();
  two.say({ do: "read", after: 0, server: "two" });
  using late = new BareThread(order);
  late.say({ do: "load" });
  assertEquals(await one.next(), { do: "write" });
  one.place.remove();
  assertEquals(await two.next(), { do: "gone", server: "one" });
  assertEquals(await two.next(), { do: "write" });
  two.place.remove();
  assertEquals(await late.next(), { do: "loaded", known: { at: 0 } });
});

Deno.test("ChatOrder: a thread that takes nothing cannot go on, and the others can", async () => {
  using order = new ChatOrder({ maxWaitingBytes: 1000 });
  const stuck = Promise.withResolvers<void>();
  using busy = new BareThread(order, stuck.resolve);
  using other = new BareThread(order);
  await busy.begin("busy");
  other.say({ do: "load" });
  assertEquals(await busy.next(), { do: "write" });
  busy.say({ do: "written", known: { at: 0 } });
  await other.next();
  other.say({ do: "read", after: 0, server: "other" });
  for (let n = 1; n <= 20; n++) {
    other.say({ do: "append", bytes: new Uint8Array(100) });
    assertEquals(numberOf(await other.next()), n);
    other.say({ do: "took", bytes: 100 });
  }
  await stuck.promise;
});

Deno.test("Chats of two threads are one, and one that comes later knows topics, bans and what was said", async () => {
  using order = new ChatOrder();
  await using stack = new AsyncDisposableStack();
  const open = async () => {
    const place = order.add();
    const cluster = stack.use(await chatThread(place.port));
    const flood = { burst: 100, perSecond: 100 };
    const chat = new Chat({ cluster, operatorToken: "secret-token", announceAfter: 0, flood });
    stack.defer(() => chat.close());
    const options = { format: text() };
    const server = stack.use(await listen("tcp://127.0.0.1:0", options, (one) => chat.serve(one)));
    return { chat, place, endpoint: server.endpoints[0] };
  };
  const join = async (endpoint: string) => {
    const connection = stack.use(await connect(endpoint, { format: text() }));
    const until = async (pattern: RegExp): Promise<string> => {
      for (;;) {
        const line = await connection.receive();
        if (line === undefined) throw new Error(`the connection ended before ${pattern}`);
        if (pattern.test(line)) return line;
      }
    };
    return { say: (line: string) => connection.send(line), until };
  };
  const first = await open();
  const ada = await join(first.endpoint);
  await ada.say("/nick Ada");
  await ada.until(/is now Ada/);
  for (const line of ["/operator secret-token", "/topic tea", "/ban Mallory", "before"]) {
    await ada.say(line);
  }
  await ada.until(/^Ada: before/);

  const second = await open();
  const bob = await join(second.endpoint);
  await bob.until(/Ada: before/);
  await bob.say("/nick Mallory");
  await bob.until(/banned/);
  await bob.say("/nick ada");
  await bob.until(/"ada": Ada is here/);
  await bob.say("/topic");
  await bob.until(/topic: tea/);
  await bob.say("/history");
  await bob.until(/Ada: before/);
  await bob.say("hello");
  await ada.until(/^guest-\d+: hello/);
  await ada.say("/stats");
  assertMatch(await ada.until(/ban\./), /2 members in 1 room.*1 ban\. 2 threads, lag \d+ ms\.$/);

  second.place.remove(); // As if its thread had ended.
  await ada.until(/^\* guest-\d+ left\. 1 here/);
  assertEquals(first.chat.names, ["Ada"]);
});
