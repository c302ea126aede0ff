/** Conversations with engines. */

import { assert } from "@std/assert";
import { concat } from "@std/bytes";
import type { Connection } from "../../../connection.ts";
import { ConnectionLostError } from "../../../errors.ts";

/** How long an engine may take to end a connection, in milliseconds. */
const ENDING_TIME = 60_000;

/** The next so many messages. */
export async function receiveMany(connection: Connection, count: number): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  while (messages.length < count) {
    const message = await connection.receive();
    assert(message !== undefined, `the connection ended after ${messages.length} messages`);
    messages.push(message);
  }
  return messages;
}

/** Sends a message, and gives the answer. */
export async function ask(connection: Connection, message: Uint8Array): Promise<Uint8Array> {
  await connection.send(message);
  return (await receiveMany(connection, 1))[0];
}

/** Waits until the engine has closed or reset the connection, and gives all that it said before. */
export async function ended(connection: Connection): Promise<Uint8Array> {
  const late = new Error(`the engine did not end the connection within ${ENDING_TIME} ms`);
  const timer = setTimeout(() => connection.abort(late), ENDING_TIME);
  const messages: Uint8Array[] = [];
  try {
    for await (const message of connection) messages.push(message);
  } catch (error) {
    if (!(error instanceof ConnectionLostError)) throw error;
  } finally {
    clearTimeout(timer);
  }
  return concat(messages);
}
