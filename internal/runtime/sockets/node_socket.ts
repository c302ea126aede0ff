/** A socket of `node:net`, which pushes, as one that is asked to read and to write. */

import type { Socket } from "node:net";
import { errors, systemError } from "../errors.ts";
import type { StreamSocket, TcpAddress, TcpSocket, UnixAddress } from "../stream_socket.ts";
import { turnEnd } from "../../turn_end.ts";

/** How much a socket reads ahead; then it stops until somebody reads. */
export const READ_AHEAD_BYTES: number = 64 * 1024;
/** How much is written at a time. So the progress of a large write can be seen. */
const MAX_WRITE_BYTES = 256 * 1024;

/** A socket of Node. */
export class NodeSocket implements StreamSocket {
  readonly localAddr: TcpAddress | UnixAddress;
  readonly remoteAddr: TcpAddress | UnixAddress;
  protected readonly socket: Socket;
  #error: unknown;
  #state: "open" | "closed" = "open";
  /** The write that is under way. */
  #writing: { readonly bytes: number; resolve(bytes: number): void } | undefined;
  /** Wakes the read that waits. */
  #wake: () => void = () => {};

  /** Takes over a socket that is connected and was not read from. */
  constructor(socket: Socket, local: TcpAddress | UnixAddress, remote: TcpAddress | UnixAddress) {
    this.socket = socket;
    this.localAddr = local;
    this.remoteAddr = remote;
    socket.on("error", (error) => this.#error ??= systemError(error));
    for (const event of ["readable", "end", "error", "close"]) {
      socket.on(event, () => this.#wake());
    }
  }

  async read(target: Uint8Array): Promise<number | null> {
    const { socket } = this;
    for (;;) {
      if (this.#state === "closed") {
        await turnEnd(); // Whoever closed it says why first.
        throw closed();
      }
      const { readableLength } = socket;
      if (readableLength > 0) {
        const chunk: Uint8Array = socket.read(Math.min(readableLength, target.length));
        target.set(chunk);
        return chunk.length;
      }
      if (this.#error !== undefined) throw this.#error;
      if (socket.readableEnded || socket.destroyed) return null;
      socket.read(0); // Asks for more, and for the end.
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(chunk: Uint8Array): Promise<number> {
    if (this.#state === "closed") return Promise.reject(closed());
    const piece = chunk.subarray(0, MAX_WRITE_BYTES);
    return new Promise((resolve, reject) => {
      this.#writing = { bytes: piece.length, resolve };
      this.socket.write(piece, (error) => {
        this.#writing = undefined;
        if (error) reject(this.#reasonFor(error));
        else resolve(piece.length);
      });
    });
  }

  closeWrite(): Promise<void> {
    if (this.#state === "closed") return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.socket.end((error?: Error | null) => {
        if (error) reject(this.#reasonFor(error));
        else resolve();
      });
    });
  }

  /** What is under way ends a moment later, when the socket has closed. */
  close(): void {
    if (this.#state === "closed") throw closed();
    this.#state = "closed";
    this.#tellWhatWasTaken();
    this.socket.destroy();
  }

  /** The system may have taken a part of what is being written. Only Node can tell, and only now. */
  #tellWhatWasTaken(): void {
    const { _handle: handle } = this.socket as { _handle?: { writeQueueSize?: number } | null };
    if (this.#writing === undefined || handle?.writeQueueSize === undefined) return;
    const { bytes, resolve } = this.#writing;
    if (handle.writeQueueSize < bytes) resolve(bytes - handle.writeQueueSize);
  }

  #reasonFor(error: Error): unknown {
    return this.#state === "closed" ? closed() : this.#error ?? systemError(error);
  }
}

/** A socket of Node over TCP. */
export class NodeTcpSocket extends NodeSocket implements TcpSocket {
  declare readonly localAddr: TcpAddress;
  declare readonly remoteAddr: TcpAddress;

  /** Takes over a socket that is connected and was not read from. */
  constructor(socket: Socket) {
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    super(socket, addressOf(localAddress, localPort), addressOf(remoteAddress, remotePort));
  }

  setNoDelay(noDelay = true): void {
    this.socket.setNoDelay(noDelay);
  }

  setKeepAlive(keepAlive = true): void {
    this.socket.setKeepAlive(keepAlive);
  }
}

function addressOf(hostname = "", port = 0): TcpAddress {
  return { transport: "tcp", hostname, port };
}

function closed(): Error {
  return new errors.BadResource("the socket is closed");
}
