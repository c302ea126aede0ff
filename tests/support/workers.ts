/** People at a server with workers, who speak JSON. */

import { assert, assertEquals } from "@std/assert";
import { connect, type Connection, type ConnectOptions, text } from "../../mod.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** What Deno must be given for workers. */
export const FLAGS = ["--allow-net", "--unstable-net", `--allow-read=${ROOT}`];
/** Guests here do not read until they end, so that the server would wait for them. */
export const GRACE = ["--grace", "200"];
/** The system spreads connections over threads. */
export const ignore = Deno.build.os !== "linux";

/** What the server tells, as JSON. */
export type Event = Record<string, unknown>;

/** Somebody in a chat who speaks JSON. */
export class Guest implements AsyncDisposable {
  readonly events: Event[] = [];
  name = "";
  /** Which of the threads it came to: all of one have the same. */
  thread = "";
  readonly #connection: Connection<string>;

  private constructor(connection: Connection<string>) {
    this.#connection = connection;
  }

  static async join(endpoint: string, options: ConnectOptions<string> = {}): Promise<Guest> {
    const guest = new Guest(await connect(endpoint, { ...options, format: text() }));
    await guest.say("/json");
    const { name, server } = await guest.next(({ type }) => type === "welcome");
    guest.name = name as string;
    guest.thread = server as string;
    return guest;
  }

  async say(line: string): Promise<void> {
    await this.#connection.send(line);
  }

  /** The next event that is such a one; undefined if the connection ends. */
  async find(is: (event: Event) => boolean): Promise<Event | undefined> {
    for (;;) {
      const line = await this.#connection.receive().catch(() => undefined);
      if (line === undefined) return undefined;
      if (!line.startsWith("{")) continue; // Before it spoke JSON.
      const event = JSON.parse(line);
      this.events.push(event);
      if (is(event)) return event;
    }
  }

  async next(is: (event: Event) => boolean): Promise<Event> {
    const event = await this.find(is);
    assert(event !== undefined, "the connection ended");
    return event;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.abort();
    await this.#connection.closed;
  }
}

/** Guests that came one after the other, until each of so many threads has at least two. */
export async function guestsOfBoth(
  endpoint: string,
  stack: AsyncDisposableStack,
  { threads = 2, ...options }: ConnectOptions<string> & { threads?: number } = {},
): Promise<Guest[]> {
  const guests: Guest[] = [];
  const isSpread = () => {
    const counts = [...Map.groupBy(guests, ({ thread }) => thread).values()];
    return counts.length === threads && counts.every(({ length }) => length >= 2);
  };
  while (!isSpread()) guests.push(stack.use(await Guest.join(endpoint, options)));
  return guests;
}

/** What somebody says is heard by all, once and in one order. */
export async function assertOneChat(guests: readonly Guest[]): Promise<void> {
  const words = guests.map((_, n) => `words ${n}`);
  for (const [n, guest] of guests.entries()) await guest.say(words[n]);
  const heard = await Promise.all(guests.map(async (guest) => {
    const said: unknown[] = [];
    while (said.length < guests.length) {
      said.push((await guest.next(({ type }) => type === "say")).text);
    }
    return said;
  }));
  assertEquals(heard[0].toSorted(), words.toSorted());
  for (const order of heard) assertEquals(order, heard[0]);
}
