/** Framings of protocols that networks themselves run on. */

import { InvalidMessageError } from "../../errors.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, type Framing, type FramingOptions } from "../framing.ts";
import { lengthPrefix } from "../length_prefix.ts";
import { octetCounted } from "../octet_counted.ts";
import { adapted } from "./adapted.ts";

/**
 * DNS over TCP and TLS (RFC 1035, section 4.2.2): a length of 2 bytes, big-endian, that does not count
 * itself. Up to 65 535 bytes. An empty message is none in DNS: unbound closes when it gets one.
 */
export function dns(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 0xffff } = options;
  return adapted(lengthPrefix({ bytes: 2 }), { name: "dns", maxBytes: maxMessageBytes });
}

/**
 * BGP (RFC 4271, section 4.1): 16 bytes 0xFF, a length of 2 bytes, big-endian, that counts the whole, a
 * byte for the type, and the rest.
 *
 * A message is the whole; the encoder writes the length over its bytes 16 and 17. Another marker is
 * refused. The limit is the protocol's, 4 096 bytes; with RFC 8654 it is 65 535.
 */
export function bgp(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 4096 } = options;
  return adapted(lengthPrefix({ bytes: 2, offset: 16, includesHeader: true, strip: 0 }), {
    name: "bgp",
    maxBytes: maxMessageBytes,
    receive: (message) => checkMarker(message, "receive"),
    send: (message) => checkMarker(message, "send"),
  });
}

function checkMarker(message: Uint8Array, verb: "send" | "receive"): Uint8Array {
  for (let at = 0; at < 16; at++) {
    if (message[at] === 0xff) continue;
    throw new InvalidMessageError(
      `Cannot ${verb} message of ${message.length} bytes as BGP: byte ${at} of its marker is ` +
        `${message[at]} and not 255`,
    );
  }
  return message;
}

/**
 * Diameter (RFC 6733, section 3): a byte for the version, a length of 3 bytes, big-endian, that counts
 * the whole, and the rest of the header of 20 bytes.
 *
 * A message is the whole; the encoder writes the length over its bytes 1 to 3. Another version than 1
 * is refused. The protocol's limit is 16 777 215 bytes.
 */
export function diameter(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 0xff_ffff } = options;
  return adapted(lengthPrefix({ bytes: 3, offset: 1, includesHeader: true, strip: 0 }), {
    name: "diameter",
    maxBytes: maxMessageBytes,
    receive: (message) => checkVersion(message, "receive"),
    send: (message) => checkVersion(message, "send"),
  });
}

function checkVersion(message: Uint8Array, verb: "send" | "receive"): Uint8Array {
  if (message[0] !== 1) {
    throw new InvalidMessageError(
      `Cannot ${verb} message of ${message.length} bytes as Diameter: its version is ` +
        `${message[0]} and not 1`,
    );
  }
  return message;
}

/**
 * SMPP 3.3 to 5.0: a length of 4 bytes, big-endian, that counts the whole, and the rest of the header of
 * 16 bytes. A message is the whole; the encoder writes the length over its first 4 bytes. The protocol
 * has no limit; the limit here is 16 MiB.
 */
export function smpp(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  const inner = lengthPrefix({ includesHeader: true, strip: 0 });
  return adapted(inner, { name: "smpp", maxBytes: maxMessageBytes });
}

/**
 * 9P, of Plan 9, Linux and virtual machines: a length of 4 bytes, little-endian, that counts the whole,
 * a byte for the type, 2 for the tag, and the rest. A message is the whole; the encoder writes the
 * length over its first 4 bytes. The two ends agree on a limit (`msize`); the limit here is 16 MiB.
 */
export function nineP(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  const inner = lengthPrefix({ endian: "little", includesHeader: true, strip: 0 });
  return adapted(inner, { name: "9p", maxBytes: maxMessageBytes });
}

/**
 * Syslog over TCP and TLS (RFC 6587, RFC 5425): `octetCounted`, so messages behind a decimal count and a
 * space, or lines. Sends counts. The limit is rsyslog's, 8 096 bytes, above which it cuts the message
 * (`maxMessageSize`).
 */
export function syslog(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 8096 } = options;
  return adapted(octetCounted(), { name: "syslog", maxBytes: maxMessageBytes });
}
