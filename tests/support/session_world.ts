/** Two ends of a session, the carriers between them and a clock, all in the test's hands. */

import { SessionProtocolError } from "../../errors.ts";
import { Machine } from "../../session/machine.ts";
import { resolveSessionOptions, type SessionOptions } from "../../session/options.ts";
import { decodeFrame, encodeRefused, type Hello } from "../../session/wire.ts";

export type Side = "client" | "server";
export const SIDES: readonly Side[] = ["client", "server"];
const ID = "0123456789abcdef0123456789abcdef";

/** One carrier: what each side has sent and the other has not got yet. */
interface Carrier {
  readonly toward: Record<Side, (Uint8Array | "end")[]>;
  /** Sides that still believe in it. */
  readonly held: Set<Side>;
  /** Sides that have closed it in order. */
  readonly closed: Set<Side>;
}

/** What one side's program has done and seen. */
export class End {
  /** What it wrote, as far as it was taken. */
  readonly written: number[] = [];
  /** What it has read. */
  readonly read: number[] = [];
  /** How much of that was looked at. */
  checked = 0;
  carrier: Carrier | undefined;

  constructor(readonly machine: Machine) {}

  /** Writes so many bytes, each telling its place. */
  write(bytes: number): void {
    if (this.machine.out.end !== undefined || this.machine.outcome !== undefined) return;
    const chunk = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) chunk[i] = (this.written.length + i) * 31 % 251;
    const taken = this.machine.write(chunk, true);
    for (const byte of chunk.subarray(0, taken)) this.written.push(byte);
  }

  /** Reads what is there. */
  readAll(): void {
    for (let chunk; (chunk = this.machine.take()) !== undefined;) this.read.push(...chunk);
  }
}

/** The whole of it. */
export class World {
  now = 0;
  readonly ends: Record<Side, End>;
  /** Frames that were lost with a carrier. */
  lost = 0;
  /** Codes with which the server has turned carriers away. */
  readonly refused: number[] = [];
  /** Carriers on which something may still arrive. */
  #carriers: Carrier[] = [];
  #isDark = false;

  constructor(client: SessionOptions = {}, server: SessionOptions = client) {
    this.ends = {
      client: new End(new Machine("client", resolveSessionOptions(client))),
      server: new End(new Machine("server", resolveSessionOptions(server), ID)),
    };
  }

  get client(): Machine {
    return this.ends.client.machine;
  }

  get server(): Machine {
    return this.ends.server.machine;
  }

  /** The client dials; the server notices when the HELLO arrives. */
  connect(): void {
    if (this.client.outcome !== undefined) return;
    const { client } = this.ends;
    client.carrier?.held.delete("client");
    client.carrier = {
      toward: { client: [], server: [] },
      held: new Set(SIDES),
      closed: new Set(),
    };
    this.#carriers.push(client.carrier);
    this.client.attach(this.now);
    this.pump("client");
  }

  /** Sends all that a side has to send. */
  pump(side: Side): void {
    const { machine, carrier } = this.ends[side];
    if (carrier === undefined) return;
    const { carrierState } = machine;
    if (typeof carrierState === "object") return this.cut(side);
    const queue = carrier.toward[other(side)];
    for (let frame; (frame = machine.poll(() => this.now)) !== undefined;) {
      queue.push(frame.slice());
    }
    if (machine.carrierState === "close") close(carrier, side);
  }

  /**
   * Brings the next frame to a side; returns false when there is none. To the server those of the
   * oldest carrier come first, or of the newest: carriers do not wait for each other.
   */
  deliver(side: Side, which: "oldest" | "newest" = "oldest"): boolean {
    if (this.#isDark) return false;
    const waiting = ({ toward }: Carrier) => toward.server.length > 0;
    const carrier = side === "client"
      ? this.ends.client.carrier
      : which === "oldest"
      ? this.#carriers.find(waiting)
      : this.#carriers.findLast(waiting);
    const frame = carrier?.toward[side].shift();
    if (carrier === undefined || frame === undefined) return false;
    if (!carrier.held.has(side)) return true; // It has turned to another carrier, or away.
    if (frame === "end") this.#ended(side, carrier);
    else if (side === "server" && this.ends.server.carrier !== carrier) {
      this.#hello(carrier, decodeFrame(frame) as Hello);
    } else this.ends[side].machine.receive(frame, this.now);
    this.pump(side);
    return true;
  }

  /** What an acceptor does. */
  #hello(carrier: Carrier, hello: Hello): void {
    const { server } = this.ends;
    if (
      hello.id === undefined && server.carrier !== undefined || this.server.outcome !== undefined
    ) {
      const { lastWord } = this.server;
      if (lastWord !== undefined) carrier.toward.client.push(lastWord);
      close(carrier, "server");
      carrier.held.delete("server");
      return;
    }
    try {
      this.server.attach(this.now, hello);
    } catch (error) {
      if (!(error instanceof SessionProtocolError)) throw error;
      this.refused.push(error.code);
      carrier.toward.client.push(encodeRefused(error.code, error.message));
      close(carrier, "server");
      carrier.held.delete("server");
      return;
    }
    server.carrier?.held.delete("server");
    server.carrier = carrier;
  }

  /** The other side has closed the carrier in order; so does this one. */
  #ended(side: Side, carrier: Carrier): void {
    this.pump(side);
    close(carrier, side);
    carrier.held.delete(side);
    this.ends[side].carrier = undefined;
    this.ends[side].machine.detach(this.now, true);
  }

  /** A side notices that its carrier is broken; what is on its way to it is lost. */
  cut(side: Side): void {
    const { carrier, machine } = this.ends[side];
    if (carrier === undefined) return;
    this.lost += carrier.toward[side].length;
    carrier.held.delete(side);
    this.ends[side].carrier = undefined;
    machine.detach(this.now);
  }

  /** Frames on their way are lost, and so is the carrier for both. */
  cutBoth(): void {
    for (const { toward } of this.#carriers) {
      this.lost += toward.client.length + toward.server.length;
      toward.client.length = toward.server.length = 0;
    }
    for (const side of SIDES) this.cut(side);
    this.#carriers = [];
  }

  /** Nothing gets through any more, and nobody is told. */
  blackHole(): void {
    this.#isDark = true;
  }

  /** Frames go to and fro until there are none. Returns how many. */
  settle(): number {
    let frames = 0;
    for (let moved = true; moved;) {
      for (const side of SIDES) this.pump(side);
      moved = false;
      for (const side of SIDES) {
        while (this.deliver(side)) {
          moved = true;
          if (++frames > 100_000) throw new Error("Cannot settle: frames go to and fro for ever");
        }
      }
    }
    return frames;
  }

  /** Whoever sends to an end that has gone without a word is told so by the network. */
  #notice(side: Side): void {
    const { carrier } = this.ends[side];
    if (this.#isDark || carrier === undefined || carrier.held.has(other(side))) return;
    if (!carrier.toward[side].includes("end")) this.cut(side);
  }

  /** Time passes, with each deadline met to the millisecond; `step` runs after each. */
  pass(time: number, step: () => void = () => {}): void {
    for (const side of SIDES) this.#notice(side);
    const until = this.now + time;
    for (let wakeups = 0;; wakeups++) {
      if (wakeups > 100_000) throw new Error("Cannot let time pass: a deadline does not move");
      const next = Math.min(this.client.deadline, this.server.deadline);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      for (const side of SIDES) {
        if (this.ends[side].machine.deadline <= this.now) this.ends[side].machine.timeout(this.now);
        this.pump(side);
      }
      step();
    }
    this.now = until;
  }
}

function close({ closed, toward }: Carrier, side: Side): void {
  if (!closed.has(side)) toward[other(side)].push("end");
  closed.add(side);
}

export function other(side: Side): Side {
  return side === "client" ? "server" : "client";
}
