/** How protocols of networks frame. */

import type { ProgramFormat } from "./format.ts";

/** DNS. */
export const DNS: ProgramFormat = {
  name: "dns",
  programs: "DNS over TCP and TLS: unbound, BIND, Knot and others",
  bytes: "00 0c | 12 34 01 00 00 00 00 00 00 00 00 00",
  parts: "length, content: a header without a question",
  message: "the content",
  endpoint: "tls://dns.google:853?framing=dns",
  order: "big-endian",
  counts: "what follows it",
  limit: 65_535,
  above: "the length cannot say more",
  version: "unbound 1.17.1",
  surprises: [
    "unbound closes when it gets an empty message, and resets at one shorter than a header.",
    "What stands behind the question, up to the limit, unbound does not look at.",
  ],
};

/** BGP. */
export const BGP: ProgramFormat = {
  name: "bgp",
  programs: "BGP: GoBGP, FRRouting, BIRD and others",
  bytes: "ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff | 00 13 | 04",
  parts: "marker, length, type: a keepalive",
  message: "the whole; the encoder writes the length over its bytes 16 and 17",
  endpoint: "tcp://192.0.2.1:179?framing=bgp",
  order: "big-endian",
  counts: "everything, marker and itself included",
  limit: 4096,
  above: "RFC 4271 wants a notification “Bad Message Length”, and the connection closed",
  version: "GoBGP 3.10.0",
  surprises: ["RFC 8654 lets both ends agree on 65 535 bytes."],
};

/** Diameter. */
export const DIAMETER: ProgramFormat = {
  name: "diameter",
  programs: "Diameter: freeDiameter, mobile networks",
  bytes: "01 | 00 00 14 | 80 00 01 18 00 00 00 00 00 00 00 07 00 00 00 09",
  parts: "version, length, the rest of the header: a watchdog's request",
  message: "the whole; the encoder writes the length over its bytes 1 to 3",
  endpoint: "tcp://127.0.0.1:3868?framing=diameter",
  order: "big-endian",
  counts: "everything, version and itself included",
  limit: 16_777_215,
  above: "the length cannot say more",
  version: "freeDiameter 1.2.1",
  surprises: [
    "Attributes are padded to multiples of 4 bytes; their own lengths do not count that.",
  ],
};

/** SMPP. */
export const SMPP: ProgramFormat = {
  name: "smpp",
  programs: "SMPP 3.3 to 5.0, short messages of mobile phones",
  bytes: "00 00 00 10 | 00 00 00 15 00 00 00 00 00 00 00 01",
  parts: "length, the rest of the header: is the link alive?",
  message: "the whole; the encoder writes the length over its first 4 bytes",
  endpoint: "tcp://127.0.0.1:2775?framing=smpp",
  order: "big-endian",
  counts: "everything, itself included",
  limit: 16_777_216,
  above: "the protocol has no limit",
  version: "npm's smpp 0.5.1",
  surprises: [],
};

/** 9P. */
export const NINE_P: ProgramFormat = {
  name: "9p",
  programs: "9P: Plan 9, Linux, QEMU, WSL, diod",
  bytes: "0b 00 00 00 | 78 | 01 00 | 01 00 00 00",
  parts: "length, type, tag, content: file 1 is not needed any more",
  message: "the whole; the encoder writes the length over its first 4 bytes",
  endpoint: "tcp://127.0.0.1:564?framing=9p",
  order: "little-endian",
  counts: "everything, itself included",
  limit: 16_777_216,
  above: "both ends agree on a limit first (msize); diod closes when a length is impossible",
  version: "diod 1.0.24",
  surprises: [
    "Before that agreement diod waits for a message of 8 193 bytes, which it could refuse.",
  ],
};

/** Minecraft. */
export const MINECRAFT: ProgramFormat = {
  name: "minecraft",
  programs: "Minecraft, Java Edition, before compression and encryption",
  bytes: "01 | 00",
  parts: "length, content: what is your status?",
  message: "the content",
  endpoint: "tcp://127.0.0.1:25565?framing=minecraft",
  order: "little-endian",
  counts: "what follows it, in groups of 7 bits, 1 to 3 bytes",
  limit: 2_097_151,
  above: "3 bytes cannot say more",
  surprises: ["Once compression is on, a second length stands in each message."],
};

/** Syslog. */
export const SYSLOG: ProgramFormat = {
  name: "syslog",
  programs: "Syslog over TCP and TLS: rsyslog, syslog-ng, journald's forwarders",
  bytes: "37 20 3c 31 34 3e 6f 6e 65",
  parts: "7, a space, <14>one",
  message: "the content",
  endpoint: "tcp://127.0.0.1:514?framing=syslog",
  order: "decimal",
  counts: "what follows the space",
  limit: 8096,
  above: "rsyslog cuts the message",
  version: "rsyslog 8.2302.0",
  surprises: [
    "rsyslog takes any line that begins with a digit for a counted one: of “5 apples” it makes “apple” and “s”, " +
    "and “404 not found” waits for 404 bytes, and is lost with the lines in them if the connection ends before.",
    "A count that is too large for it makes it take the line after all, without the space behind the count.",
    "It takes a count with leading zeros.",
  ],
};
