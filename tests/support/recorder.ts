/** Something that traces, for tests: it remembers what it was told. */

import type { Telemetry, TraceContext } from "../../request.ts";

/** The example of W3C Trace Context, section 3.2. */
export const CONTEXT: TraceContext = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=t61",
};

/** Something traced: with what it ended, each time. */
export interface Recorded {
  readonly method: string;
  readonly context: TraceContext | undefined;
  readonly ends: unknown[];
}

/** Makes a recorder. Its requests carry {@linkcode CONTEXT}. */
export function recorder() {
  const called: Recorded[] = [];
  const handled: Recorded[] = [];
  const connected: string[] = [];
  let running: string | undefined;
  const telemetry: Telemetry = {
    connected(_, side) {
      connected.push(side);
      return { run: (work) => work(), end() {} };
    },
    calling(method) {
      const recorded: Recorded = { method, context: CONTEXT, ends: [] };
      called.push(recorded);
      return { context: CONTEXT, end: (error) => void recorded.ends.push(error) };
    },
    handling(method, context) {
      const recorded: Recorded = { method, context, ends: [] };
      handled.push(recorded);
      return {
        run(work) {
          const before = running;
          running = method;
          try {
            return work();
          } finally {
            running = before;
          }
        },
        end: (error) => void recorded.ends.push(error),
      };
    },
  };
  return {
    telemetry,
    called,
    handled,
    connected,
    /** The method whose handler runs now. */
    get running() {
      return running;
    },
  };
}
