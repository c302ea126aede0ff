/**
 * What a web page gets: Deno's WebSocket is the client of all, with text messages of 32 B that come back.
 * Beside Lengthwise stand `ws` and Socket.IO; a page of Socket.IO's would have to decode events besides.
 * Round trips with both ends on one core, as for the other echoes.
 */

import { Child, onOneCore, type Program } from "../child.ts";
import type { Measure, Runs, Settings } from "../measure.ts";
import { missing, program, type Subject, withPeers } from "../programs.ts";

const FILES: Partial<Record<Subject, string>> = {
  lengthwise: "lengthwise.ts",
  ws: "ws.mjs",
  sio: "socket_io.mjs",
};
const SUBJECTS: readonly Subject[] = ["lengthwise", "ws", "sio"];
const SIZE = 32;
const WINDOW = 256;

/** All of this kind. */
export const browser: Measure[] = [{
  rows: [
    { name: "page's WebSocket 32 B, p50", unit: "us", least: true },
    { name: "page's WebSocket 32 B, p99", unit: "us", least: true },
  ],
  subjects: SUBJECTS,
  open: (settings) =>
    open(settings, onOneCore, (page, talk) => page.ask("roundTrip", { ...talk, count: 2000 })),
}, {
  rows: [{ name: "page's WebSocket 32 B, echoes", unit: "msg/s" }],
  subjects: SUBJECTS,
  open: (settings) =>
    open(settings, (program) => program, async (page, talk) => {
      const run = { ...talk, window: WINDOW, duration: settings.duration };
      return [await page.ask<number>("echo", run)];
    }),
}];

/** A server per subject, and a page for each. */
async function open(
  { peers }: Settings,
  place: (program: Program) => Program | Promise<Program>,
  run: (page: Child, talk: object) => Promise<number[]>,
): Promise<Runs> {
  await using stack = new AsyncDisposableStack();
  const start = async (file: string) => {
    const child = stack.use(new Child(await place(program(file, [], withPeers(peers)))));
    return { child, ...await child.next<{ port: number }>() };
  };
  const started = new Map<Subject, [page: Child, talk: object]>();
  for (const subject of SUBJECTS) {
    if (missing(subject, peers) !== undefined) continue;
    const { port } = await start(`subjects/browser/${FILES[subject]}`);
    const { child } = await start("subjects/browser/page.ts");
    started.set(subject, [child, { port, isSocketIo: subject === "sio", size: SIZE }]);
  }
  const owned = stack.move();
  return {
    run: (subject) => run(...started.get(subject)!),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
