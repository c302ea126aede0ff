/** Sockets of Deno itself. */

import type { Sockets } from "../stream_socket.ts";

/** Opens sockets. */
export const sockets: Sockets = {
  // deno-lint-ignore require-await
  async listenTcp({ hostname, port, backlog, reusePort }) {
    // Without the flag, Deno 2.9.6 ends the process at the call. This function is there only with it.
    if (reusePort && typeof Deno.listenDatagram !== "function") {
      throw new Error("to share a port, Deno needs the flag --unstable-net");
    }
    return Deno.listen({
      hostname,
      port,
      tcpBacklog: backlog,
      ...(reusePort ? { reusePort } : {}),
    });
  },
  // deno-lint-ignore require-await
  async listenUnix(path) {
    return Deno.listen({ transport: "unix", path });
  },
  async connectTcp({ hostname, port }, signal) {
    signal.throwIfAborted();
    // Deno 2.9.6 checks the signal once more after it has connected, and then throws without closing
    // the connection. Nobody could close it any more. So it gets a signal with which it does not throw.
    const stop = AbortSignal.any([signal]);
    stop.throwIfAborted = () => {};
    let conn: Deno.TcpConn;
    try {
      conn = await Deno.connect({ hostname, port, signal: stop });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
    if (signal.aborted) {
      conn.close();
      throw signal.reason;
    }
    conn.setNoDelay(true);
    return conn;
  },
  connectUnix: (path) => Deno.connect({ transport: "unix", path }),
};
