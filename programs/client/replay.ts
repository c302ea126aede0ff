/** The client's `replay`: plays what a proxy has recorded, to one of the two ends. */

import { decode, line } from "../../codec.ts";
import { timeText } from "../shared/events.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { exitCodeOf } from "../shared/program.ts";
import { messageOf } from "../shared/report.ts";
import type { ToolContext } from "./context.ts";
import type { Header } from "./recording/format.ts";
import { readRecording } from "./recording/reader.ts";
import { showMessage } from "./relay/eyes.ts";
import type { Direction } from "./relay/join.ts";
import type { Show } from "./relay/options.ts";
import { Differences } from "./replaying/differences.ts";
import { Player } from "./replaying/player.ts";
import { connecting, listening } from "./replaying/sources.ts";

/** How long an answer may take if nothing else is said, in milliseconds. */
const TIMEOUT = 10_000;
/** The input has ended, so nobody asks for a further step. */
const STEPS_OVER = new Error("the steps are over");

/**
 * Plays a recording: as the client, to the recorded target or another one, or as the server, to peers
 * that come. Its pace is the recorded one, `--speed` times faster, or a message per line of stdin
 * (`--step`). With `--diff` the answers are compared, and the exit code is 1 if one differs.
 */
export async function replay(context: ToolContext): Promise<number> {
  const { operands: [file, given, ...rest], options, reporter, host: { stdout }, stopped } =
    context;
  if (file === undefined || rest.length > 0) {
    throw new UsageError(`"replay" takes a FILE, and perhaps an ENDPOINT`);
  }
  const isServer = options.text("as") === "server";
  const [there, back]: Direction[] = isServer ? ["<", ">"] : [">", "<"];
  const speed = speedOf(options.text("speed"));
  const differences = new Differences(context, back);
  const show = options.text("show") as Show ??
    (options.on("diff") ? "none" : options.on("json") ? "json" : "pretty");
  const shown = async (id: number, direction: Direction, message: Uint8Array) => {
    showMessage(show, { id, direction, time: timeText() }, message, stdout);
    await stdout.room();
  };
  const { listen, target } = await headerOf(file);
  const endpoint = given ?? (isServer ? listen : target);
  const source = await (isServer ? listening : connecting)(endpoint, context);
  const player = new Player({
    direction: there,
    next: source.next,
    speed,
    step: options.on("step") ? stepper(context) : undefined,
    timeout: options.number("timeout") ?? TIMEOUT,
    sent: (id, message) => shown(id, there, message),
    audience: {
      heard: (id, message) => shown(id, back, message),
      isSame: (recorded, came) => differences.isSame(recorded, came),
      differs: (difference) => differences.add(difference),
    },
    stopped,
  });
  try {
    await player.play(readRecording(file));
  } catch (error) {
    if (!stopped.aborted && error !== STEPS_OVER) throw error;
    return EXIT.done;
  } finally {
    await source.close();
  }
  const code = differences.conclude(player.sent);
  if (player.failure === undefined) return code;
  const { id, error } = player.failure;
  reporter.error(`#${id}: ${messageOf(error)}`);
  return exitCodeOf(error);
}

/** The first line, which says where the recorded ends were. */
async function headerOf(file: string): Promise<Header> {
  for await (const { entry } of readRecording(file)) return entry as Header;
  throw new Error(`${file}: there is nothing in it`);
}

function speedOf(text: string | undefined): number {
  if (text === undefined) return 1;
  if (text === "max") return Infinity;
  const speed = Number(text);
  if (/^\d*\.?\d+$/.test(text) && speed > 0) return speed;
  throw new UsageError(`--speed ${text}: it must be a number above 0, such as 2 or 0.5, or max`);
}

/** Waits for a line of standard input before each message. */
function stepper({ host, reporter, stopped }: ToolContext) {
  const lines = decode(host.stdin.readable, line({ telnet: false }));
  const isStopped = Promise.withResolvers<never>();
  isStopped.promise.catch(() => {});
  stopped.addEventListener("abort", () => isStopped.reject(stopped.reason), { once: true });
  return async (id: number, message: Uint8Array) => {
    const size = message.length;
    reporter.event({ event: "step", id, size }, `#${id}: Enter sends the next ${size} B`);
    const { done } = await Promise.race([lines.next(), isStopped.promise]);
    if (done) throw STEPS_OVER;
  };
}
