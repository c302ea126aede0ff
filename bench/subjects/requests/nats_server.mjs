/** NATS' server, for as long as this process lives. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Starts it, and gives its address. It ends with this process, which is killed: it reads a pipe that nobody writes to. */
export async function startServer() {
  const script = 'nats-server -a 127.0.0.1 -p -1 & cat >/dev/null; kill "$!"';
  const server = spawn("sh", ["-c", script], { stdio: ["pipe", "inherit", "pipe"] });
  for await (const line of createInterface({ input: server.stderr })) {
    const port = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return `127.0.0.1:${port}`;
  }
  throw new Error("Cannot start nats-server: it ended");
}
