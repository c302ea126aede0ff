/**
 * Thousands of connections that do nothing: how fast a new server takes them, in bursts, up to the
 * moment when its own code has got the last one, and by how much its memory has grown when things
 * are calm again.
 */

import { Child } from "../child.ts";
import type { Measure, Settings } from "../measure.ts";
import { load, server, type Subject, wireOf } from "../programs.ts";

const SUBJECTS: Subject[] = ["lengthwise", "raw", "net", "ws"];
/** Less than any backlog: what does not fit in there waits a second before it tries again. */
const BURST = 2000;
/** Time for garbage to be collected, in milliseconds. */
const CALM = 500;

/** All of this kind. */
export const idle: Measure[] = [{
  rows: [
    {
      name: "accepting",
      unit: "conn/s",
      goals: [{ against: ["raw"], ratio: 1 }, { against: ["ws"], ratio: 5 }],
    },
    {
      name: "memory of an idle connection",
      unit: "B",
      least: true,
      goals: [{ value: 6500 }, { against: ["ws"], ratio: 0.85 }],
    },
  ],
  subjects: SUBJECTS,
  async open(settings) {
    await using stack = new AsyncDisposableStack();
    const loader = stack.use(new Child(load(settings.peers)));
    await loader.next();
    const owned = stack.move();
    return {
      run: (subject) => acceptAndRest(subject, loader, settings),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
}];

async function acceptAndRest(subject: Subject, loader: Child, settings: Settings) {
  const { connections: count, peers } = settings;
  await using child = new Child(server(subject, ["idle"], peers));
  const { port } = await child.next<{ port: number }>();
  const before = await child.ask<number>("memory");
  try {
    let seconds = 0;
    for (let left = count; left > 0; left -= BURST) {
      const burst = Math.min(left, BURST);
      const start = performance.now();
      await Promise.all([
        child.ask("opened", { count: burst }),
        loader.ask("hold", { port, wire: wireOf(subject), count: burst }),
      ]);
      seconds += (performance.now() - start) / 1000;
    }
    await new Promise((resolve) => setTimeout(resolve, CALM));
    return [count / seconds, (await child.ask<number>("memory") - before) / count];
  } finally {
    await loader.ask("release");
  }
}
