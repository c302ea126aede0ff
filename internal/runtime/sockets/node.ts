/** Sockets by `node:net`, in Node and Bun. */

import type { ListenOptions, Server, Socket, TcpNetConnectOpts } from "node:net";
import { Deque } from "@std/data-structures";
import { builtin } from "../builtin.ts";
import { errors, systemError } from "../errors.ts";
import { notHere, runtime } from "../runtime.ts";
import type { SocketListener, Sockets, StreamSocket, UnixAddress } from "../stream_socket.ts";
import { NodeSocket, NodeTcpSocket, READ_AHEAD_BYTES } from "./node_socket.ts";

/** What each socket is: what is read after the end of writing is read, and not much ahead. */
const SOCKET = { allowHalfOpen: true, highWaterMark: READ_AHEAD_BYTES };
/** How many Unix connections wait until they are accepted. */
const UNIX_BACKLOG = 511;

/** Opens sockets. */
export const sockets: Sockets = {
  async listenTcp({ hostname, port, backlog, reusePort }) {
    if (reusePort && runtime.name === "Bun") throw notHere("reusePort", "it was not tried there");
    return await listen({ host: hostname, port, backlog, reusePort }, (socket) =>
      // Without an address it has left already. It would count as one of this machine.
      socket.remoteAddress === undefined ? undefined : new NodeTcpSocket(socket));
  },
  listenUnix: (path) => listen({ path, backlog: UNIX_BACKLOG }, unixSocket),
  async connectTcp({ hostname, port }, signal) {
    const options = { host: hostname, port, noDelay: true };
    return new NodeTcpSocket(await connectTo(options, signal).catch(explain));
  },
  connectUnix: async (path) => unixSocket(await connectTo({ path }).catch(explain)),
};

function unixSocket(socket: Socket): StreamSocket {
  const address: UnixAddress = { transport: "unix", path: null };
  return new NodeSocket(socket, address, address);
}

/**
 * Connects. Leaves nothing open when it fails.
 *
 * @throws Node's error, or the signal's reason.
 */
export async function connectTo(
  where: Partial<TcpNetConnectOpts> | { readonly path: string },
  signal?: AbortSignal,
): Promise<Socket> {
  signal?.throwIfAborted();
  const socket = builtin("node:net").connect({ ...SOCKET, ...where } as TcpNetConnectOpts);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  socket.once("connect", resolve);
  socket.once("error", reject);
  try {
    await promise;
    socket.off("error", reject);
    return socket;
  } catch (error) {
    socket.on("error", () => {}); // Nobody asks any more.
    socket.destroy();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Throws an error of Node as Deno would. */
function explain(error: Error & { code?: string; hostname?: string }): never {
  if (error.code !== "ENOTFOUND" && error.code !== "EAI_AGAIN") throw systemError(error);
  throw new Error(`failed to lookup address of "${error.hostname}"`, { cause: error });
}

/** Makes a socket ready; undefined if it is of no use. */
type Wrap<S> = (socket: Socket) => S | undefined;

async function listen<S extends StreamSocket>(
  options: ListenOptions,
  wrap: Wrap<S>,
): Promise<SocketListener<S>> {
  const server = builtin("node:net").createServer(SOCKET);
  const listener = new NodeListener(server, wrap, options.backlog!);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(options, resolve);
  await promise.catch(explain);
  server.off("error", reject);
  return listener;
}

/** Node accepts by itself: what it accepted waits here, and no more of it than in the system. */
export class NodeListener<S extends StreamSocket> implements SocketListener<S> {
  readonly #server: Server;
  readonly #maxWaiting: number;
  readonly #waiting = new Deque<S>();
  #state: "open" | "closed" = "open";
  #accepting: PromiseWithResolvers<S> | undefined;
  #failure: Error | undefined;
  #dropped = 0;

  constructor(server: Server, wrap: Wrap<S>, maxWaiting: number) {
    this.#server = server;
    this.#maxWaiting = maxWaiting;
    server.on("connection", (socket) => {
      const wrapped = wrap(socket);
      if (wrapped === undefined) socket.on("error", () => {}).destroy();
      else this.#take(wrapped);
    });
    server.on("error", (error) => this.#fail(systemError(error) as Error));
  }

  get addr(): S["localAddr"] {
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      return { transport: "unix", path: address };
    }
    return { transport: "tcp", hostname: address.address, port: address.port };
  }

  #take(socket: S): void {
    if (this.#accepting !== undefined) {
      this.#accepting.resolve(socket);
      this.#accepting = undefined;
    } else if (this.#waiting.length < this.#maxWaiting) this.#waiting.pushBack(socket);
    else {
      socket.close();
      this.#dropped++;
      this.#fail(
        new Error(`closed ${this.#dropped} peers: ${this.#maxWaiting} waited to be accepted`),
      );
    }
  }

  /** The next who accepts is told. */
  #fail(error: Error): void {
    if (this.#accepting === undefined) this.#failure = error;
    else {
      this.#accepting.reject(error);
      this.#accepting = undefined;
    }
  }

  accept(): Promise<S> {
    if (this.#state === "closed") return Promise.reject(closed());
    const failure = this.#failure;
    if (failure !== undefined) {
      this.#failure = undefined;
      this.#dropped = 0;
      return Promise.reject(failure);
    }
    const socket = this.#waiting.popFront();
    if (socket !== undefined) return Promise.resolve(socket);
    this.#accepting = Promise.withResolvers();
    return this.#accepting.promise;
  }

  close(): void {
    if (this.#state === "closed") throw closed();
    this.#state = "closed";
    this.#server.close();
    for (let socket; (socket = this.#waiting.popFront()) !== undefined;) socket.close();
    this.#accepting?.reject(closed());
    this.#accepting = undefined;
  }

  unref(): void {
    this.#server.unref();
  }
}

function closed(): Error {
  return new errors.BadResource("the listener is closed");
}
