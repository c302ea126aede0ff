/** The part of a recording that comes from a capture. */

import { duplex, type Framing, type FramingText } from "../../../codec.ts";
import { inOf, outOf } from "../../../codec/internal.ts";
import { formatEndpoint, parseEndpoint, withFraming } from "../../../transport.ts";
import { type Entry, RECORDING_VERSION } from "../recording/format.ts";
import type { Recorder } from "../recording/recorder.ts";

/** The connections to one server. */
export class Part {
  readonly server: string;
  readonly #recorder: Recorder;
  readonly #others = new Set<string>();
  readonly #open = new Set<number>();

  /** Begins the part. `framing` is that of the client's end. */
  constructor(recorder: Recorder, server: string, framing: Framing, time: number) {
    this.server = server;
    this.#recorder = recorder;
    const target = parseEndpoint(`tcp://${server}`);
    const named = ({ name }: Framing) => formatEndpoint(withFraming(target, name as FramingText));
    this.add({
      type: "recording",
      version: RECORDING_VERSION,
      time,
      listen: named(otherEnd(framing)),
      target: named(framing),
    });
  }

  /** Whether another server was not seen before. */
  isNew(server: string): boolean {
    const isNew = !this.#others.has(server);
    this.#others.add(server);
    return isNew;
  }

  /** Adds an entry. It is in the file when the recorder was flushed. */
  add(entry: Entry): void {
    this.#recorder.add(entry);
  }

  /** A connection begins. */
  open(id: number, remote: string, time: number): void {
    this.#open.add(id);
    this.add({ type: "open", time, id, remote });
  }

  /** A connection is over, if it is one of these. */
  closed(id: number, time: number, error: string | undefined): void {
    if (this.#open.delete(id)) this.add({ type: "closed", time, id, error });
  }
}

/** The framing as the server's end has it. */
function otherEnd(framing: Framing): Framing {
  const [input, output] = [inOf(framing), outOf(framing)];
  return input === output ? framing : duplex({ in: output, out: input });
}
