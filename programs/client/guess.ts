/** The client's `guess`: which framing fits to what a file holds, or to what a peer says. */

import { connect } from "../../connect/connect.ts";
import { printable } from "../../internal/text.ts";
import { deadlineOf } from "../../internal/time.ts";
import { parseEndpoint } from "../../transport.ts";
import type { Guess } from "../guess/guess.ts";
import type { Sample } from "../guess/sample.ts";
import { fileSources, heard, type Source } from "../guess/sources.ts";
import { type Subject, subjectsIn } from "../guess/subjects.ts";
import { readable } from "../shared/given.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { connectOptionsFor } from "./connecting.ts";
import type { ToolContext } from "./context.ts";

/** So many framings are told, and so many messages are shown. */
const MAX_TOLD = 5;
const MAX_SHOWN = 5;
const MAX_SHOWN_BYTES = 48;
/** How long a peer may be quiet before its first word, and between two, in milliseconds. */
const FIRST_WORD = 3_000;

/** Tells which framings fit. Resolves to 0 if there is one. */
export async function guessFraming(context: ToolContext): Promise<number> {
  const { operands, reporter, host: { stdout } } = context;
  const [of, ...texts] = operands;
  if (of === undefined) throw new UsageError(`"guess" needs an ENDPOINT or a FILE to look at`);
  const isPeer = of !== "-" && isEndpoint(of);
  if (!isPeer && texts.length > 0) {
    throw new UsageError(`only a peer can be told something, and "${of}" is a file`);
  }
  const sources = isPeer ? [await ask(of, texts, context)] : await readFile(of, context);
  let found = 0;
  for (const source of sources) {
    for (const subject of subjectsIn(source)) {
      found += tell(subject, context) ? 1 : 0;
      await stdout.flush();
    }
  }
  if (found > 0) return EXIT.done;
  reporter.error(nothing(of, sources, isPeer));
  return EXIT.lost;
}

function isEndpoint(text: string): boolean {
  try {
    parseEndpoint(text);
    return true;
  } catch {
    return false;
  }
}

async function readFile(file: string, { host }: ToolContext): Promise<Source[]> {
  if (file === "-") return await fileSources("standard input", host.stdin.readable);
  return await fileSources(file, await readable(file));
}

/** What a peer says by itself, or to a few lines. */
async function ask(
  endpoint: string,
  texts: readonly string[],
  context: ToolContext,
): Promise<Source> {
  const options = await connectOptionsFor(endpoint, context);
  await using connection = await connect(endpoint, { ...options, framing: "none" });
  const quiet = new AbortController();
  const deadline = deadlineOf(context.options.number("timeout") ?? FIRST_WORD, () => quiet.abort());
  context.stopped.addEventListener("abort", () => quiet.abort());
  try {
    for (const text of texts) await connection.send(`${text}\r\n`);
    const sample = await heard(connection, quiet.signal);
    const samples = sample.bytes.length > 0 ? [sample] : [];
    return { name: endpoint, directions: [{ name: "server", samples }] };
  } finally {
    deadline.clear();
    connection.abort();
  }
}

/** Tells what was found; whether anything was. */
function tell({ name, samples, guesses, change }: Subject, context: ToolContext): boolean {
  const { options, reporter, host: { stdout } } = context;
  const size = samples.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const { fitting, begun } = guesses;
  if (options.on("json")) {
    for (const one of fitting.slice(0, MAX_TOLD)) reporter.event(eventOf(name, one, 0));
    if (change !== undefined) reporter.event(eventOf(name, change.guess, change.bytes));
    return fitting.length > 0 || change !== undefined;
  }
  stdout.write(`${printable(name)}: ${size} bytes looked at\n`);
  for (const one of fitting.slice(0, MAX_TOLD)) stdout.write(`${line(one)}\n`);
  if (fitting.length > 0) show(fitting[0], samples);
  else if (change === undefined && begun.length > 0) {
    const [{ framing, messages, end, error }] = begun;
    const up = `fits to the first ${messages} messages, up to byte ${end}`;
    stdout.write(`  nothing fits to all of it; ${framing} ${up}: ${error.message}\n`);
  } else if (change === undefined) stdout.write("  nothing fits\n");
  if (change !== undefined) {
    stdout.write(`  behind the first ${change.bytes} bytes:\n${line(change.guess)}\n`);
    show(change.guess, samples, change.bytes);
  }
  return fitting.length > 0 || change !== undefined;

  function show(one: Guess, from: readonly Sample[], skipped = 0): void {
    stdout.write(`  first messages as ${one.framing}:\n`);
    if (skipped > 0) stdout.write(`    ${shown(from[0].bytes.subarray(0, skipped))}\n`);
    const messages = one.decoded.flatMap(({ cuts }) => cuts.map(({ message }) => message));
    for (const message of messages.slice(0, MAX_SHOWN)) {
      stdout.write(`    ${String(message.length).padStart(5)}  ${shown(message)}\n`);
    }
  }
}

function line(one: Guess): string {
  const also = one.also.filter((name) => !name.startsWith("length("));
  const names = also.length === 0 ? "" : ` (also ${also.slice(0, 6).join(", ")})`;
  return `  ${percent(one.share)}  ${one.framing}${names}: ${why(one)}`;
}

function percent(share: number): string {
  return share > 0.995
    ? ">99 %"
    : share < 0.005
    ? " <1 %"
    : `${(share * 100).toFixed(0)} %`.padStart(5);
}

/** Why it is likely, in words. */
function why({ decoded, bits }: Guess): string {
  const messages = decoded.reduce((sum, { cuts }) => sum + cuts.length, 0);
  const rest = decoded.reduce((sum, { restBytes }) => sum + restBytes, 0);
  const whole = messages === 1 ? "1 whole message" : `${messages} whole messages`;
  const left = rest === 0 ? "nothing left over" : `${rest} bytes of a further one`;
  return `${whole}, ${left}; other bytes would fit once in ${chance(bits)}`;
}

function chance(bits: number): string {
  return bits < 20 ? Math.round(2 ** bits).toString() : `10^${Math.floor(bits * Math.log10(2))}`;
}

function shown(message: Uint8Array): string {
  const part = message.subarray(0, MAX_SHOWN_BYTES);
  const more = message.length > part.length ? " …" : "";
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(part, { stream: more !== "" });
    // deno-lint-ignore no-control-regex
    if (!/[\x00-\x08\x0e-\x1f]/.test(text)) return `"${printable(text)}"${more}`;
  } catch { /* It is no text. */ }
  return part.toHex().replace(/..(?=.)/g, "$& ") + more;
}

function eventOf(of: string, { framing, also, share, bits, decoded }: Guess, after: number) {
  const messages = decoded.flatMap(({ cuts }) => cuts.map(({ message }) => message));
  return {
    event: "guess",
    of,
    framing,
    also,
    share,
    bits,
    after,
    messages: messages.length,
    restBytes: decoded.reduce((sum, { restBytes }) => sum + restBytes, 0),
    first: messages.slice(0, MAX_SHOWN).map((message) => message.toBase64()),
  };
}

function nothing(of: string, sources: readonly Source[], isPeer: boolean): string {
  const silent = sources.every(({ directions }) =>
    directions.every(({ samples }) => !samples.length)
  );
  if (!silent) return `no framing fits to ${of}`;
  if (!isPeer) return `there are no bytes of TCP in ${of}`;
  return `${of} says nothing by itself; client.ts guess ${of} TEXT… sends it lines first, and ` +
    "client.ts guess FILE looks at a capture of a whole conversation";
}
