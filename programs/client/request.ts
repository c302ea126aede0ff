/** The client's `request`: one request, and its answer on standard output. */

import { ConnectionLostError, ProtocolError } from "../../errors.ts";
import { printable } from "../../internal/text.ts";
import { RequestError, requests } from "../../request.ts";
import { type OutForm, parseMessage } from "../shared/forms.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { type Output, OutputError, ReaderGoneError } from "../shared/output.ts";
import { messageForm } from "../shared/shown.ts";
import type { ClientContext } from "./context.ts";
import { inFormOf, outFormOf } from "./messages.ts";
import { contentOf } from "./operand_messages.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Sends a request to a server that answers requests: `request METHOD [JSON]`. The result is printed
 * as one line of JSON. With `--stream`, each item is. Bytes are written as they are. If there is no
 * result, nothing is printed.
 */
export async function request(context: ClientContext): Promise<number> {
  const { operands: [method, json, ...rest], options, reporter, host: { stdout } } = context;
  if (method === undefined) throw new UsageError(`"request" needs a METHOD`);
  if (rest.length > 0) {
    throw new UsageError(`"request" takes METHOD and JSON, but got "${rest[0]}"`);
  }
  const form = outFormOf(context);
  const params = await paramsFrom(json, context);
  const timeout = Math.max(1, options.number("timeout") ?? 10_000);
  const connection = await context.connect();
  const print = form === undefined
    ? valuePrinter(options.on("json"), stdout)
    : formPrinter(form, stdout);
  try {
    await using peer = requests(connection, {}, { timeout, helloTimeout: timeout });
    if (options.on("stream")) await printItems(peer.stream(method, params), print, stdout);
    else print(await peer.request(method, params));
    return EXIT.done;
  } catch (error) {
    if (error instanceof RequestError) {
      const hint = error.code === "wrong-kind" ? "; --stream asks for items" : "";
      reporter.error(`${method}: ${error.code}: ${error.message}${hint}`);
      return EXIT.lost;
    }
    connection.abort();
    if (error instanceof OutputError) throw error;
    const isForeign = error instanceof ConnectionLostError && error.cause instanceof ProtocolError;
    throw isForeign ? error.cause : error;
  }
}

/**
 * What to ask with: JSON from the operand, a file or standard input, or bytes in the form of `--in`.
 * With `lines` it is a string.
 */
async function paramsFrom(operand: string | undefined, context: ClientContext): Promise<unknown> {
  if (operand === undefined) return undefined;
  const form = inFormOf(context) ?? "json";
  const content = await contentOf(operand, context.host);
  if (content !== undefined && form === "bytes") return content;
  const text = content === undefined ? operand : decoder.decode(content);
  if (form === "json") return parseParams(text);
  return form === "lines" ? text : parseMessage(text, form, `params ${operand}`);
}

function parseParams(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new UsageError(`params ${json} are not JSON: ${(error as Error).message}`);
  }
}

async function printItems(
  items: AsyncIterable<unknown>,
  print: (value: unknown) => void,
  stdout: Output,
): Promise<void> {
  try {
    for await (const item of items) {
      print(item);
      await stdout.room();
    }
  } catch (error) {
    if (!(error instanceof ReaderGoneError)) throw error;
  }
}

/**
 * Makes a function that prints values: as events, in a safe form for a terminal, or unchanged for a
 * pipe.
 */
function valuePrinter(json: boolean, stdout: Output): (value: unknown) => void {
  if (json) {
    return (value) =>
      stdout.write(
        JSON.stringify(
          value instanceof Uint8Array
            ? { event: "result", base64: value.toBase64() }
            : { event: "result", value },
        ) + "\n",
      );
  }
  const { isTerminal } = stdout;
  return (value) => {
    if (value === undefined) return;
    const isBytes = value instanceof Uint8Array;
    if (isBytes && !isTerminal) return stdout.write(value);
    const text = isBytes ? decoder.decode(value) : JSON.stringify(value);
    stdout.write((isTerminal ? printable(text) : text) + "\n");
  };
}

/** Makes a function that prints values in the form of `--out`. What is no bytes is JSON, or a text. */
function formPrinter(form: OutForm, stdout: Output): (value: unknown) => void {
  const shown = messageForm(form, stdout.isTerminal);
  return (value) => {
    if (value === undefined) return;
    if (value instanceof Uint8Array) return stdout.write(shown(value));
    if (form === "json") {
      return stdout.write(messageForm("lines", stdout.isTerminal)(bytesOf(value)));
    }
    const isText = typeof value === "string";
    stdout.write(shown(isText ? encoder.encode(value) : bytesOf(value)));
  };
}

function bytesOf(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}
