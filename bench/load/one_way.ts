/** Messages one way over one connection. */

import { writeAll } from "../../internal/bytes.ts";
import { block, drain, finish, open, serverFrameBytes, type Wire } from "./wire.ts";

/** What a run over one connection takes. */
export interface OneWay {
  readonly port: number;
  readonly wire: Wire;
  /** Bytes of a message. */
  readonly size: number;
  /** For how long to send, in milliseconds. */
  readonly duration: number;
}

/** What a run gave. */
export interface Count {
  readonly messages: number;
  readonly seconds: number;
}

/** Sends as fast as the server reads. The time ends when the server has read everything and closed. */
export async function send({ port, wire, size, duration }: OneWay): Promise<Count> {
  const { conn } = await open(port, wire);
  const frames = Math.max(1, Math.floor(256 * 1024 / (size + 4)));
  const chunk = block(wire, size, frames);
  const reading = drain(conn);
  const start = performance.now();
  let messages = 0;
  for (; performance.now() - start < duration; messages += frames) await writeAll(conn, chunk);
  await finish(conn, wire);
  await reading;
  const seconds = (performance.now() - start) / 1000;
  conn.close();
  return { messages, seconds };
}

/** Reads what the server sends for as long as it was told when it was started. */
export async function receive({ port, wire, size }: OneWay): Promise<Count> {
  const start = performance.now();
  const { conn, early } = await open(port, wire);
  const messages = (early + await drain(conn)) / serverFrameBytes(wire, size);
  const seconds = (performance.now() - start) / 1000;
  conn.close();
  if (!Number.isInteger(messages)) throw new Error(`Cannot count: ${messages} messages came`);
  return { messages, seconds };
}
