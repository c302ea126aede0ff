/** Ports for programs that cannot choose one themselves, or do not tell which one they chose. */

/** Below those that systems give to connections, and to listeners that want any. */
const FIRST = 10_000;
const COUNT = 6_000;

/** A port of loopback that nobody listens on now, and that no test gets again soon. */
export function freePort(): number {
  for (;;) {
    const port = FIRST + turn() % COUNT;
    try {
      using _listener = Deno.listen({ hostname: "127.0.0.1", port });
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** An endpoint that nothing listens on, and soon nothing will. */
export function deadEndpoint(): string {
  return `tcp://127.0.0.1:${freePort()}`;
}

/**
 * Counts, for all tests of this user on this machine: two that run side by side would take the same port otherwise, before
 * the program of either listens on it.
 */
function turn(): number {
  const directory = Deno.env.get("TMPDIR") ?? "/tmp";
  const path = `${directory}/lengthwise_ports_${Deno.uid()}`;
  using file = Deno.openSync(path, { read: true, write: true, create: true });
  file.lockSync(true);
  const last = new Uint32Array(1);
  const bytes = new Uint8Array(last.buffer);
  if (file.readSync(bytes) !== bytes.length) last[0] = Math.random() * COUNT;
  last[0]++;
  file.seekSync(0, Deno.SeekMode.Start);
  file.writeSync(bytes);
  return last[0];
}
