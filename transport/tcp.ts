/** TCP: `tcp://HOST:PORT`. */

import {
  type AcceptedPeer,
  type Endpoint,
  formatAddress,
  type Transport,
  type TransportKind,
  type TransportListener,
} from "../transport.ts";

/** TCP by `Deno.listen` and `Deno.connect`. */
export const tcp: TransportKind = {
  listen(endpoint, { backlog }): TransportListener {
    requireDeno();
    const { hostname, port } = endpoint;
    return new TcpListener(Deno.listen({ hostname, port, tcpBacklog: backlog }), endpoint);
  },
  async connect(endpoint, { signal }): Promise<Transport> {
    requireDeno();
    const { hostname, port } = endpoint;
    return new TcpTransport(await Deno.connect({ hostname, port, signal }));
  },
};

/** Older versions lose what is still being written when a socket is closed. */
function requireDeno(): void {
  const [major, minor, patch] = Deno.version.deno.split(".").map(Number.parseFloat);
  if (major * 1e6 + minor * 1e3 + patch < 2_009_005) {
    throw new Error(
      `Cannot use Deno ${Deno.version.deno}: before 2.9.5 it loses pending writes on close; run "deno upgrade"`,
    );
  }
}

class TcpListener implements TransportListener {
  readonly endpoint: Endpoint;
  readonly #listener: Deno.TcpListener;

  constructor(listener: Deno.TcpListener, endpoint: Endpoint) {
    this.#listener = listener;
    this.endpoint = { ...endpoint, port: listener.addr.port };
  }

  async accept(): Promise<AcceptedPeer> {
    for (;;) {
      try {
        return new AcceptedTcp(await this.#listener.accept());
      } catch (error) {
        if (!peerHasGone(error)) throw error;
      }
    }
  }

  close(): void {
    closeQuietly(this.#listener);
  }
}

/** Whether a peer reset its connection before it was accepted: nobody else must wait for that. */
function peerHasGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}

class AcceptedTcp implements AcceptedPeer {
  readonly #conn: Deno.TcpConn;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  get hostname(): string {
    return this.#conn.remoteAddr.hostname;
  }

  open(): Transport {
    return new TcpTransport(this.#conn);
  }

  refuse(): void {
    closeQuietly(this.#conn);
  }
}

/** A pending read holds its block, so an idle connection waits with the smallest one. */
const MIN_BLOCK_BYTES = 512;
const MAX_BLOCK_BYTES = 64 * 1024;
const BLOCK_STEP = 8;

/** Blocks for everybody, since a new one has to be filled with zeros first. At most 4 MiB. */
const spare: Uint8Array[] = [];
const MAX_SPARE_BLOCKS = 64;

function recycle(chunk: Uint8Array): void {
  if (chunk.length === MAX_BLOCK_BYTES && spare.length < MAX_SPARE_BLOCKS) spare.push(chunk);
}

class TcpTransport implements Transport {
  readonly recycle = recycle;
  readonly #conn: Deno.TcpConn;
  #blockBytes = MIN_BLOCK_BYTES;
  #block: Uint8Array | undefined;
  #used = 0;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    conn.setNoDelay(true);
  }

  get local(): string {
    return formatAddress(this.#conn.localAddr.hostname, this.#conn.localAddr.port);
  }

  get remote(): string {
    return formatAddress(this.#conn.remoteAddr.hostname, this.#conn.remoteAddr.port);
  }

  async read(): Promise<Uint8Array | undefined> {
    const room = this.#room();
    const bytes = await this.#conn.read(room);
    if (bytes === null) return undefined;
    this.#used += bytes;
    if (bytes === room.length) {
      this.#resize(Math.min(this.#blockBytes * BLOCK_STEP, MAX_BLOCK_BYTES));
      return room;
    }
    if (bytes < this.#blockBytes / BLOCK_STEP) {
      this.#resize(Math.max(this.#blockBytes / BLOCK_STEP, MIN_BLOCK_BYTES));
    }
    return room.subarray(0, bytes);
  }

  /** Chunks are handed out as views, so the used part of a block is never written again. */
  #room(): Uint8Array {
    if (this.#block !== undefined && this.#block.length - this.#used >= this.#block.length / 4) {
      return this.#block.subarray(this.#used);
    }
    this.#used = 0;
    const used = this.#blockBytes === MAX_BLOCK_BYTES ? spare.pop() : undefined;
    return this.#block = used ?? new Uint8Array(this.#blockBytes);
  }

  #resize(blockBytes: number): void {
    if (blockBytes === this.#blockBytes) return;
    this.#blockBytes = blockBytes;
    this.#block = undefined;
  }

  write(chunk: Uint8Array): Promise<number> {
    return this.#conn.write(chunk);
  }

  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  close(): void {
    closeQuietly(this.#conn);
  }
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch (error) {
    // It was closed before, by the other direction's failure: that is what was asked for.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
