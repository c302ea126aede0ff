/**
 * The memory of a server that echoes for a long time, while connections come and go. The time has ten
 * parts. In the first one, the runtime compiles the code and the server finds its size. From the second
 * to the last one, its largest size must stay as it is.
 */

import { Child } from "../child.ts";
import type { Count } from "../load/one_way.ts";
import type { Measure, Settings } from "../measure.ts";
import { load, server } from "../programs.ts";

const PARTS = 10;
/** How much the memory may grow. */
const GROWTH = 1.05;
const SIZE = 32;
const CONNECTIONS = 16;
const WINDOW = 256;
/** For how long connections stay, and how often to look, in milliseconds. */
const STAY = 2_000;
const INTERVAL = 100;

/** All of this kind. */
export const soak: Measure[] = [{
  rows: [
    {
      name: "soak: growth of an echoing server",
      unit: "times",
      least: true,
      goals: [{ value: GROWTH }],
    },
    { name: "soak: its memory", unit: "B", least: true },
    { name: "soak: its echoes", unit: "msg/s" },
  ],
  subjects: ["lengthwise"],
  warmUps: 0,
  rounds: 1,
  isLong: true,
  async open({ peers, soak }: Settings) {
    await using stack = new AsyncDisposableStack();
    const loader = stack.use(new Child(load(peers)));
    await loader.next();
    const echoing = stack.use(new Child(server("lengthwise", ["echo", `${SIZE}`], peers)));
    const { port } = await echoing.next<{ port: number }>();
    const owned = stack.move();
    return {
      async run() {
        const end = performance.now() + soak;
        const [largest, echoes] = await Promise.all([
          largestOf(echoing, soak),
          echoUntil(loader, port, end),
        ]);
        return [largest[PARTS - 1] / largest[1], largest[PARTS - 1], echoes];
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
}];

/** The largest memory of a server in each part of the time. */
async function largestOf(child: Child, time: number): Promise<number[]> {
  const largest = new Array<number>(PARTS).fill(0);
  const start = performance.now();
  for (;;) {
    const part = Math.floor((performance.now() - start) / time * PARTS);
    if (part >= PARTS) return largest;
    largest[part] = Math.max(largest[part], await child.ask<number>("memory"));
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}

/** Echoes with new connections again and again. Gives how many came back per second. */
async function echoUntil(loader: Child, port: number, end: number): Promise<number> {
  const total = { messages: 0, seconds: 0 };
  for (let left; (left = end - performance.now()) > 0;) {
    const { messages, seconds } = await loader.ask<Count>("echo", {
      port,
      wire: "u32be",
      size: SIZE,
      duration: Math.min(left, STAY),
      connections: CONNECTIONS,
      window: WINDOW,
    });
    total.messages += messages;
    total.seconds += seconds;
  }
  return total.messages / total.seconds;
}
