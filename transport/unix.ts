/** Unix sockets: `unix:PATH`, and Linux's without a file, `unix:@NAME`. */

import { errors } from "../internal/runtime/errors.ts";
import { sockets } from "../internal/runtime/sockets.ts";
import type { SocketListener, StreamSocket } from "../internal/runtime/stream_socket.ts";
import type { UnixEndpoint } from "../transport.ts";
import type { AcceptedPeer, TransportKind } from "./kind.ts";
import { StreamListener, StreamTransport } from "./stream.ts";
import { openSocketFile, type OwnedSocket } from "./unix/socket_file.ts";

/**
 * Unix sockets by the sockets of the runtime. A socket file that a dead server left behind is
 * replaced; the file of a live server is not. The file is removed when the listener is closed, unless
 * another file has taken its path by then.
 */
export const unix: TransportKind<UnixEndpoint> = {
  async listen(endpoint) {
    return new UnixListener(
      await withPermissionsNamed(endpoint, () => listenUnix(endpoint)),
      endpoint,
    );
  },
  async connect(endpoint, { signal }) {
    signal.throwIfAborted();
    const path = systemPath(endpoint);
    const conn = await withPermissionsNamed(
      endpoint,
      async () => await (await sockets()).connectUnix(path),
    );
    return new UnixTransport(conn, endpoint.path);
  },
};

class UnixListener extends StreamListener<StreamSocket> {
  readonly #socket: OwnedSocket;
  #state: "open" | "closed" = "open";
  #stopWaiting: (reason: unknown) => void = () => {};

  constructor(socket: OwnedSocket, endpoint: UnixEndpoint) {
    super(socket.listener, endpoint, (conn) => new UnixTransport(conn, endpoint.path));
    this.#socket = socket;
  }

  override accept(): Promise<AcceptedPeer> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = reject;
      super.accept().then(resolve, reject);
    });
  }

  override close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    if (this.#socket.release()) super.close();
    else {
      // The socket must stay open, and ends with the process. But nobody waits for its peers any more.
      this.#socket.listener.unref();
      this.#stopWaiting(new errors.BadResource("the listener is closed"));
    }
  }
}

/** Both ends have the endpoint's name. The system's name for the socket may be a temporary one. */
class UnixTransport extends StreamTransport {
  readonly #name: string;

  constructor(conn: StreamSocket, path: string) {
    super(conn);
    this.#name = `unix:${path}`;
  }

  override get local(): string {
    return this.#name;
  }

  override get remote(): string {
    return this.#name;
  }
}

async function listenUnix(endpoint: UnixEndpoint): Promise<OwnedSocket> {
  const path = systemPath(endpoint);
  if (!path.startsWith("\0")) return await openSocketFile(path, endpoint.mode);
  const listener = await listenAbstract(path);
  return { listener, release: () => true };
}

async function listenAbstract(path: string): Promise<SocketListener> {
  try {
    return await (await sockets()).listenUnix(path);
  } catch (error) {
    if (!(error instanceof errors.AddrInUse)) throw error;
    throw new errors.AlreadyExists("another server listens there");
  }
}

/** The system's name for an abstract socket begins with a zero byte: unix(7). */
function systemPath({ path }: UnixEndpoint): string {
  return path.replace(/^@/, "\0");
}

/** Deno names one missing permission at a time. This names all that are needed. */
async function withPermissionsNamed<R>(
  { path }: UnixEndpoint,
  call: () => R | Promise<R>,
): Promise<R> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof errors.NotCapable)) throw error;
    throw new errors.NotCapable(
      path.startsWith("@")
        ? "run with --allow-net"
        : `run with --allow-net --allow-read=${path} --allow-write=${path}`,
    );
  }
}
