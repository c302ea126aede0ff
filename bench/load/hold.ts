/** Many connections that do nothing. */

import { open, type Wire } from "./wire.ts";

/** How many are being opened at a time: less than any backlog. */
const AT_ONCE = 256;

let held: Deno.TcpConn[] = [];

/** Opens connections and keeps them. */
export async function hold(options: { port: number; wire: Wire; count: number }): Promise<void> {
  const { port, wire, count } = options;
  let begun = 0;
  const openSome = async () => {
    while (begun++ < count) held.push((await open(port, wire)).conn);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, openSome));
}

/** Closes what is kept. */
export function release(): void {
  for (const conn of held) conn.close();
  held = [];
}
