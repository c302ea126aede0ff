/** The client's `request`: one request, and its answer on standard output. */

import { ConnectionLostError, ProtocolError } from "../../errors.ts";
import { printable } from "../../internal/text.ts";
import { RequestError, requests } from "../../request.ts";
import { eventLine } from "../shared/events.ts";
import { type OutForm, parseMessage } from "../shared/forms.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { type Output, OutputError, ReaderGoneError } from "../shared/output.ts";
import { messageForm } from "../shared/shown.ts";
import { tracing } from "../shared/tracing.ts";
import type { ClientContext } from "./context.ts";
import { inFormOf, outFormOf } from "./messages.ts";
import { contentOf } from "./operand_messages.ts";

/** What one byte of length can say. */
const MAX_NAME_BYTES = 255;
const ECHO = "the peer sends back what it gets, as --service echo: it answers no requests";

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
  let isEcho = false;
  const echoed = () => {
    isEcho = true;
    throw new RequestError("unknown-method", ECHO);
  };
  try {
    // Only a peer that sends back what it gets asks for the very method that it was asked for.
    const handlers = isName(method) ? { [method]: echoed } : {};
    await using peer = requests(connection, handlers, {
      timeout,
      helloTimeout: timeout,
      telemetry: await tracing(),
    });
    if (options.on("stream")) await printItems(peer.stream(method, params), print, stdout);
    else print(await peer.request(method, params));
    return EXIT.done;
  } catch (error) {
    if (isEcho) throw new ConnectionLostError(ECHO);
    if (error instanceof RequestError) {
      const isSilent = error.code === "timeout" && connection.stats.messagesReceived === 0;
      const hint = error.code === "wrong-kind"
        ? "; --stream asks for items"
        : isSilent
        ? strangeness(context)
        : "";
      reporter.error(`${method}: ${error.code}: ${error.message}${hint}`);
      return EXIT.lost;
    }
    connection.abort();
    if (error instanceof OutputError) throw error;
    const cause = error instanceof ConnectionLostError ? error.cause : undefined;
    if (!(cause instanceof ProtocolError)) throw error;
    throw new ProtocolError(`${cause.message}${strangeness(context)}`, { cause });
  }
}

/** Whether it can be the name of a method. */
function isName(method: string): boolean {
  const { length } = encoder.encode(method);
  return length > 0 && length <= MAX_NAME_BYTES;
}

/** What a peer probably is that does not say that it answers requests. */
function strangeness({ endpoint }: ClientContext): string {
  const look = `client.ts doctor ${printable(endpoint)} looks`;
  return `; it may answer no requests, or expect another framing: ${look}`;
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
        eventLine(
          value instanceof Uint8Array
            ? { event: "result", base64: value.toBase64() }
            : { event: "result", value },
        ),
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
