/** Framings of databases. */

import { InvalidMessageError } from "../../errors.ts";
import { namedDuplex } from "../duplex.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, type Framing, type FramingOptions } from "../framing.ts";
import { lengthPrefix } from "../length_prefix.ts";
import { canonical } from "../names.ts";
import { resp2, resp3 } from "../resp.ts";
import { staged } from "../staged.ts";
import { adapted } from "./adapted.ts";
import { checkSide, givenSide, type SideOptions } from "./side.ts";

/**
 * PostgreSQL, from the first message on, which has no type: {@linkcode postgresStartup} for the client's
 * first message, {@linkcode postgresMessage} for all others. A client's wish for TLS, which the server
 * answers with one byte, is not part of it.
 *
 * @throws {TypeError} for another side.
 */
export function postgres(options: SideOptions = {}): Framing {
  const { maxMessageBytes } = options;
  const side = checkSide(options);
  const message = postgresMessage({ maxMessageBytes });
  const client = staged(postgresStartup(), message);
  return namedDuplex(
    canonical("postgres", { side: givenSide(side) }),
    side === "client" ? { in: message, out: client } : { in: client, out: message },
  );
}

/**
 * PostgreSQL's messages, in both directions: a byte for the type, then a length of 4 bytes,
 * big-endian, that counts itself and what follows, but not the type.
 *
 * A message is the whole: type, 4 bytes that the encoder overwrites with the length, and the rest. The
 * client's first message has no type; {@linkcode postgresStartup} is for it. PostgreSQL closes without
 * a word when a length is less than 4 or above its limit, which depends on the type: 10 000 bytes for
 * short ones such as Sync, 1 GiB for the rest. The limit here is 16 MiB.
 */
export function postgresMessage(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  const inner = lengthPrefix({ offset: 1, adjustment: -4, strip: 0 });
  return adapted(inner, { name: "postgresMessage", maxBytes: maxMessageBytes });
}

/**
 * The first message of a PostgreSQL client (startup, cancel, the wish for TLS): a length of 4 bytes,
 * big-endian, that counts itself. A message is the whole, and the encoder writes the length over its
 * first 4 bytes. PostgreSQL closes without a word above 10 004 bytes, which is the limit here.
 */
export function postgresStartup(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 10_004 } = options;
  const inner = lengthPrefix({ adjustment: -4, strip: 0 });
  return adapted(inner, { name: "postgresStartup", maxBytes: maxMessageBytes });
}

/**
 * The packets of MySQL and MariaDB, in both directions: a length of 3 bytes, little-endian, then a
 * number that counts the packets. The length counts neither of them.
 *
 * A message is the whole packet: 3 bytes that the encoder overwrites, the number, and the content. What
 * is as long as 16 777 215 bytes or longer of content is sent in several packets, of which the last one is
 * shorter and may be empty; they are messages of their own here. Above `max_allowed_packet`, 16 MiB by
 * default, the server answers error 1153 and resets the connection. The limit here is the largest packet.
 */
export function mysql(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 2 ** 24 + 3 } = options;
  const inner = lengthPrefix({ bytes: 3, endian: "little", adjustment: 1, strip: 0 });
  return adapted(inner, { name: "mysql", maxBytes: maxMessageBytes });
}

/**
 * BSON documents one behind the other, as in MongoDB's dumps: a length of 4 bytes, little-endian, that
 * counts itself, the elements, and a byte 0. The messages of MongoDB's wire protocol begin with the
 * same length and do not end with 0: they are `u32le` that counts itself.
 *
 * A message is the whole document; the encoder writes the length over its first 4 bytes. MongoDB's limit
 * of a document is 16 MiB, which is the limit here.
 */
export function bson(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 2 ** 24 } = options;
  const inner = lengthPrefix({ endian: "little", adjustment: -4, strip: 0 });
  return adapted(inner, {
    name: "bson",
    maxBytes: maxMessageBytes,
    receive: (message) => checkDocument(message, "receive"),
    send: (message) => checkDocument(message, "send"),
  });
}

function checkDocument(message: Uint8Array, verb: "send" | "receive"): Uint8Array {
  if (message.length < 5 || message[message.length - 1] !== 0) {
    const what = message.length < 5
      ? "it is shorter than 5 bytes"
      : `it ends with byte ${message[message.length - 1]} and not with 0`;
    throw new InvalidMessageError(
      `Cannot ${verb} message of ${message.length} bytes as a BSON document: ${what}`,
    );
  }
  return message;
}

/**
 * ZooKeeper's packets, in both directions: a length of 4 bytes, big-endian, that does not count itself.
 *
 * The limit is ZooKeeper's, 1 048 575 bytes (`jute.maxbuffer`). ZooKeeper closes without a word above
 * it. It looks for its four-letter words first: a client whose first 4 bytes are `srvr` gets a text.
 */
export function zookeeper(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 0xf_ffff } = options;
  return adapted(lengthPrefix(), { name: "zookeeper", maxBytes: maxMessageBytes });
}

/** Options of {@linkcode redis}. */
export interface RedisOptions extends SideOptions {
  /**
   * The version of the protocol. Redis speaks 2 until the client says `HELLO 3`.
   *
   * @default 2
   */
  version?: 2 | 3;
}

/**
 * Redis and Valkey: `resp2`, or `resp3` with `version: 3`. A server takes inline commands, too, which are
 * lines. Redis' limit is 536 870 912 bytes for a string (`proto-max-bulk-len`); above it, Redis answers
 * with an error and closes. The limit here is 16 MiB.
 *
 * Redis does not look at the two bytes behind a string, which should be CR and LF; this framing does.
 *
 * @throws {TypeError} for another version or side.
 */
export function redis(options: RedisOptions = {}): Framing {
  const { version = 2, maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  const side = checkSide(options);
  if (version !== 2 && version !== 3) {
    throw new TypeError(`Cannot use version ${version}: it must be 2 or 3`);
  }
  const inner = (version === 2 ? resp2 : resp3)({ inline: side === "server" });
  const given = { version: version === 2 ? undefined : version, side: givenSide(side) };
  return adapted(inner, { name: canonical("redis", given), maxBytes: maxMessageBytes });
}
