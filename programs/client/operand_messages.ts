/** The operands of `send` and `request` as messages: words, files, and standard input. */

import { concat } from "@std/bytes/concat";
import { markText } from "../../connection.ts";
import {
  type InForm,
  MAX_INPUT_MESSAGE_BYTES,
  parseMessage,
  readBatches,
} from "../shared/forms.ts";
import { readBytes } from "../shared/given.ts";
import type { Host } from "../shared/host.ts";
import { UsageError } from "../shared/options.ts";

/** Forms that say where a message ends, so that a file can have several. */
const SEPARATING: readonly InForm[] = ["lines", "hex", "base64", "json", "length"];

/**
 * The messages that operands stand for, in this order. A word is one message. `@FILE` is what a file
 * has, and `-` is standard input: one message, or several where the form separates them. `@@` stands
 * for an `@` at the start of a word.
 *
 * @throws {UsageError} for what has not the form, is too large, or is standard input for the second
 * time.
 * @throws {Error} for a file that cannot be read.
 */
export async function messagesFrom(
  operands: readonly string[],
  form: InForm | undefined,
  host: Host,
): Promise<Uint8Array[]> {
  if (operands.filter((operand) => operand === "-").length > 1) {
    throw new UsageError(`"-" is standard input, which can be read only once`);
  }
  const messages: Uint8Array[] = [];
  for (const operand of operands) {
    const content = await contentOf(operand, host);
    if (content === undefined) {
      const text = operand.replace(/^@@/, "@");
      messages.push(parseMessage(text, form ?? "lines", quoted(operand)));
    } else if (form === undefined) messages.push(markText(content));
    else if (!SEPARATING.includes(form)) messages.push(content);
    else for await (const batch of readBatches(pieces(content), form)) messages.push(...batch);
  }
  return messages;
}

/** What a file or standard input has. Undefined for a word that names neither. */
export async function contentOf(operand: string, host: Host): Promise<Uint8Array | undefined> {
  if (operand === "-") return await readAll(host.stdin.readable);
  if (!/^@[^@]/.test(operand)) return undefined;
  return await readBytes(operand, operand.slice(1), MAX_INPUT_MESSAGE_BYTES);
}

async function readAll(readable: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of readable) {
    bytes += chunk.length;
    if (bytes > MAX_INPUT_MESSAGE_BYTES) {
      throw new UsageError(`standard input: limit is ${MAX_INPUT_MESSAGE_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return concat(chunks);
}

async function* pieces(content: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  if (content.length > 0) yield content;
}

function quoted(operand: string): string {
  return JSON.stringify(operand.length > 60 ? `${operand.slice(0, 60)}…` : operand);
}
