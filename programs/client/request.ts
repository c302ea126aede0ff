/** The client's `request`: one request, and its answer on standard output. */

import { ConnectionLostError, ProtocolError } from "../../errors.ts";
import { printable } from "../../internal/text.ts";
import { RequestError, requests } from "../../request.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { type Output, OutputError, ReaderGoneError } from "../shared/output.ts";
import type { ClientContext } from "./context.ts";

const decoder = new TextDecoder();

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
  const params = parseParams(json);
  const timeout = Math.max(1, options.number("timeout") ?? 10_000);
  const connection = await context.connect();
  const print = valuePrinter(options.on("json"), stdout);
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

function parseParams(json: string | undefined): unknown {
  if (json === undefined) return undefined;
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
