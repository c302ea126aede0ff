/** Where the bytes come from that are looked at: a file, a capture, or a peer. */

import { concat } from "@std/bytes/concat";
import { ByteReader } from "../capture/bytes.ts";
import { isCapture, packetsOf } from "../capture/packets.ts";
import { type StreamEvent, Streams, type StreamsOptions } from "../capture/streams.ts";
import type { Sample } from "./sample.ts";

/** Streams that most likely have one framing, or one in each direction. */
export interface Source {
  /** What it is, in a few words. */
  readonly name: string;
  /** The end in a capture that was connected to, such as `127.0.0.1:1234`. */
  readonly server?: string;
  /** The directions that have bytes. Each has one sample or more. */
  readonly directions: readonly Direction[];
}

/** One direction of connections. */
export interface Direction {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** So much of a stream is looked at. */
const SAMPLE_BYTES = 16 * 1024;
/** So many connections to one port are looked at, and so many ports. */
const MAX_SAMPLES = 4;
const MAX_SERVICES = 16;
/** So many packets of a capture are read. */
const MAX_PACKETS = 100_000;

/**
 * What is in a file: the connections of a capture, or else the bytes themselves.
 *
 * @throws {CaptureError} if it is a capture that is broken before anything could be read.
 */
export async function fileSources(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  options: StreamsOptions = {},
): Promise<Source[]> {
  await using file = new ByteReader(chunks);
  if (isCapture(await file.peek(4))) return await captureSources(file, options);
  const bytes = await file.read(SAMPLE_BYTES);
  const isWhole = (await file.peek(1)).length === 0;
  return [{ name, directions: [{ name: "all", samples: [{ bytes, isWhole }] }] }];
}

/** The connections of a capture, those to the same port together. */
async function captureSources(file: ByteReader, options: StreamsOptions): Promise<Source[]> {
  const services = new Map<string, Service>();
  const streams = new Streams(options);
  const take = (events: StreamEvent[]) => {
    for (const event of events) {
      if (event.isLast) continue;
      const { server } = event.stream;
      if (!services.has(server) && services.size < MAX_SERVICES) {
        services.set(server, new Service());
      }
      services.get(server)?.take(event);
    }
  };
  let packets = 0;
  try {
    for await (const packet of packetsOf(file)) {
      take(streams.add(packet));
      if (++packets === MAX_PACKETS) break;
    }
  } catch (error) {
    if (packets === 0) throw error;
    // What was whole is enough to look at.
  }
  take(streams.end());
  return [...services].map(([server, service]) => ({
    name: `connections to ${server}`,
    server,
    directions: service.directions(),
  })).filter(({ directions }) => directions.length > 0);
}

/** What was captured of the connections to one port. */
class Service {
  readonly #collected = new Map<string, Collected>();

  take({ stream, from, bytes, end }: StreamEvent): void {
    const key = `${stream.number} ${from}`;
    let one = this.#collected.get(key);
    if (one === undefined) {
      if (this.#collected.size >= 2 * MAX_SAMPLES) return;
      one = { from, bytes: new Uint8Array(0), state: "open" };
      this.#collected.set(key, one);
    }
    if (one.state !== "open") return;
    if (bytes === undefined) one.state = end === "closed" ? "whole" : "cut"; // A hole, or a reset.
    else {
      const room = SAMPLE_BYTES - one.bytes.length;
      one.bytes = concat([one.bytes, bytes.subarray(0, room)]);
      if (bytes.length > room) one.state = "cut";
    }
  }

  directions(): Direction[] {
    return (["client", "server"] as const).map((name) => ({
      name,
      samples: [...this.#collected.values()]
        .filter(({ from, bytes }) => from === name && bytes.length > 0)
        .map(({ bytes, state }) => ({ bytes, isWhole: state === "whole" })),
    })).filter(({ samples }) => samples.length > 0);
  }
}

interface Collected {
  readonly from: StreamEvent["from"];
  bytes: Uint8Array;
  state: "open" | "whole" | "cut";
}

/** What a peer says first: until it has been quiet for a while, has ended, or has said enough. */
export async function heard(
  chunks: AsyncIterable<Uint8Array>,
  quiet: AbortSignal,
): Promise<Sample> {
  let bytes: Uint8Array = new Uint8Array(0);
  const iterator = chunks[Symbol.asyncIterator]();
  const silence = new Promise<undefined>((resolve) =>
    quiet.addEventListener("abort", () => resolve(undefined), { once: true })
  );
  while (bytes.length < SAMPLE_BYTES) {
    const next = await Promise.race([iterator.next(), silence]);
    if (next === undefined) return { bytes, isWhole: false };
    if (next.done) return { bytes, isWhole: true };
    bytes = concat([bytes, next.value]);
  }
  return { bytes, isWhole: false };
}
