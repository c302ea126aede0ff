/** What is inside a captured packet: the layers from the link up to TCP. */

import type { Packet } from "./packets.ts";

/** One TCP segment. */
export interface Segment {
  /** When it was captured, in milliseconds since 1970. */
  readonly time: number;
  /** Who sent it, such as `127.0.0.1:1234` or `[::1]:1234`. */
  readonly from: string;
  /** Whom it went to. */
  readonly to: string;
  /** The number of its first byte. */
  readonly sequence: number;
  /** The number of the next byte that its sender expects, if it says one. */
  readonly acknowledged: number | undefined;
  /** It opens a connection. */
  readonly syn: boolean;
  /** It ends its direction. */
  readonly fin: boolean;
  /** It ends the connection at once. */
  readonly rst: boolean;
  /** Its bytes, as far as they were captured. */
  readonly bytes: Uint8Array;
  /** How many bytes it had on the wire. */
  readonly wireBytes: number;
}

/** Why a packet is no TCP segment. */
export type Skipped = "link type" | "other protocol" | "fragment" | "cut off";

/** Ethernet's types of IPv4 and IPv6. */
const IP = [0x0800, 0x86dd];
/** Tags between Ethernet's addresses and what is carried: 802.1Q, 802.1ad, and the old QinQ. */
const VLAN_TAGS = [0x8100, 0x88a8, 0x9100];
/** Ethernet's type of PPPoE, as between a router and a provider, and PPP's types of IPv4 and IPv6. */
const PPPOE = 0x8864;
const PPP_IP = [0x0021, 0x0057];
/** What carries the packet in a record of netfilter's log. */
const NFLOG_PAYLOAD = 9;
const TCP = 6;
/** Headers that may stand between IPv6's and TCP's: hop by hop, routing, destination, mobility. */
const IPV6_EXTENSIONS = [0, 43, 60, 135];
const IPV6_FRAGMENT = 44;
const IPV6_AUTHENTICATION = 51;

/** The TCP segment in a packet, or why there is none. */
export function segmentOf(packet: Packet): Segment | Skipped {
  const { bytes, linkType } = packet;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const start = networkAt(view, linkType);
    if (typeof start === "string") return start;
    const lost = Math.max(0, packet.wireBytes - bytes.length);
    return networkLayer(packet, view, start, lost);
  } catch (error) {
    if (error instanceof RangeError) return "cut off"; // DataView, past the end.
    throw error;
  }
}

/** Where the network layer's header begins, or why there is none that is known. */
function networkAt(view: DataView, linkType: number): number | Skipped {
  switch (linkType) {
    case 0: // BSD loopback, in the byte order of whoever captured
    case 108: // OpenBSD loopback
      return 4;
    case 1: // Ethernet
      return afterTags(view, 12);
    case 9: // PPP, with or without HDLC's two bytes
      return view.getUint16(0) === 0xff03 ? 4 : view.getUint8(0) & 1 ? 1 : 2;
    case 12: // raw IP
    case 14:
    case 101:
    case 228: // IPv4 alone
    case 229: // IPv6 alone
      return 0;
    case 113: // Linux cooked capture
      return afterTags(view, 14);
    case 239: // netfilter's log
      return inLog(view);
    case 276: // its version 2
      if (VLAN_TAGS.includes(view.getUint16(0))) return afterTags(view, 22);
      return IP.includes(view.getUint16(0)) ? 20 : "other protocol";
    case 258: // PKTAP of macOS: a header, and then a packet of the link type that it names
      return inside(view);
    default:
      return "link type";
  }
}

/** Where what is carried begins: behind the type at `at`, and behind VLAN tags. */
function afterTags(view: DataView, at: number): number | Skipped {
  while (VLAN_TAGS.includes(view.getUint16(at))) at += 4;
  if (view.getUint16(at) === PPPOE) {
    return PPP_IP.includes(view.getUint16(at + 8)) ? at + 10 : "other protocol";
  }
  return IP.includes(view.getUint16(at)) ? at + 2 : "other protocol";
}

/** Behind four bytes there are values, each with its length and its type in the machine's byte order. */
function inLog(view: DataView): number | Skipped {
  for (let at = 4;;) {
    const [length, type] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    if (type === NFLOG_PAYLOAD) return at + 4;
    if (length < 4) return "other protocol";
    at += Math.ceil(length / 4) * 4;
  }
}

function inside(view: DataView): number | Skipped {
  const length = view.getUint32(0, true);
  const linkType = view.getUint32(8, true);
  if (linkType === 258) return "link type";
  const inner = new DataView(view.buffer, view.byteOffset + length, view.byteLength - length);
  const start = networkAt(inner, linkType);
  return typeof start === "string" ? start : length + start;
}

function networkLayer(
  packet: Packet,
  view: DataView,
  start: number,
  lost: number,
): Segment | Skipped {
  const version = view.getUint8(start) >> 4;
  if (version === 4) {
    const headerBytes = (view.getUint8(start) & 15) * 4;
    // The system fills the length in later if the network card cuts segments (0 is seen here).
    const total = view.getUint16(start + 2) || view.byteLength + lost - start;
    if (view.getUint8(start + 9) !== TCP) return "other protocol";
    if ((view.getUint16(start + 6) & 0x3fff) !== 0) return "fragment";
    const addresses = [12, 16].map((at) => ipv4(view, start + at));
    return tcp(packet, view, start + headerBytes, start + total, addresses, lost);
  }
  if (version !== 6) return "other protocol";
  const size = view.getUint16(start + 4) || view.byteLength + lost - start - 40;
  const addresses = [8, 24].map((at) => ipv6(view, start + at));
  let next = view.getUint8(start + 6);
  let at = start + 40;
  while (next !== TCP) {
    if (next === IPV6_FRAGMENT) return "fragment";
    const isAuthentication = next === IPV6_AUTHENTICATION;
    if (!isAuthentication && !IPV6_EXTENSIONS.includes(next)) return "other protocol";
    next = view.getUint8(at);
    const length = view.getUint8(at + 1);
    at += isAuthentication ? (length + 2) * 4 : (length + 1) * 8;
  }
  return tcp(packet, view, at, start + 40 + size, addresses, lost);
}

function tcp(
  { time, bytes }: Packet,
  view: DataView,
  start: number,
  end: number,
  addresses: readonly string[],
  lost: number,
): Segment | Skipped {
  const flags = view.getUint8(start + 13);
  const body = start + (view.getUint8(start + 12) >> 4) * 4;
  const wireBytes = Math.max(0, Math.min(end, bytes.length + lost) - body);
  return {
    time,
    from: `${addresses[0]}:${view.getUint16(start)}`,
    to: `${addresses[1]}:${view.getUint16(start + 2)}`,
    sequence: view.getUint32(start + 4),
    acknowledged: flags & 16 ? view.getUint32(start + 8) : undefined,
    syn: (flags & 2) !== 0,
    fin: (flags & 1) !== 0,
    rst: (flags & 4) !== 0,
    bytes: bytes.subarray(Math.min(body, bytes.length), Math.min(end, bytes.length)),
    wireBytes,
  };
}

function ipv4(view: DataView, at: number): string {
  return [0, 1, 2, 3].map((index) => view.getUint8(at + index)).join(".");
}

/** An IPv6 address in brackets, in the short form of RFC 5952. */
function ipv6(view: DataView, at: number): string {
  const groups = Array.from(
    { length: 8 },
    (_, index) => view.getUint16(at + index * 2).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname;
}
