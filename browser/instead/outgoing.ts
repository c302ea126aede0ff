/** What a session of a page sends: chunks are kept as they came, and copied into each frame. */

import { MAX_DATA_BYTES, OutgoingStream } from "../../session/outgoing_stream.ts";
import { DATA_HEADER_BYTES } from "../../session/wire.ts";

/** As the whole of it, without memory that is used again. */
export class Outgoing extends OutgoingStream {
  readonly blocks: undefined;

  protected keep(chunk: Uint8Array, bytes: number): void {
    this.kept.push({ memory: chunk.subarray(0, bytes), base: this.written, used: bytes });
    this.written += bytes;
  }

  protected wanted(onlyFull: boolean): number {
    const bytes = Math.min(MAX_DATA_BYTES, this.written - this.sent);
    return onlyFull && bytes < MAX_DATA_BYTES ? 0 : bytes;
  }

  protected frame(bytes: number): Uint8Array {
    const frame = new Uint8Array(DATA_HEADER_BYTES + bytes);
    for (let at = 0; at < bytes;) {
      const { memory, base } = this.kept[this.cursor];
      const from = this.sent - base + at;
      const part = memory.subarray(from, from + bytes - at);
      frame.set(part, DATA_HEADER_BYTES + at);
      at += part.length;
      if (at < bytes) this.cursor++;
    }
    return frame;
  }

  /** No frame is sent from its place. */
  hold(): boolean {
    return false;
  }
}
