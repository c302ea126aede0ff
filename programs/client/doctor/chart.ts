/** What a look at an endpoint has found: what was seen, and what is wrong, in order. */

import { printable } from "../../../internal/text.ts";
import { EXIT } from "../../shared/options.ts";
import type { ToolContext } from "../context.ts";

/** The parts of a look, in their order. */
export type Check =
  | "endpoint"
  | "proxy"
  | "name"
  | "connect"
  | "tls"
  | "upgrade"
  | "clock"
  | "peer"
  | "round trip"
  | "mtu";

/** The width of the longest name of a part, and two spaces. */
const WIDTH = 12;

/** Something that is wrong. */
export interface Problem {
  /** What it is. */
  readonly problem: string;
  /** What to do. */
  readonly advice: string;
}

/** Collects what was found, and prints it as it comes. */
export class Chart {
  /** What is wrong, in the order in which it was found. */
  readonly problems: Problem[] = [];
  readonly #context: ToolContext;
  #last: Check | undefined;

  constructor(context: ToolContext) {
    this.#context = context;
  }

  /** Tells what was seen: a line for people, and an object for programs. */
  saw(check: Check, line: string, data: Record<string, unknown> = {}): void {
    const { options, reporter, host: { stdout } } = this.#context;
    if (options.on("json")) {
      reporter.event({ event: "check", check, text: line, ...data });
      return;
    }
    const label = check === this.#last ? "" : check;
    this.#last = check;
    stdout.write(`${label.padEnd(WIDTH)}${printable(line)}\n`);
  }

  /** Notes something that is wrong. It is told at the end. */
  wrong(problem: string, advice: string): void {
    this.problems.push({ problem, advice });
  }

  /** Tells what is wrong and what to do. Resolves to the exit code. */
  async close(): Promise<number> {
    const { options, reporter, host: { stdout } } = this.#context;
    const { problems } = this;
    if (options.on("json")) {
      for (const problem of problems) reporter.event({ event: "problem", ...problem });
      reporter.event({ event: "diagnosis", problems: problems.length });
    } else if (problems.length === 0) {
      stdout.write("nothing is wrong, as far as can be seen from here\n");
    } else {
      stdout.write("what is wrong, and what to do\n");
      problems.forEach(({ problem, advice }, index) =>
        stdout.write(`  ${index + 1}. ${printable(problem)}\n     ${printable(advice)}\n`)
      );
    }
    await stdout.flush();
    return problems.length === 0 ? EXIT.done : EXIT.lost;
  }
}

/** Milliseconds for people. */
export function ms(time: number): string {
  return `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;
}
