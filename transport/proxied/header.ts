/**
 * The header of the PROXY protocol, versions 1 and 2, in which a proxy tells whose connection it passes
 * on: https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt
 */

import { ProtocolError } from "../../errors.ts";
import { type Address, addressText, parseAddress } from "../../internal/address.ts";
import { printable } from "../../internal/text.ts";
import { crc32c } from "./crc32c.ts";

/** The longest header that is read. Proxies send a few hundred bytes at most. */
export const MAX_HEADER_BYTES = 4096;

/** The client that a header names. */
export interface Source {
  readonly hostname: string;
  readonly port: number;
}

/** A whole header. */
export interface ProxyHeader {
  /** How many bytes it has. */
  readonly bytes: number;
  /**
   * The client; undefined if the header names none. The proxy speaks for itself then, as in health
   * checks, or does not know its client's address.
   */
  readonly source: Source | undefined;
}

const V1_START = new TextEncoder().encode("PROXY ");
const V1_MAX_BYTES = 107;
const CR = 0x0d;
const LF = 0x0a;

const V2_START = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
const V2_FIXED_BYTES = 16;
const VERSION_2 = 2;
const COMMANDS = ["LOCAL", "PROXY"] as const;
/** Families, by the upper half of the byte; and for each of them the bytes of its two ends. */
const FAMILY_BYTES = [0, 12, 36, 216];
const [UNSPECIFIED, IPV4, IPV6] = [0, 1, 2];
const STREAM = 1;
const TYPE_CRC32C = 3;
const TYPE_BYTES = 3;

/**
 * Reads the header at the start of what has arrived. Undefined if it is not whole yet.
 *
 * @throws {ProtocolError} as soon as it cannot become a header.
 */
export function readHeader(arrived: Uint8Array): ProxyHeader | undefined {
  if (startsAs(V2_START, arrived)) return readVersion2(arrived);
  if (startsAs(V1_START, arrived)) return readVersion1(arrived);
  const shown = printable(new TextDecoder().decode(arrived.subarray(0, 16)));
  throw wrong(`it begins with "${shown}"`);
}

/** Whether so much as there is begins as a header does. */
function startsAs(start: Uint8Array, arrived: Uint8Array): boolean {
  const length = Math.min(start.length, arrived.length);
  for (let at = 0; at < length; at++) if (arrived[at] !== start[at]) return false;
  return true;
}

/** Section 2.1: a line such as `PROXY TCP4 192.0.2.1 192.0.2.2 50000 443`. */
function readVersion1(arrived: Uint8Array): ProxyHeader | undefined {
  const end = arrived.subarray(0, V1_MAX_BYTES).indexOf(LF);
  if (end < 0) {
    if (arrived.length < V1_MAX_BYTES) return undefined;
    throw wrong(`its line is longer than ${V1_MAX_BYTES} bytes`);
  }
  if (arrived[end - 1] !== CR) throw wrong("its line does not end in CR LF");
  const line = new TextDecoder("latin1").decode(arrived.subarray(0, end - 1));
  const bytes = end + 1;
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { bytes, source: undefined };
  const [, version, hostname, destination, port, destinationPort] =
    /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? [];
  const address = addressIn(hostname, version);
  const isRight = address !== undefined && addressIn(destination, version) !== undefined &&
    isPort(port) && isPort(destinationPort);
  if (!isRight) throw wrong(`its line is "${printable(line)}"`);
  return { bytes, source: { hostname: addressText(address), port: Number(port) } };
}

function addressIn(text = "", version: string): Address | undefined {
  const isRight = version === "6" ? /^[\da-f:.]*:[\da-f:.]*$/i : /^[\d.]+$/;
  return isRight.test(text) ? parseAddress(text) : undefined;
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d*)$/.test(text) && Number(text) <= 65_535;
}

/** Section 2.2: 16 bytes, the addresses, and then types with lengths and values. */
function readVersion2(arrived: Uint8Array): ProxyHeader | undefined {
  const command = arrived.length > 12 ? commandOf(arrived[12]) : undefined;
  if (arrived.length < V2_FIXED_BYTES) return undefined;
  const view = new DataView(arrived.buffer, arrived.byteOffset, arrived.length);
  const bytes = V2_FIXED_BYTES + view.getUint16(14);
  if (bytes > MAX_HEADER_BYTES) {
    throw wrong(`it says that it has ${bytes} bytes, limit is ${MAX_HEADER_BYTES} bytes`);
  }
  if (arrived.length < bytes) return undefined;
  const header = arrived.subarray(0, bytes);
  const [family, protocol] = [header[13] >> 4, header[13] & 15];
  if (command === "LOCAL") return { bytes, source: undefined };
  if (family >= FAMILY_BYTES.length || protocol > 2) {
    throw wrong(`its family of addresses is 0x${header[13].toString(16).padStart(2, "0")}`);
  }
  if (family !== UNSPECIFIED && protocol !== STREAM) {
    throw wrong("it is of a protocol that is no stream");
  }
  const extensions = V2_FIXED_BYTES + FAMILY_BYTES[family];
  if (extensions > bytes) throw wrong("its addresses are cut");
  checkExtensions(header, extensions);
  return { bytes, source: sourceOf(view, family) };
}

function commandOf(byte: number): (typeof COMMANDS)[number] {
  const command = COMMANDS[byte & 15];
  if (byte >> 4 === VERSION_2 && command !== undefined) return command;
  throw wrong(`its version and command are 0x${byte.toString(16).padStart(2, "0")}`);
}

/** The ends of Unix sockets are of the proxy's machine, so they say nothing about the client. */
function sourceOf(view: DataView, family: number): Source | undefined {
  if (family === IPV4) {
    const value = BigInt(view.getUint32(16));
    return { hostname: addressText({ version: 4, value }), port: view.getUint16(24) };
  }
  if (family !== IPV6) return undefined;
  const value = view.getBigUint64(16) << 64n | view.getBigUint64(24);
  const hostname = addressText({ version: 6, value });
  // One that is IPv4-mapped is written as IPv4.
  return { hostname: addressText(parseAddress(hostname)!), port: view.getUint16(48) };
}

/** Section 2.2.3: what is not known is passed over; a checksum must be right. */
function checkExtensions(header: Uint8Array, from: number): void {
  for (let at = from; at < header.length;) {
    const length = header[at + 1] << 8 | header[at + 2];
    const value = at + TYPE_BYTES;
    if (value > header.length || value + length > header.length) throw wrong("an extension is cut");
    if (header[at] === TYPE_CRC32C) checkSum(header, value, length);
    at = value + length;
  }
}

function checkSum(header: Uint8Array, at: number, length: number): void {
  if (length !== 4) throw wrong(`its checksum has ${length} bytes`);
  const given = new DataView(header.buffer, header.byteOffset).getUint32(at);
  // Of the header with zeros in the place of the sum.
  const zeroed = Uint8Array.from(header).fill(0, at, at + length);
  if (crc32c(zeroed) !== given) throw wrong("its checksum (CRC-32C) is not that of its bytes");
}

function wrong(state: string): ProtocolError {
  return new ProtocolError(`Cannot read PROXY header: ${state}`);
}
