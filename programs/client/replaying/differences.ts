/** What `replay` tells of answers that are not the recorded ones. */

import { EXIT, UsageError } from "../../shared/options.ts";
import { jsonOf } from "../../shared/shown.ts";
import { printable } from "../../../internal/text.ts";
import type { ToolContext } from "../context.ts";
import type { Direction } from "../relay/join.ts";
import type { Difference } from "./actor.ts";

/** More of a message is not shown. */
const MAX_SHOWN = 200;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Compares answers, and counts and tells those that differ. */
export class Differences {
  #count = 0;
  readonly #context: ToolContext;
  readonly #direction: Direction;
  readonly #ignore: RegExp | undefined;
  readonly #isOn: boolean;

  /**
   * The options say whether, and what of a message is left out.
   *
   * @throws {UsageError} for a pattern that is none.
   */
  constructor(context: ToolContext, direction: Direction) {
    this.#context = context;
    this.#direction = direction;
    this.#isOn = context.options.on("diff");
    this.#ignore = patternOf(context.options.text("ignore"));
  }

  /** Whether two answers are the same, but for what is left out. */
  isSame(recorded: Uint8Array, came: Uint8Array): boolean {
    if (recorded.length === came.length && recorded.every((byte, i) => byte === came[i])) {
      return true;
    }
    if (this.#ignore === undefined) return false;
    const [one, other] = [recorded, came].map((message) =>
      decoder.decode(message).replaceAll(this.#ignore!, "")
    );
    return one === other;
  }

  /** Tells of a difference, if that is wanted. */
  add({ id, answer, recorded, came }: Difference): void {
    if (!this.#isOn) return;
    this.#count++;
    const { options, reporter, host: { stdout } } = this.#context;
    if (options.on("json")) {
      const [before, now] = [recorded, came].map((message) => message && jsonOf(message));
      reporter.event({ event: "difference", id, answer, recorded: before, came: now });
      return;
    }
    const [before, now] = [recorded, came].map(shown);
    stdout.write(`#${id} ${this.#direction} ${answer}: recorded ${before}, came ${now}\n`);
  }

  /** Tells how many there were, and gives the exit code. */
  conclude(sent: number): number {
    const { options, reporter, host: { stdout } } = this.#context;
    if (!this.#isOn) return EXIT.done;
    if (options.on("json")) reporter.event({ event: "replayed", sent, differences: this.#count });
    else {
      const how = this.#count === 0 ? "no answer differs" : `${this.#count} answers differ`;
      stdout.write(`${sent} messages sent, ${how}\n`);
    }
    return this.#count === 0 ? EXIT.done : EXIT.lost;
  }
}

function shown(message: Uint8Array | undefined): string {
  if (message === undefined) return "nothing";
  const text = JSON.stringify(jsonOf(message));
  return printable(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

function patternOf(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text, "gu");
  } catch (error) {
    throw new UsageError(`--ignore ${text}: ${(error as Error).message}`);
  }
}
