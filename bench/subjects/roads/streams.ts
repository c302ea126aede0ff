/**
 * The floor for streams: `read()` and `write()` in a loop, over Deno's own TCP, Unix sockets and TLS,
 * and over the pair that `memory:` stands on. No messages, no limits, no time-outs.
 */

import { writeAll } from "../../../internal/bytes.ts";
import { memoryPair } from "../../../testing.ts";
import type { Transport } from "../../../transport.ts";
import { arrivals, CHUNK_BYTES, directory, medianTime } from "./road.ts";
import { readTls, ready, repeatFor, road, type Run, service } from "./road.ts";

/** Both of Deno's and ours. Returns null at the end, or undefined. */
interface Stream {
  /** Reads a chunk; returns its size. */
  read(): Promise<number | null>;
  /** What was read. */
  readonly chunk: Uint8Array;
  write(chunk: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

class DenoStream implements Stream {
  readonly chunk = new Uint8Array(CHUNK_BYTES);
  constructor(readonly conn: Deno.Conn) {
    if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
  }

  read() {
    return this.conn.read(this.chunk);
  }

  write(chunk: Uint8Array) {
    return this.conn.write(chunk);
  }

  closeWrite() {
    return this.conn.closeWrite();
  }

  close() {
    this.conn.close();
  }
}

class MemoryStream implements Stream {
  chunk: Uint8Array = new Uint8Array(0);
  constructor(readonly transport: Transport) {}

  async read() {
    const chunk = await this.transport.read();
    if (chunk === undefined) return null;
    this.chunk = chunk;
    return chunk.length;
  }

  write(chunk: Uint8Array) {
    return this.transport.write(chunk);
  }

  closeWrite() {
    return this.transport.closeWrite();
  }

  close() {
    this.transport.close();
  }
}

const HOST = "127.0.0.1";
const tls = readTls();

/** By road: where to listen, and how to connect there. */
const ROADS: Record<string, { listen(): Deno.Listener; connect(to: string): Promise<Deno.Conn> }> =
  {
    tcp: {
      listen: () => Deno.listen({ hostname: HOST, port: 0 }),
      connect: (to) => Deno.connect({ hostname: HOST, port: Number(to) }),
    },
    unix: {
      listen: () => Deno.listen({ transport: "unix", path: `${directory}/raw-${service}` }),
      connect: (path) => Deno.connect({ transport: "unix", path }),
    },
    tls: {
      listen: () => Deno.listenTls({ hostname: HOST, port: 0, cert: tls!.cert, key: tls!.key }),
      connect: (to) => Deno.connectTls({ hostname: HOST, port: Number(to), caCerts: [tls!.ca] }),
    },
  };

async function open(to: string): Promise<Stream> {
  if (road !== "memory") return new DenoStream(await ROADS[road].connect(to));
  const [near, far] = memoryPair();
  serve(new MemoryStream(far));
  return new MemoryStream(near);
}

async function serve(stream: Stream): Promise<void> {
  try {
    for (let n; (n = await stream.read()) !== null;) {
      if (service === "sink") arrivals.addBytes(n);
      else await writeAll(stream, stream.chunk.subarray(0, n));
    }
  } catch (error) {
    // A client of TLS that closes after round trips does not always say so.
    if (service === "sink") throw error;
  } finally {
    stream.close();
  }
}

const client = {
  /** Writes one block of what would be frames, made once. */
  async send({ to, size, duration }: Run) {
    const stream = await open(to);
    const frames = Math.floor(CHUNK_BYTES / (4 + size));
    const block = new Uint8Array(frames * (4 + size));
    const start = performance.now();
    const blocks = await repeatFor(duration, () => writeAll(stream, block));
    await stream.closeWrite();
    await stream.read();
    stream.close();
    return { messages: blocks * frames, seconds: (performance.now() - start) / 1000 };
  },

  async roundTrip({ to, size, count }: Run) {
    const stream = await open(to);
    const frame = new Uint8Array(4 + size);
    const median = await medianTime(count, async () => {
      await writeAll(stream, frame);
      for (let bytes = 0; bytes < frame.length;) bytes += await stream.read() ?? NaN;
    });
    stream.close();
    return median;
  },
};

if (road === "memory") {
  ready("", client);
} else {
  const listener = ROADS[road].listen();
  const { addr } = listener;
  ready("path" in addr ? `${addr.path}` : `${(addr as Deno.NetAddr).port}`, client);
  for await (const conn of listener) serve(new DenoStream(conn));
}
