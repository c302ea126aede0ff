/** Switching the framing of a connection. */

import { duplex, type Framing, type FramingText } from "../codec.ts";
import { inOf, outOf } from "../codec/internal.ts";
import type { Transport } from "../transport.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { ConnectionSettings } from "./settings.ts";
import type { Values } from "./values.ts";

/**
 * Which way a framing is switched. Whichever it is:
 *
 * - An error behind the last message taken waits until a reader asks for the next message, for at most
 *   `frameTimeout`, if a message was received before it. So the new framing may still make messages of
 *   these bytes.
 * - To find the place, the bytes of the last chunk are decoded again. If the framing has no lengths, as
 *   `line` has none, do not change a message that was taken from it before.
 *
 * @example After a line, frames
 * ```ts
 * import { Connection } from "@lengthwise/lengthwise";
 * import { memoryPair } from "@lengthwise/lengthwise/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = memoryPair().map((transport) => new Connection(transport, { framing: "line" }));
 * a.send("CONNECT");
 * a.switchFraming("u16be");
 * a.send(new Uint8Array([10, 13, 10]));
 *
 * assertEquals(new TextDecoder().decode(await b.receive()), "CONNECT");
 * b.switchFraming("u16be");
 * assertEquals(await b.receive(), new Uint8Array([10, 13, 10]));
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export interface SwitchOptions {
  /**
   * `in` for what is received, `out` for what is sent.
   *
   * @default "both"
   */
  direction?: "both" | "in" | "out";
}

/** The parts of a connection that a switch concerns. */
interface Switched<T> {
  readonly transport: Transport;
  readonly life: Lifecycle;
  readonly values: Values<T>;
}

/**
 * Switches the framing of one direction, or of both. Returns the settings that hold then. See
 * `Connection.switchFraming()`.
 *
 * @throws {TypeError} if the framing cannot change.
 */
export function switchFraming<T>(
  { transport, life, values }: Switched<T>,
  old: ConnectionSettings<T>,
  framing: FramingText | Framing,
  { direction = "both" }: SwitchOptions,
): ConnectionSettings<T> {
  checkSwitch(transport, old.framing, framing, direction);
  const next = old.switchedTo(framing).framing;
  const input = inOf(direction === "out" ? old.framing : next);
  const output = outOf(direction === "in" ? old.framing : next);
  if (direction !== "out") {
    life.receiver.switchTo(input);
    values.decodeBy(input);
  }
  if (direction !== "in") life.sender.switchTo(output);
  return old.switchedTo(input === output ? input : duplex({ in: input, out: output }));
}

/**
 * Checks that the framing of a connection can be switched.
 *
 * @throws {TypeError} if it cannot.
 */
function checkSwitch(
  transport: Transport,
  old: Framing,
  next: Framing | FramingText,
  direction: string,
): void {
  if (!["both", "in", "out"].includes(direction)) {
    throw new TypeError(
      `Cannot use direction "${direction}": it must be "both", "in" or "out"`,
    );
  }
  const own = transport.abilities.framing;
  if (own !== undefined) {
    throw new TypeError(
      `Cannot switch framing of ${transport.remote}: its transport has a framing of its own, ${own.name}`,
    );
  }
  for (const framing of [old, next]) {
    if (typeof framing === "string") continue;
    if (framing.isApart || framing.encodeEnd !== undefined || framing.encodePing !== undefined) {
      throw new TypeError(
        `Cannot switch framing between ${old.name} and ${
          nameOf(next)
        }: ${framing.name} has frames ` +
          `that are not messages`,
      );
    }
  }
}

function nameOf(framing: Framing | FramingText): string {
  return typeof framing === "string" ? framing : framing.name;
}
