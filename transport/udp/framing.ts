/** One message per datagram. */

import type { Decoder, Framing } from "../../codec.ts";
import { whole } from "../../codec/internal.ts";
import { MessageTooLargeError } from "../../errors.ts";

/** What the 16-bit length of IPv4 leaves after the headers of IP (20) and UDP (8): RFC 768, RFC 791. */
const MAX_IPV4_BYTES = 65_507;
/** The length of IPv6 does not count its own header: RFC 8200, 3. Jumbograms are not used. */
const MAX_IPV6_BYTES = 65_527;
const LF = 0x0a;
const CR = 0x0d;

const IPV4 = datagrams(MAX_IPV4_BYTES);
const IPV6 = datagrams(MAX_IPV6_BYTES);
const IPV4_LINES = datagrams(MAX_IPV4_BYTES, { isLine: true });
const IPV6_LINES = datagrams(MAX_IPV6_BYTES, { isLine: true });

/** One message per datagram. With `isLine`, each ends with a newline, for people with a terminal. */
export function datagramFraming(isIPv6: boolean, isLine: boolean): Framing {
  if (isLine) return isIPv6 ? IPV6_LINES : IPV4_LINES;
  return isIPv6 ? IPV6 : IPV4;
}

/** `maxMessageBytes` limits what is received. What can be sent does not depend on it. */
function datagrams(
  maxDatagramBytes: number,
  { isLine = false, maxMessageBytes = maxDatagramBytes } = {},
): Framing {
  const frameBytes = (message: Uint8Array) => {
    const bytes = message.length + (isLine ? 1 : 0);
    if (bytes > maxDatagramBytes) {
      throw new MessageTooLargeError(
        "send",
        message.length,
        maxDatagramBytes,
        "a UDP datagram holds no more",
      );
    }
    return bytes;
  };
  const plain = whole(maxMessageBytes);
  const framing: Framing = {
    ...plain,
    name: isLine ? "datagram line" : "datagram",
    withLimit: (bytes) =>
      datagrams(maxDatagramBytes, { isLine, maxMessageBytes: Math.min(bytes, maxDatagramBytes) }),
    frameBytes,
    encodeInto(message, target, at) {
      target.set(message, at);
      if (isLine) target[at + message.length] = LF;
      return at + frameBytes(message);
    },
    encodeParts: (message) => [framing.encode(message)],
    encode(message) {
      const frame = new Uint8Array(frameBytes(message));
      framing.encodeInto(message, frame, 0);
      return frame;
    },
  };
  if (isLine) framing.decoder = () => new LineDecoder(plain.decoder());
  return framing;
}

/** Drops the newline behind a message that a person has typed. */
class LineDecoder implements Decoder {
  readonly pendingBytes = 0;

  constructor(readonly plain: Decoder) {}

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    let end = chunk.length;
    if (chunk[end - 1] === LF && chunk[--end - 1] === CR) end--;
    return this.plain.decode(chunk.subarray(0, end), messages);
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    return messages;
  }
}
