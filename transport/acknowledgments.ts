/**
 * Whether the network still carries what is written, over TCP. A write ends when the system has taken
 * its bytes, also when nobody is there any more; the system tries again for a quarter of an hour, and
 * has no words for that until it gives up. Linux shows in a file of its own which sockets wait for an
 * acknowledgment; Deno lets whoever has all permissions read it. Elsewhere nothing is watched.
 */

import { builtin } from "../internal/runtime/builtin.ts";
import { errors } from "../internal/runtime/errors.ts";
import { os } from "../internal/runtime/os.ts";
import { isGranted } from "../internal/runtime/permissions.ts";
import type { TcpAddress, TcpSocket } from "../internal/runtime/stream_socket.ts";
import { isLoopback, parseAddress } from "../internal/address.ts";
import { Wakeup } from "../internal/time.ts";
import { ProxiedConn } from "./proxied/conn.ts";

/** How often to look, while something was written to a peer that has said nothing since. */
const INTERVAL = 5_000;
/** How long bytes may be sent again and again without an acknowledgment. */
const TIMEOUT = 30_000;
/** If a look is later than this, this process stood still. */
const LATE = 1_000;

/** A socket that may be watched. */
export interface Watched {
  /** Its two ends, as {@linkcode pairOf} says them. */
  readonly pair: string;
  /** Nothing was acknowledged for too long. */
  vanished(): void;
}

/** How to watch. */
export interface AcknowledgmentsOptions {
  /** Gives the text of the system's tables. */
  readonly read: () => Promise<string>;
  /** @default 5_000 */
  readonly interval?: number;
  /** @default 30_000 */
  readonly timeout?: number;
}

/** Looks at sockets while they are in doubt. */
export class Acknowledgments {
  readonly #read: () => Promise<string>;
  readonly #interval: number;
  readonly #timeout: number;
  /** Since when each one has waited in vain; undefined if it does not, as far as is known. */
  readonly #inDoubt = new Map<Watched, number | undefined>();
  readonly #timer = new Wakeup((now) => this.#look(now), { idle: true });
  #dueAt = Infinity;

  constructor({ read, interval = INTERVAL, timeout = TIMEOUT }: AcknowledgmentsOptions) {
    this.#read = read;
    this.#interval = interval;
    this.#timeout = timeout;
  }

  /** Something was written to a socket. */
  add(socket: Watched): void {
    this.#inDoubt.set(socket, this.#inDoubt.get(socket));
    if (this.#dueAt === Infinity) this.#lookLater(performance.now());
  }

  /** Something came from a socket, or it is closed. */
  delete(socket: Watched): void {
    this.#inDoubt.delete(socket);
  }

  #lookLater(now: number): void {
    this.#dueAt = now + this.#interval;
    this.#timer.at(this.#dueAt);
  }

  async #look(now: number): Promise<void> {
    const stoodStill = now - this.#dueAt > LATE;
    let waiting: ReadonlySet<string>;
    try {
      waiting = unacknowledged(await this.#read());
    } catch {
      waiting = new Set(); // Nothing is known now; perhaps there are no file descriptors left.
    }
    for (const [socket, since] of this.#inDoubt) {
      if (!waiting.has(socket.pair)) this.#inDoubt.set(socket, undefined);
      else if (since === undefined || stoodStill) this.#inDoubt.set(socket, now);
      else if (now - since >= this.#timeout) {
        this.#inDoubt.delete(socket);
        socket.vanished();
      }
    }
    this.#dueAt = Infinity;
    if (this.#inDoubt.size > 0) this.#lookLater(performance.now());
  }
}

/**
 * A line of the tables: both ends, the bytes that wait, the timer that runs, how often it has sent again,
 * and how many probes were not answered.
 */
const LINE =
  /^ *\d+: (\w+):(\w{4}) (\w+):(\w{4}) \w\w (\w{8}):\w{8} (\w\w):\w{8} (\w{8}) +\d+ +(\d+) /gm;
/** The timer that sends again. */
const RETRANSMITS = "01";
/** The timer that asks whether there is room, and the one that runs where there is no way out at all. */
const PROBES = "04";

/** The pairs of ends between which bytes wait in vain, as {@linkcode pairOf} says them. */
export function unacknowledged(tables: string): ReadonlySet<string> {
  const pairs = new Set<string>();
  for (const line of tables.matchAll(LINE)) {
    const [, local, localPort, remote, remotePort, bytes, timer, times, probes] = line;
    const isInVain = timer === RETRANSMITS && Number.parseInt(times, 16) > 0 ||
      // A peer that takes nothing, but is there, answers each one before the next.
      timer === PROBES && Number(probes) > 1;
    if (!isInVain || Number.parseInt(bytes, 16) === 0) continue;
    pairs.add(`${endOf(local, localPort)} ${endOf(remote, remotePort)}`);
  }
  return pairs;
}

/** The two ends of a socket as one text. */
export function pairOf(local: TcpAddress, remote: TcpAddress): string {
  return [local, remote].map(({ hostname, port }) => `${parseAddress(hostname)?.value}:${port}`)
    .join(" ");
}

/** The system writes addresses as numbers of 32 bits, the least significant byte first. */
function endOf(address: string, port: string): string {
  const words = address.match(/.{8}/g)!;
  const bytes = words.map((word) => word.match(/../g)!.reverse().join("")).join("");
  const mapped = /^0{20}f{4}(.{8})$/i.exec(bytes);
  return `${BigInt(`0x${mapped?.[1] ?? bytes}`)}:${Number.parseInt(port, 16)}`;
}

let shared: Acknowledgments | undefined | "unavailable";

/** The watch of this process; undefined where there is none. Asks nobody for a permission. */
function available(): Acknowledgments | undefined {
  if (shared === undefined) {
    const names = ["read", "write", "net", "env", "run", "sys", "ffi"] as const;
    const isAllowed = os === "linux" &&
      isGranted(...names.map((name) => ({ name })));
    shared = isAllowed ? new Acknowledgments({ read: readTables }) : "unavailable";
  }
  return shared === "unavailable" ? undefined : shared;
}

async function readTables(): Promise<string> {
  const { readFile } = builtin("node:fs").promises;
  const files = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => "")));
  return texts.join("");
}

/** Watches one socket of this process. */
export class VanishingPeer implements Watched {
  readonly pair: string;
  readonly #conn: TcpSocket;
  readonly #acknowledgments: Acknowledgments;
  #isInDoubt = false;
  #error: Error | undefined;

  constructor(conn: TcpSocket, acknowledgments: Acknowledgments) {
    this.#conn = conn;
    this.#acknowledgments = acknowledgments;
    this.pair = pairOf(conn.localAddr, conn.remoteAddr);
  }

  /** Bytes were written. */
  wrote(): void {
    if (this.#isInDoubt) return;
    this.#isInDoubt = true;
    this.#acknowledgments.add(this);
  }

  /** Bytes came, or the socket is closed. */
  heard(): void {
    if (!this.#isInDoubt) return;
    this.#isInDoubt = false;
    this.#acknowledgments.delete(this);
  }

  /** Closes the socket, so that whoever reads learns it. */
  vanished(): void {
    this.#error = new errors.TimedOut(
      `nothing that was sent was acknowledged for ${TIMEOUT} ms; its network may be gone`,
    );
    this.#conn.close();
  }

  /** Why a call on the socket failed: this, or what the system says. */
  reasonFor(error: unknown): unknown {
    return this.#error ?? error;
  }
}

/**
 * Gets a socket ready: small writes leave at once, and the system asks a peer that is silent for hours
 * whether it is there. Gives its watch, where there is one. Loopback cannot vanish.
 */
export function prepare(proxied: TcpSocket): VanishingPeer | undefined {
  // The system knows it by its own ends.
  const conn = proxied instanceof ProxiedConn ? proxied.inner : proxied;
  conn.setNoDelay(true);
  conn.setKeepAlive(true);
  if (isLoopback(conn.remoteAddr.hostname)) return undefined;
  const acknowledgments = available();
  return acknowledgments && new VanishingPeer(conn, acknowledgments);
}
