/** What makes a proxy a bad network, for tests of other programs. */

import { delay } from "@std/async/delay";
import { type Faults, withFaults } from "../../../testing.ts";
import type { Transport } from "../../../transport.ts";
import { type ParsedOptions, UsageError } from "../../shared/options.ts";

/** How often in a second a throttled connection may write. */
const STEPS_PER_SECOND = 20;
const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };

/**
 * What wraps the transports of both ends, so that the peers suffer what the options say. Undefined if
 * they say nothing.
 *
 * @throws {UsageError} for a value that is none, and for pieces of datagrams.
 */
export function faultsOf(
  options: ParsedOptions,
  endpoints: readonly string[],
): ((transport: Transport) => Transport) | undefined {
  const [chop, cutAfter] = [options.number("chop"), options.number("cut")];
  const corrupt = probabilityOf(options.text("corrupt"));
  const rate = rateOf(options.text("throttle"));
  const datagrams = endpoints.find((endpoint) => endpoint.startsWith("udp:"));
  if (chop !== undefined && datagrams !== undefined) {
    throw new UsageError(`--chop: "${datagrams}" has datagrams, which are whole or not there`);
  }
  const isFaulty = [chop, cutAfter, corrupt].some((value) => value !== undefined);
  if (!isFaulty && rate === undefined) return undefined;
  const faults: Faults = { on: "write", chop, cutAfter, corrupt };
  return (transport) => {
    const throttled = rate === undefined ? transport : new ThrottledTransport(transport, rate);
    return isFaulty ? withFaults(throttled, faults) : throttled;
  };
}

function probabilityOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value <= 1) return value;
  throw new UsageError(`--corrupt ${text}: it must be a number from 0 to 1, such as 0.01`);
}

function rateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(text) ?? [];
  const rate = Number(digits) * UNITS[unit?.toLowerCase()];
  if (rate >= 1) return rate;
  throw new UsageError(`--throttle ${text}: it must be bytes per second, such as 500, 20k or 1.5M`);
}

/** A transport over which no more than so many bytes per second leave. */
class ThrottledTransport implements Transport {
  readonly #transport: Transport;
  readonly #rate: number;
  readonly #closed = new AbortController();
  /** When what was written so far is through. */
  #due = 0;

  constructor(transport: Transport, rate: number) {
    this.#transport = transport;
    this.#rate = rate;
  }

  get abilities() {
    return this.#transport.abilities;
  }

  get local(): string {
    return this.#transport.local;
  }

  get remote(): string {
    return this.#transport.remote;
  }

  read(readTarget?: (bytes: number) => Uint8Array | undefined): Promise<Uint8Array | undefined> {
    return this.#transport.read(readTarget);
  }

  async write(chunk: Uint8Array, endsMessage?: boolean): Promise<number> {
    const most = this.abilities.framing?.isApart
      ? chunk.length // A datagram is whole or not there.
      : Math.max(1, Math.floor(this.#rate / STEPS_PER_SECOND));
    const piece = chunk.subarray(0, most);
    const bytes = await this.#transport.write(piece, piece.length === chunk.length && endsMessage);
    const now = performance.now();
    this.#due = Math.max(this.#due, now) + bytes / this.#rate * 1000;
    await delay(this.#due - now, { signal: this.#closed.signal });
    return bytes;
  }

  closeWrite(info?: Parameters<Transport["closeWrite"]>[0]): Promise<void> {
    return this.#transport.closeWrite(info);
  }

  close(error?: unknown): void {
    this.#closed.abort(new Deno.errors.Interrupted("operation canceled"));
    this.#transport.close(error);
  }
}
