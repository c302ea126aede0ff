/** The client's `proxy`: a bridge that shows, records and disturbs what passes. */

import type { ToolContext } from "./context.ts";
import { Recorder } from "./recording/recorder.ts";
import { now, RECORDING_VERSION } from "./recording/format.ts";
import { recording, shower, together } from "./relay/eyes.ts";
import { faultsOf } from "./relay/faults.ts";
import type { Show } from "./relay/options.ts";
import { serveRelay } from "./relay/serve.ts";

/**
 * Joins two endpoints as `bridge` does, and shows each message on stdout. `--record` appends what
 * passes to a file, before it is sent on.
 */
export async function proxy(context: ToolContext): Promise<number> {
  const { options, host: { stdout }, resources } = context;
  const show = options.text("show") as Show ?? (options.on("json") ? "json" : "pretty");
  const file = options.text("record");
  const through = faultsOf(options, context.operands);
  const recorder = file === undefined ? undefined : await Recorder.open(file);
  if (recorder !== undefined) resources.use(asyncDisposed(recorder));
  return await serveRelay(context, {
    through,
    delay: options.number("delay"),
    start(listen, target) {
      recorder?.add({
        type: "recording",
        version: RECORDING_VERSION,
        time: now(),
        listen,
        target,
      });
      recorder?.flush();
    },
    eyes: (pair) =>
      together([
        recorder === undefined ? undefined : recording(pair, recorder),
        shower(show, pair, stdout),
      ]),
    closed(id, error) {
      recorder?.add({ type: "closed", time: now(), id, error });
      recorder?.flush();
    },
  });
}

function asyncDisposed(resource: Disposable): AsyncDisposable {
  return {
    [Symbol.asyncDispose]() {
      resource[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}
