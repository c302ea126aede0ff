/**
 * Whether a program listens, by the word of the system. A program's own word ("ready", a file with its port) often comes
 * before it does, and a connection that tries would be one more that it sees, or the only one that it takes.
 */

import { delay } from "@std/async/delay";

/** Whether somebody listens at `tcp://HOST:PORT` or `unix:PATH`. Linux tells it. */
export async function isListening(endpoint: string): Promise<boolean> {
  if (endpoint.startsWith("unix:")) return await tells("unix", socketWithPath(endpoint.slice(5)));
  const pattern = socketWithPort(Number(new URL(endpoint).port));
  return await tells("tcp", pattern) || await tells("tcp6", pattern);
}

/**
 * Waits until nobody listens there any more. What a process has closed is still open in a program that another of its
 * threads is about to start.
 */
export async function nobodyListens(endpoint: string): Promise<void> {
  while (await isListening(endpoint)) await delay(5);
}

async function tells(table: string, pattern: RegExp): Promise<boolean> {
  return pattern.test(await Deno.readTextFile(`/proc/net/${table}`));
}

/** A line of /proc/net/tcp or tcp6 with this port, on whatever address, and the state LISTEN. */
function socketWithPort(port: number): RegExp {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return new RegExp(`^ *\\d+: [0-9A-F]+:${hex} [0-9A-F]+:0000 0A `, "m");
}

/** A line of /proc/net/unix with this path, and the flag of a socket that accepts. */
function socketWithPath(path: string): RegExp {
  return new RegExp(`^\\S+ \\S+ \\S+ 00010000 .* ${RegExp.escape(path)}$`, "m");
}
