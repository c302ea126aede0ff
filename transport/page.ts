/** WebSockets in a page or a worker: `ws:` and `wss:` by the browser's own. */

import { formatAddress, type WebSocketEndpoint } from "../transport.ts";
import { SocketTransport } from "./fetch/socket.ts";
import type { TransportConnectOptions, TransportKind } from "./kind.ts";

/** Connects by the browser's WebSocket. */
export const page: TransportKind<WebSocketEndpoint> = {
  listen: () => Promise.reject(new TypeError("Cannot listen in a page: it can only connect")),
  async connect({ transport, hostname, port, path }, options) {
    checkOptions(options);
    const { signal, web: { subprotocols = [] } = {} } = options;
    const remote = formatAddress(hostname, port);
    const socket = new WebSocket(`${transport}://${remote}${path}`, [...subprotocols]);
    await opened(socket, signal);
    return new SocketTransport(socket, remote, socket.protocol);
  },
};

/** What the browser does by itself cannot be chosen. */
function checkOptions({ tls, proxy, source, web }: TransportConnectOptions): void {
  const names = { tls, proxy, source, "web.headers": web?.headers };
  for (const [name, value] of Object.entries(names)) {
    if (value !== undefined) {
      throw new TypeError(`Cannot use ${name} in a page: its browser decides that`);
    }
  }
}

/** Waits until the socket is open. Closes it if the signal is aborted before. */
function opened(socket: WebSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      socket.close();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    const settle = (settled: () => void) => () => {
      signal.removeEventListener("abort", abort);
      settled();
    };
    socket.onopen = settle(resolve);
    socket.onerror = settle(() =>
      reject(new Error("its WebSocket could not be opened; a page is not told why"))
    );
    if (signal.aborted) abort();
  });
}
