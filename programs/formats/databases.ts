/** How databases frame. */

import type { ProgramFormat } from "./format.ts";

/** MySQL. */
export const MYSQL: ProgramFormat = {
  name: "mysql",
  programs: "MySQL, MariaDB",
  bytes: "01 00 00 | 00 | 0e",
  parts: "length, number of the packet, content: a ping",
  message: "the whole packet; the encoder writes the length over its first 3 bytes",
  endpoint: "tcp://127.0.0.1:3306?framing=mysql",
  order: "little-endian",
  counts: "the content, and neither itself nor the number",
  limit: 16_777_219,
  above:
    "MariaDB answers error 1153 above max_allowed_packet, 16 777 216 bytes by default, and resets",
  version: "MariaDB 10.11.19",
  surprises: [
    "Content of 16 777 215 bytes or more goes into several packets. If the last one is full, an empty " +
    "one follows, which counts: the answer goes on from its number.",
    "A packet with a wrong number is answered with “Got packets out of order” and a reset.",
  ],
};

/** BSON. */
export const BSON: ProgramFormat = {
  name: "bson",
  programs: "BSON documents one behind the other, as in MongoDB's dumps",
  bytes: "05 00 00 00 | 00",
  parts: "length, the elements (none here), a byte 0",
  message: "the whole document; the encoder writes the length over its first 4 bytes",
  endpoint: "bson",
  order: "little-endian",
  counts: "everything, itself included",
  limit: 16_777_216,
  above: "MongoDB refuses a document above 16 777 216 bytes",
  version: "Python's bson 3.11.0",
  surprises: [
    "The messages of MongoDB's own protocol begin with the same length and do not end with 0: they are " +
    "length(endian:little,includesHeader,strip:0).",
  ],
};

/** ZooKeeper. */
export const ZOOKEEPER: ProgramFormat = {
  name: "zookeeper",
  programs: "ZooKeeper",
  bytes: "00 00 00 08 | ff ff ff fe 00 00 00 0b",
  parts: "length, content: a ping",
  message: "the content",
  endpoint: "tcp://127.0.0.1:2181?framing=zookeeper",
  order: "big-endian",
  counts: "what follows it",
  limit: 1_048_575,
  above: "it closes without a word, as soon as it has the length",
  version: "ZooKeeper 3.8.0",
  surprises: [
    "Before the first length it looks for its four-letter words: a client whose first 4 bytes are srvr gets " +
    "a text. The other words are refused with a text that says so.",
    "A length of 0 closes the connection, too.",
  ],
};

/** PostgreSQL. */
export const POSTGRES: ProgramFormat = {
  name: "postgres",
  programs: "PostgreSQL, and what speaks its protocol, version 3",
  bytes: "5a | 00 00 00 05 | 49",
  parts: "type, length, content: the server is ready",
  message: "the whole; the encoder writes the length over its bytes 1 to 4",
  endpoint: "unix:/run/postgresql/.s.PGSQL.5432?framing=postgres",
  order: "big-endian",
  counts: "itself and what follows, and not the type; the client's first message has no type",
  limit: 16_777_216,
  above:
    "PostgreSQL closes without a word: at a first message above 10 004 bytes, at a query above 1 GiB, " +
    "and at any length that cannot be",
  version: "PostgreSQL 15.20",
  surprises: [
    "The client's first message begins with the length at once. In it, the encoder writes the length over " +
    "bytes 0 to 3.",
    "A wish for TLS is answered with one byte, which is no frame: the framing is not for that.",
  ],
};

/** Redis. */
export const REDIS: ProgramFormat = {
  name: "redis",
  programs: "Redis, Valkey, KeyDB",
  bytes: "24 32 0d 0a 68 69 0d 0a",
  parts: "a string of 2 bytes: $2 CR LF, hi, CR LF",
  message: "a whole reply or command, byte by byte as it is on the wire",
  endpoint: "tcp://127.0.0.1:6379?framing=redis",
  order: "decimal",
  counts: "the bytes of a string without its CR LF; the values of an array",
  limit: 16_777_216,
  above: "Redis answers “Protocol error: invalid bulk length” above 512 MiB, and closes",
  version: "Redis 7.0.15",
  surprises: [
    "Redis does not look at the two bytes behind a string, which should be CR LF; they are refused here.",
    "A length with a leading zero is an error for an array, and closes.",
    "A server takes lines, too, up to 64 KiB: redis(side:server) does.",
  ],
};
