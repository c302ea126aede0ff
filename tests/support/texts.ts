/** Messages as text, for tests that read them. */

import type { Connection } from "../../connection.ts";

const decoder = new TextDecoder();

/** The text of a message, undefined at the end. */
export function asText(message: Uint8Array | undefined): string | undefined {
  return message === undefined ? undefined : decoder.decode(message);
}

/** The next message's text. */
export async function receiveText(connection: Connection): Promise<string | undefined> {
  return asText(await connection.receive());
}

/** The texts of all messages up to the end. */
export async function allTexts(connection: AsyncIterable<Uint8Array>): Promise<string[]> {
  const texts: string[] = [];
  for await (const message of connection) texts.push(decoder.decode(message));
  return texts;
}
