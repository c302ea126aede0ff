/** Measures the round-trip time to a chat, which answers `/ping`. */

/** How often it is measured, in milliseconds. */
const INTERVAL = 10_000;

/** Pings of one connection, whose answers are not for the user, however late they come. */
export class Pings implements Disposable {
  readonly #send: (line: string) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  /** How the texts of these pings begin. Behind it they have the time when they were sent. */
  readonly #head = `${crypto.randomUUID()}.`;

  /** Begins. */
  constructor(send: (line: string) => void) {
    this.#send = send;
    this.#timer = setInterval(() => this.#next(), INTERVAL);
    this.#next();
  }

  /** The round-trip time, in milliseconds, if this is the text of the answer. */
  timeOf(text: string): number | undefined {
    const sentAt = text.startsWith(this.#head) ? Number(text.slice(this.#head.length)) : NaN;
    return Number.isFinite(sentAt) ? performance.now() - sentAt : undefined;
  }

  /** Ends. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #next(): void {
    this.#send(`/ping ${this.#head}${performance.now()}`);
  }
}
