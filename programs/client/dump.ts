/** The client's `dump`: the TCP connections in a capture, as messages. */

import { reasonOf } from "../../internal/reason.ts";
import { ByteReader } from "../capture/bytes.ts";
import { CaptureError, packetsOf } from "../capture/packets.ts";
import { type StreamEvent, Streams } from "../capture/streams.ts";
import { fileSources } from "../guess/sources.ts";
import { readable, requireFile } from "../shared/given.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { messageOf } from "../shared/report.ts";
import type { ToolContext } from "./context.ts";
import { type Choice, choiceOf } from "./dumping/choice.ts";
import { Conversation, type Listener, type Unfinished } from "./dumping/conversation.ts";
import { findFramings, type Finding } from "./dumping/guessing.ts";
import { Teller } from "./dumping/teller.ts";
import { Recorder } from "./recording/recorder.ts";

/**
 * Puts the TCP connections of a capture together, decodes them, and shows each message. Resolves to 1
 * if something is missing, and to 3 if bytes do not fit to the framing.
 */
export async function dump(context: ToolContext): Promise<number> {
  const { operands: [file, ...rest], options, reporter, resources } = context;
  if (file === undefined || rest.length > 0) {
    throw new UsageError(`"dump" takes one FILE, or - for standard input`);
  }
  const choice = choiceOf(options);
  const findings = await findingsFor(file, choice, context);
  const path = options.text("record");
  const recorder = path === undefined ? undefined : await Recorder.open(path);
  if (recorder !== undefined) resources.defer(() => Promise.resolve(recorder[Symbol.dispose]()));
  const teller = new Teller(context, recorder);
  const dumper = new Dumper(choice, findings, teller);
  try {
    await dumper.run(await chunksOf(file, context), async () => {
      recorder?.flush();
      await context.host.stdout.room();
    });
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    if (context.stopped.aborted) return dumper.exitCode; // What was cut off was not wanted any more.
    reporter.error(`${file}: ${messageOf(error)}`);
    return dumper.exitCode || EXIT.lost;
  }
  if (!dumper.sawBytes && !context.stopped.aborted) {
    reporter.error(nothing(file, dumper.streams));
    return EXIT.lost;
  }
  return dumper.exitCode;
}

/**
 * What fits, if no framing is said for all. A file is read twice for that.
 *
 * @throws {UsageError} for a pipe, which can be read only once.
 */
async function findingsFor(
  file: string,
  choice: Choice,
  context: ToolContext,
): Promise<ReadonlyMap<string, Finding>> {
  const { options } = context;
  if (options.text("framing") !== undefined) return new Map();
  if (file !== "-") {
    await requireFile("read", file);
    const { isFile } = await Deno.stat(file).catch((error) => {
      throw new Error(`${file}: ${reasonOf(error)}`, { cause: error });
    });
    if (isFile) return findFramings(await fileSources(file, await readable(file), choice), options);
  }
  if (options.text("decode") !== undefined) return new Map();
  throw new UsageError(
    "a pipe is read once, so it must be said what is in it: --framing NAME, or --decode PORT=NAME",
  );
}

/** The bytes of the capture, up to when the user wants the program to end. */
async function* chunksOf(
  file: string,
  { host, stopped }: ToolContext,
): AsyncGenerator<Uint8Array> {
  const stream = file === "-" ? host.stdin.readable : await readable(file);
  const reader = stream.getReader();
  const stop = () => reader.cancel().catch(() => {});
  stopped.addEventListener("abort", stop, { once: true });
  try {
    while (!stopped.aborted) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw new Error(`${file}: ${reasonOf(error)}`, { cause: error });
  } finally {
    stopped.removeEventListener("abort", stop);
    await stop();
  }
}

/** What is known of a connection. */
interface Known {
  readonly conversation: Conversation;
  readonly listener: Listener & { readonly id: number };
}

/** From packets to messages. */
class Dumper {
  readonly streams: Streams;
  /** Whether there was anything in any connection. */
  sawBytes = false;
  readonly #choice: Choice;
  readonly #findings: ReadonlyMap<string, Finding>;
  readonly #teller: Teller;
  readonly #known = new Map<number, Known>();
  readonly #unfinished: Unfinished = { bytes: 0 };
  /** Servers whose connections are left out, as was told. */
  readonly #leftOut = new Set<string>();

  constructor(choice: Choice, findings: ReadonlyMap<string, Finding>, teller: Teller) {
    this.#choice = choice;
    this.#findings = findings;
    this.#teller = teller;
    this.streams = new Streams(choice);
  }

  /** What comes of the problems that there were. */
  get exitCode(): number {
    const { missing, wrong } = this.#teller.problems;
    return wrong > 0 ? EXIT.protocol : missing > 0 ? EXIT.lost : EXIT.done;
  }

  /** Takes all packets. `flush` waits until what was told is out. */
  async run(chunks: AsyncIterable<Uint8Array>, flush: () => Promise<void>): Promise<void> {
    await using file = new ByteReader(chunks);
    try {
      for await (const packet of packetsOf(file)) {
        const events = this.streams.add(packet);
        if (events.length === 0) continue;
        for (const event of events) this.#take(event);
        await flush();
      }
    } finally {
      for (const event of this.streams.end()) this.#take(event);
      await flush();
    }
  }

  #take(event: StreamEvent): void {
    const { stream, time, isLast } = event;
    const known = this.#known.get(stream.number) ?? (isLast ? undefined : this.#open(event));
    if (known === undefined) return;
    known.conversation.take(event);
    if (!isLast) return;
    this.#known.delete(stream.number);
    this.#teller.closed(known.listener, known.conversation, time);
  }

  #open({ stream }: StreamEvent): Known | undefined {
    this.sawBytes = true;
    const { server, number } = stream;
    const found = this.#findings.get(server);
    const framing = this.#choice.framingFor(server) ??
      (found !== undefined && "framing" in found ? found.framing : undefined);
    if (framing === undefined) {
      if (!this.#leftOut.has(server)) this.#teller.leftOut(unsure(server, found));
      this.#leftOut.add(server);
      return undefined;
    }
    const listener = this.#teller.opened(stream, framing);
    const conversation = new Conversation(stream, framing, listener, this.#unfinished);
    const known = { conversation, listener };
    this.#known.set(number, known);
    return known;
  }
}

function unsure(server: string, finding: Finding | undefined): string {
  const likeliest = finding !== undefined && "likeliest" in finding ? finding.likeliest : undefined;
  const port = server.slice(server.lastIndexOf(":") + 1);
  const what = likeliest === undefined ? "" : ` (${likeliest} is the likeliest)`;
  return `connections to ${server} are left out: no framing is sure${what}; ` +
    `say it with --decode ${port}=NAME, or --framing NAME`;
}

/** Why there is nothing to tell. */
function nothing(file: string, { skipped }: Streams): string {
  const reasons = [...skipped].map(([reason, count]) => `${count} packets: ${reason}`);
  const why = reasons.length === 0 ? "" : ` (${reasons.join(", ")})`;
  return `there are no bytes of TCP that are wanted in ${file}${why}`;
}
