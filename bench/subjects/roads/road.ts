/** What the programs of all roads share: arguments, where things are, and counting. */

import type { Tls } from "./tls_files.ts";
import { answer, medianTime, say } from "../answer.mjs";

export { medianTime };

/** As much as one read or one write moves. */
export const CHUNK_BYTES = 64 * 1024;

/** What the server does with messages: counts them, or sends them back. */
export type Service = "sink" | "echo";

/** The arguments of the process; one that is a client only serves nobody. */
export const [road, service] = Deno.args as [string, Service];

/** Where sockets may lie, and certificates do. */
export const directory: string = Deno.env.get("LENGTHWISE_BENCH_DIRECTORY") ?? ".";

/** What a run takes. */
export interface Run {
  /** What the server said about where it is. */
  readonly to: string;
  /** Bytes of a message. */
  readonly size: number;
  /** For how long to send, in milliseconds. */
  readonly duration: number;
  /** How many round trips. */
  readonly count: number;
}

/** What a run gave. */
export interface Sent {
  readonly messages: number;
  readonly seconds: number;
}

/** How long nothing comes any more when everything has come, in milliseconds. */
const QUIET_TIME = 60;

/** What the server says that has come since it was last asked. */
export interface Arrived {
  readonly amount: number;
  /** Whether it is counted in bytes, because nobody divides them into messages. */
  readonly isBytes: boolean;
  /** From the first to the last. */
  readonly seconds: number;
}

class Arrivals {
  #amount = 0;
  #isBytes = false;
  #first = 0;
  #last = 0;

  /** Some messages came. */
  add(amount: number): void {
    this.#last = performance.now();
    if (this.#amount === 0) this.#first = this.#last;
    this.#amount += amount;
  }

  addBytes(bytes: number): void {
    this.#isBytes = true;
    this.add(bytes);
  }

  /** Takes it when nothing came for a while: where nobody tells the end, there is no other way. */
  async takeWhenQuiet(): Promise<Arrived> {
    while (performance.now() - this.#last < QUIET_TIME) {
      await new Promise((resolve) => setTimeout(resolve, QUIET_TIME / 4));
    }
    return this.take();
  }

  take(): Arrived {
    const amount = this.#amount;
    this.#amount = 0;
    return { amount, isBytes: this.#isBytes, seconds: (this.#last - this.#first) / 1000 };
  }
}

/** What the server has received. */
export const arrivals = new Arrivals();

/** How a client sends for a while, and how it sends and waits for the answer. */
export interface Client {
  send(run: Run): Promise<Sent>;
  roundTrip(run: Run): Promise<number>;
}

/** Says where the server is, and does what is asked for. */
export function ready(to: string, client: Client): void {
  answer({
    send: (run: Run) => client.send(run),
    roundTrip: (run: Run) => client.roundTrip(run),
    arrived: () => road === "udp" ? arrivals.takeWhenQuiet() : arrivals.take(),
  });
  say({ to });
}

/** Sends blocks for a while. Gives how many there were. */
export async function repeatFor(duration: number, once: () => Promise<unknown>): Promise<number> {
  const end = performance.now() + duration;
  let blocks = 0;
  for (; performance.now() < end; blocks++) await once();
  return blocks;
}

/** The certificates, for the roads that want them. */
export function readTls(): Tls | undefined {
  if (road !== "tls" && road !== "wss") return undefined;
  const read = (name: string) => Deno.readTextFileSync(`${directory}/${name}.pem`);
  return { ca: read("ca"), cert: read("cert"), key: read("key") };
}
