/** Stream sockets, as the transports use them, of whatever runtime this is. */

/** One end of a TCP connection. */
export interface TcpAddress {
  /** Tells it from a Unix socket's. */
  readonly transport: "tcp" | "udp";
  /** The address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** One end of a Unix socket. */
export interface UnixAddress {
  /** Tells it from a TCP connection's. */
  readonly transport: "unix" | "unixpacket";
  /** The system's name for it. */
  readonly path: string | null;
}

/** An open socket: at most one read and one write at a time. */
export interface StreamSocket {
  /** This end. */
  readonly localAddr: TcpAddress | UnixAddress;
  /** The other end. */
  readonly remoteAddr: TcpAddress | UnixAddress;
  /** Reads into the start of a buffer. Resolves to how many bytes, or to null at the end. */
  read(target: Uint8Array): Promise<number | null>;
  /** Writes the start of a chunk. Resolves to how many bytes the system took. */
  write(chunk: Uint8Array): Promise<number>;
  /** Tells the other end that nothing more will be written. */
  closeWrite(): Promise<void>;
  /**
   * Closes both directions. What is under way rejects.
   *
   * @throws {BadResource} if it is closed already.
   */
  close(): void;
}

/** A socket over TCP. */
export interface TcpSocket extends StreamSocket {
  readonly localAddr: TcpAddress;
  readonly remoteAddr: TcpAddress;
  /** Whether small writes leave at once. */
  setNoDelay(noDelay?: boolean): void;
  /** Whether the system asks a silent peer whether it is there. */
  setKeepAlive(keepAlive?: boolean): void;
}

/** What accepts sockets. */
export interface SocketListener<S extends StreamSocket = StreamSocket> {
  /** Where it listens, with the real port. */
  readonly addr: S["localAddr"];
  /** The next socket. Rejects if accepting fails this time, and after `close()`. */
  accept(): Promise<S>;
  /**
   * Stops listening.
   *
   * @throws {BadResource} if it is closed already.
   */
  close(): void;
  /** Does not keep the process running any more. */
  unref(): void;
}

/** A TCP address to listen on. */
export interface TcpListenOptions {
  /** The host. */
  readonly hostname: string;
  /** The port; 0 for a free one. */
  readonly port: number;
  /** How many connections may wait until they are accepted. */
  readonly backlog: number;
  /** Whether other servers may have the same port. */
  readonly reusePort: boolean;
}

/** What opens sockets. All errors are those of `errors.ts`, where one of its classes fits. */
export interface Sockets {
  /** Listens by TCP. */
  listenTcp(options: TcpListenOptions): Promise<SocketListener<TcpSocket>>;
  /** Listens on a Unix socket, which is created. */
  listenUnix(path: string): Promise<SocketListener>;
  /** Connects by TCP, with Nagle's algorithm off. Rejects with the signal's reason when it is aborted. */
  connectTcp(
    target: { readonly hostname: string; readonly port: number },
    signal: AbortSignal,
  ): Promise<TcpSocket>;
  /** Connects to a Unix socket. */
  connectUnix(path: string): Promise<StreamSocket>;
}
