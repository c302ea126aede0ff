/** Framings of what runs on a desktop and in its system. */

import { InvalidMessageError, MessageTooLargeError } from "../../errors.ts";
import { delimiter } from "../delimiter.ts";
import { namedDuplex } from "../duplex.ts";
import type { Framing, FramingOptions } from "../framing.ts";
import { lengthPrefix } from "../length_prefix.ts";
import { canonical } from "../names.ts";
import { staged } from "../staged.ts";
import { adapted } from "./adapted.ts";
import { ruled, selfSized } from "./rule.ts";
import { checkSide, givenSide, type SideOptions } from "./side.ts";

/**
 * The protocol of SSH's agent: a length of 4 bytes, big-endian, that does not count itself. The limit is
 * OpenSSH's, 262 144 bytes; ssh-agent closes above it.
 */
export function sshAgent(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 256 * 1024 } = options;
  return adapted(lengthPrefix(), { name: "sshAgent", maxBytes: maxMessageBytes });
}

/** What Chrome takes of a host at once: 1 MiB. */
const MAX_TO_CHROME = 1024 * 1024;
const MAX_FROM_CHROME = 64 * 1024 * 1024;

/** Options of {@linkcode chromeNative}. */
export interface ChromeNativeOptions extends FramingOptions {
  /**
   * Which end this is: the program that Chrome starts, or Chrome.
   *
   * @default "host"
   */
  side?: "host" | "browser";
}

/**
 * Native messaging of Chrome, Firefox and Edge, through a program's standard input and output: a length of
 * 4 bytes in the machine's byte order, which is little-endian, that does not count itself; JSON.
 *
 * Chrome ends the program when it sends more than 1 MiB, so a host's larger message is refused here. To
 * the program, Chrome sends up to 64 MiB. `maxMessageBytes` is the limit of what is received.
 */
export function chromeNative(options: ChromeNativeOptions = {}): Framing {
  const { side = "host" } = options;
  if (side !== "host" && side !== "browser") {
    throw new TypeError(`Cannot use side "${side}": it must be "host" or "browser"`);
  }
  const isHost = side === "host";
  const { maxMessageBytes = isHost ? MAX_FROM_CHROME : MAX_TO_CHROME } = options;
  const mostSent = isHost ? MAX_TO_CHROME : MAX_FROM_CHROME;
  return adapted(lengthPrefix({ endian: "little" }), {
    name: canonical("chromeNative", { side: isHost ? undefined : side }),
    maxBytes: maxMessageBytes,
    send(message) {
      if (message.length <= mostSent) return message;
      throw new MessageTooLargeError("send", message.length, mostSent, "framing chromeNative");
    },
  });
}

const DBUS_HEADER_BYTES = 16;

const DBUS = /* @__PURE__ */ selfSized("dbusMessage", DBUS_HEADER_BYTES, (chunk, at) => {
  const order = chunk[at];
  if (order !== LITTLE && order !== BIG) {
    throw new InvalidMessageError(
      `Cannot use message: D-Bus begins it with "l" or "B", and its first byte is ${order}`,
    );
  }
  const isLittle = order === LITTLE;
  const view = new DataView(chunk.buffer, chunk.byteOffset + at);
  const fieldBytes = view.getUint32(12, isLittle);
  return DBUS_HEADER_BYTES + 8 * Math.ceil(fieldBytes / 8) + view.getUint32(4, isLittle);
});

/** The letters with which X11 and D-Bus tell a byte order. */
const LITTLE = 0x6c;
const BIG = 0x42;

/** What dbus-daemon takes as a line of the authentication, in bytes. */
const MAX_DBUS_LINE = 16 * 1024;

/**
 * D-Bus from the start, as most clients begin: the client's first two messages are lines, `AUTH …` behind a
 * NUL and `BEGIN`, and the server's first message is its line `OK …`. All others are
 * {@linkcode dbusMessage}. For a longer talk, such as one about file descriptors, begin with
 * `delimiter(0d0a)` and switch the framing.
 *
 * @throws {TypeError} for another side.
 */
export function dbus(options: SideOptions = {}): Framing {
  const side = checkSide(options);
  const message = dbusMessage({ maxMessageBytes: options.maxMessageBytes });
  const line = delimiter("\r\n", { maxMessageBytes: MAX_DBUS_LINE });
  const client = staged(line, message, { messages: 2 });
  const server = staged(line, message);
  return namedDuplex(
    canonical("dbus", { side: givenSide(side) }),
    side === "client" ? { in: server, out: client } : { in: client, out: server },
  );
}

/**
 * D-Bus messages, in both directions, behind the lines of the authentication: the byte `l` or `B` for the
 * byte order of this message, 3 bytes, the length of the body in 4 bytes, the serial number in 4, the
 * length of the header's fields in 4; the fields, up to the next multiple of 8; the body.
 *
 * A message is the whole; one whose header tells another size is not sent. The limit is the
 * specification's, 134 217 728 bytes, above which dbus-daemon closes without a word. The bus of a system
 * may have a lower one (`max_message_size`).
 */
export function dbusMessage(options: FramingOptions = {}): Framing {
  return ruled(DBUS, options, 128 * 1024 * 1024);
}
