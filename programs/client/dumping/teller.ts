/** Tells what was on the connections of a capture: on stdout, and in a recording. */

import type { Framing } from "../../../codec.ts";
import type { Stream } from "../../capture/streams.ts";
import { type Event, eventLine } from "../../shared/events.ts";
import type { OutForm } from "../../shared/forms.ts";
import { type ParsedOptions, UsageError } from "../../shared/options.ts";
import { messageForm } from "../../shared/shown.ts";
import type { ToolContext } from "../context.ts";
import type { Recorder } from "../recording/recorder.ts";
import { contentOf } from "../recording/format.ts";
import { outFormOf } from "../messages.ts";
import { showMessage } from "../relay/eyes.ts";
import type { Direction } from "../relay/join.ts";
import type { Show } from "../relay/options.ts";
import type { Conversation, Listener, Problem } from "./conversation.ts";
import { Part } from "./part.ts";

/** Tells, and counts what was missing or wrong. */
export class Teller {
  /** How often something was missing, and how often the framing was wrong. */
  readonly problems: Record<Problem, number> = { missing: 0, wrong: 0 };
  /** How many connections there were. */
  count = 0;
  readonly #context: ToolContext;
  readonly #show: Show;
  readonly #print: ((message: Uint8Array) => void) | undefined;
  readonly #wanted: Direction | undefined;
  /** Whether connections are told of among the messages. */
  readonly #tellsConnections: boolean;
  readonly #recorder: Recorder | undefined;
  #part: Part | undefined;

  /**
   * The options say how messages are shown.
   *
   * @throws {UsageError} for two ways at once.
   */
  constructor(context: ToolContext, recorder: Recorder | undefined) {
    const { options, host: { stdout } } = context;
    const out = outFormOf(context);
    this.#context = context;
    this.#show = showOf(options, out);
    if (out !== undefined) {
      const shown = messageForm(out, stdout.isTerminal);
      this.#print = (message) => stdout.write(shown(message));
    }
    const from = options.text("from");
    this.#wanted = from === undefined ? undefined : from === "client" ? ">" : "<";
    this.#tellsConnections = this.#show !== "none" && !options.on("quiet");
    this.#recorder = recorder;
  }

  /** A connection was seen. Gives who hears of it. */
  opened(stream: Stream, framing: Framing): Listener & { readonly id: number } {
    const id = ++this.count;
    const { client, server, time } = stream;
    const part = this.#partOf(server, framing, time);
    part?.open(id, client, time);
    if (this.#tellsConnections) {
      const later = stream.begins ? "" : ", from its middle on";
      this.#tell(
        { event: "connected", id, time: iso(time), client, server, framing: framing.name },
        `${iso(time).slice(0, 10)} ${clock(time)} #${id} ${client} > ${server}, ` +
          `${framing.name}${later}`,
      );
    }
    return {
      id,
      message: (direction, time, message) => {
        part?.add({ type: "message", time, id, direction, ...contentOf(message, false) });
        if (this.#wanted !== undefined && this.#wanted !== direction) return;
        if (this.#print !== undefined) return this.#print(message);
        const passing = { id, direction, time: iso(time) };
        showMessage(this.#show, passing, message, this.#context.host.stdout);
      },
      ended: (direction, time) => part?.add({ type: "end", time, id, direction }),
      problem: (direction, time, kind, why) => {
        this.#problem(kind, `#${id} ${direction}: ${why}`, { id, direction, time: iso(time) });
      },
    };
  }

  /** Nothing more comes of a connection. */
  closed({ id }: { readonly id: number }, conversation: Conversation, time: number): void {
    const { end, counts: { there, back } } = conversation;
    const error = end === "closed"
      ? undefined
      : end === "reset"
      ? "the connection was reset"
      : "the capture has no end of this connection";
    this.#part?.closed(id, time, error);
    if (!this.#tellsConnections) return;
    this.#tell(
      {
        event: "closed",
        id,
        time: iso(time),
        clean: end === "closed",
        error,
        messagesThere: there,
        messagesBack: back,
      },
      `${clock(time)} #${id} ${end}: ${there} messages there, ${back} back`,
    );
  }

  /** Connections that are left out; why, in words. */
  leftOut(why: string): void {
    this.#problem("missing", why, {});
  }

  #problem(kind: Problem, message: string, about: Record<string, unknown>): void {
    this.problems[kind]++;
    const { options, reporter } = this.#context;
    if (options.on("json")) reporter.event({ event: "error", ...about, message });
    else reporter.error(message);
  }

  #tell(event: Event, line: string): void {
    this.#context.host.stdout.write(this.#show === "json" ? eventLine(event) : `${line}\n`);
  }

  /** The part of the recording for a connection: one server is recorded, the first one. */
  #partOf(server: string, framing: Framing, time: number): Part | undefined {
    if (this.#recorder === undefined) return undefined;
    this.#part ??= new Part(this.#recorder, server, framing, time);
    if (this.#part.server === server) return this.#part;
    if (this.#part.isNew(server)) {
      this.leftOut(
        `--record: connections to ${server} are left out, because the recording is of ` +
          `${this.#part.server}; --ports and --hosts choose`,
      );
    }
    return undefined;
  }
}

function showOf(options: ParsedOptions, out: OutForm | undefined): Show {
  const show = options.text("show") as Show | undefined;
  if (out === undefined) return show ?? (options.on("json") ? "json" : "pretty");
  if (show === undefined) return "none";
  throw new UsageError("--show and --out: give one of them");
}

/** A time of a capture as in RFC 3339, with microseconds. */
function iso(time: number): string {
  const whole = Math.floor(time);
  const text = new Date(whole).toISOString();
  const micros = Math.min(999, Math.round((time - whole) * 1000));
  return `${text.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
}

function clock(time: number): string {
  return iso(time).slice(11, -1);
}
