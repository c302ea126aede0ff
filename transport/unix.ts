/** Unix sockets: `unix:PATH`. */

import type { Transport, UnixEndpoint } from "../transport.ts";
import { DenoListener, DenoTransport, requireDeno } from "./deno_conn.ts";
import type { TransportKind } from "./kind.ts";

/**
 * Unix sockets by `Deno.listen` and `Deno.connect`. A socket file that a server left behind is taken
 * over, one that a server still listens on is not; the file goes when the listener is closed.
 */
export const unix: TransportKind<UnixEndpoint> = {
  async listen(endpoint) {
    requireDeno();
    const listener = await withPermissionsNamed(endpoint, () => open(endpoint));
    return new DenoListener(listener, endpoint, wrap);
  },
  async connect(endpoint, { signal }) {
    requireDeno();
    signal.throwIfAborted();
    const { path } = endpoint;
    return wrap(
      await withPermissionsNamed(endpoint, () => Deno.connect({ transport: "unix", path })),
    );
  },
};

function wrap(conn: Deno.UnixConn): Transport {
  return new DenoTransport(conn);
}

async function open({ path, mode }: UnixEndpoint): Promise<Deno.UnixListener> {
  let listener: Deno.UnixListener;
  try {
    listener = Deno.listen({ transport: "unix", path });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    await removeIfStale(path);
    listener = Deno.listen({ transport: "unix", path });
  }
  try {
    if (mode !== undefined) await Deno.chmod(path, mode);
    return listener;
  } catch (error) {
    listener.close();
    throw error;
  }
}

/** Removes the socket file of a server that is gone. Rejects for any other file, and a live server. */
async function removeIfStale(path: string): Promise<void> {
  if (!(await Deno.lstat(path)).isSocket) {
    throw new Deno.errors.AlreadyExists("there is a file that is no socket");
  }
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    return await Deno.remove(path);
  }
  throw new Deno.errors.AlreadyExists("another server listens there");
}

/** Deno asks for one permission after the other; whoever is refused one should hear of all. */
async function withPermissionsNamed<R>(
  { path }: UnixEndpoint,
  call: () => R | Promise<R>,
): Promise<R> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new Deno.errors.NotCapable(
      `run with --allow-net --allow-read=${path} --allow-write=${path}`,
    );
  }
}
