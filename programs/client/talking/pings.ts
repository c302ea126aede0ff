/** Measures the round-trip time to a chat, which answers `/ping`. */

/** How often it is measured, in milliseconds. */
const INTERVAL = 10_000;

/** Pings of one connection, whose answers are not for the user. */
export class Pings implements Disposable {
  readonly #send: (line: string) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  /** The token of the ping under way, and when it was sent. */
  #ping: { token: string; sentAt: number } | undefined;

  /** Begins. */
  constructor(send: (line: string) => void) {
    this.#send = send;
    this.#timer = setInterval(() => this.#next(), INTERVAL);
    this.#next();
  }

  /** The round-trip time, in milliseconds, if this is the text of the answer. */
  timeOf(text: string): number | undefined {
    return text === this.#ping?.token ? performance.now() - this.#ping.sentAt : undefined;
  }

  /** Ends. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #next(): void {
    this.#ping = { token: crypto.randomUUID(), sentAt: performance.now() };
    this.#send(`/ping ${this.#ping.token}`);
  }
}
