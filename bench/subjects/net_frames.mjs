/**
 * Frames over `node:net`: lengths are read from the chunk in place, messages are views of it, only
 * what straddles two chunks is copied, and frames go out side by side in blocks.
 */

import { Buffer } from "node:buffer";

const BLOCK_BYTES = 64 * 1024;

/** Calls `onMessage` for each message of a socket, and `onChunk` when those of a chunk are through. */
export function receive(socket, onMessage, onChunk) {
  /** Pieces of a frame that straddles chunks, their bytes together, and how many it takes. */
  let pieces = [];
  let held = 0;
  let missing = 0;
  socket.on("data", (data) => {
    if (held > 0) {
      pieces.push(data);
      held += data.length;
      if (held < missing) return;
      data = Buffer.concat(pieces, held);
      pieces = [];
      held = 0;
    }
    let at = 0;
    missing = 4;
    while (data.length - at >= 4) {
      const bytes = 4 + data.readUInt32BE(at);
      if (bytes > data.length - at) {
        missing = bytes;
        break;
      }
      onMessage(data.subarray(at + 4, at + bytes));
      at += bytes;
    }
    if (at < data.length) {
      pieces.push(at === 0 ? data : data.subarray(at));
      held = data.length - at;
    }
    onChunk?.();
  });
}

/** Collects frames in a block that leaves in one write. */
export class Outgoing {
  #socket;
  #block = Buffer.allocUnsafe(BLOCK_BYTES);
  /** What is in the block and not written yet. */
  #start = 0;
  #end = 0;

  constructor(socket) {
    this.#socket = socket;
  }

  /** Returns false when the socket has enough for now. */
  send(message) {
    const bytes = 4 + message.length;
    if (bytes > BLOCK_BYTES) return this.#sendLarge(message);
    let room = true;
    if (bytes > BLOCK_BYTES - this.#end) {
      room = this.flush();
      this.#block = Buffer.allocUnsafe(BLOCK_BYTES);
      this.#start = this.#end = 0;
    }
    this.#block.writeUInt32BE(message.length, this.#end);
    this.#block.set(message, this.#end + 4);
    this.#end += bytes;
    return room;
  }

  /** Writes what was sent. The rest of the block is for what comes next. */
  flush() {
    if (this.#start === this.#end) return true;
    const frames = this.#block.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return this.#socket.write(frames);
  }

  #sendLarge(message) {
    this.flush();
    const header = Buffer.allocUnsafe(4);
    header.writeUInt32BE(message.length);
    this.#socket.cork();
    this.#socket.write(header);
    const room = this.#socket.write(message);
    this.#socket.uncork();
    return room;
  }
}
