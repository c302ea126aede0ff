/**
 * Packets out of a capture file, as tcpdump, Wireshark and others write it: pcap
 * (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng).
 */

import type { ByteReader } from "./bytes.ts";

/** What was captured of one packet. */
export interface Packet {
  /** When it was captured, in milliseconds since 1970, with fractions. */
  readonly time: number;
  /** What its first bytes are: a LINKTYPE_ number of tcpdump.org. */
  readonly linkType: number;
  /** The bytes that were captured. */
  readonly bytes: Uint8Array;
  /** How many bytes it had on the wire, which may be more than were captured. */
  readonly wireBytes: number;
}

/** A capture file that cannot be read any further. */
export class CaptureError extends Error {
  override readonly name = "CaptureError";
}

/** The largest record that is read: larger ones are no packets, but a broken file. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;
const SECTION_HEADER = 0x0a0d0d0a;

/** The byte order, and the parts of a second, of each first word of a pcap file. */
const PCAP_MAGIC: Record<number, { little: boolean; ticks: number; extra: number }> = {
  0xa1b2c3d4: { little: false, ticks: 1e6, extra: 0 },
  0xd4c3b2a1: { little: true, ticks: 1e6, extra: 0 },
  0xa1b23c4d: { little: false, ticks: 1e9, extra: 0 },
  0x4d3cb2a1: { little: true, ticks: 1e9, extra: 0 },
  // Written by some old tools: 8 bytes more before each packet.
  0xa1b2cd34: { little: false, ticks: 1e6, extra: 8 },
  0x34cdb2a1: { little: true, ticks: 1e6, extra: 8 },
};

/** Whether a file that begins with these four bytes is a capture file. */
export function isCapture(first: Uint8Array): boolean {
  if (first.length < 4) return false;
  const magic = viewOf(first).getUint32(0);
  return magic === SECTION_HEADER || Object.hasOwn(PCAP_MAGIC, magic);
}

/**
 * The packets of a capture file, in its order.
 *
 * @throws {CaptureError} if the file is none, or is broken or cut off; the packets before come first.
 */
export async function* packetsOf(file: ByteReader): AsyncGenerator<Packet> {
  const first = await file.peek(4);
  if (!isCapture(first)) {
    const isGzip = first[0] === 0x1f && first[1] === 0x8b;
    throw new CaptureError(
      isGzip
        ? "Cannot read capture: it is compressed; gzip -dc unpacks it"
        : "Cannot read capture: it is neither pcap nor pcapng",
    );
  }
  const magic = viewOf(first).getUint32(0);
  yield* magic === SECTION_HEADER ? pcapng(file) : pcap(file, PCAP_MAGIC[magic]);
}

async function* pcap(
  file: ByteReader,
  { little, ticks, extra }: { little: boolean; ticks: number; extra: number },
): AsyncGenerator<Packet> {
  const header = viewOf(await exactly(file, 24, "the file's header"));
  const major = header.getUint16(4, little);
  if (major !== 2) {
    throw new CaptureError(`Cannot read capture: version ${major} of pcap is unknown`);
  }
  const linkType = header.getUint32(20, little) & 0xffff; // Above are bits about check sums.
  while ((await file.peek(1)).length > 0) {
    const record = viewOf(await exactly(file, 16 + extra, "a packet's header"));
    const size = checkSize(file, record.getUint32(8, little));
    const seconds = record.getUint32(0, little) + record.getUint32(4, little) / ticks;
    const bytes = await exactly(file, size, "a packet");
    yield { time: seconds * 1000, linkType, bytes, wireBytes: record.getUint32(12, little) };
  }
}

/** One network interface of a pcapng file. */
interface Interface {
  readonly linkType: number;
  readonly snapBytes: number;
  readonly ticks: number;
  readonly offset: number;
}

async function* pcapng(file: ByteReader): AsyncGenerator<Packet> {
  let little = false;
  let interfaces: Interface[] = [];
  while ((await file.peek(1)).length > 0) {
    const start = await file.peek(12);
    if (start.length < 12) throw cut(file, "a block");
    if (viewOf(start).getUint32(0) === SECTION_HEADER) {
      little = isLittle(viewOf(start).getUint32(8), file);
      interfaces = [];
    }
    const head = viewOf(await file.read(8));
    const [type, length] = [head.getUint32(0, little), head.getUint32(4, little)];
    if (length < 12 || length % 4 !== 0) {
      throw new CaptureError(
        `Cannot read capture: a block of ${length} bytes at byte ${file.offset - 8}`,
      );
    }
    const body = await exactly(file, checkSize(file, length - 8), "a block");
    const block = new Block(body.subarray(0, -4), little, file.offset);
    if (type === 1) interfaces.push(interfaceOf(block));
    else if (type === 6) yield enhanced(block, interfaces);
    else if (type === 3) yield simple(block, interfaces);
    else if (type === 2) yield old(block, interfaces);
  }
}

function isLittle(order: number, file: ByteReader): boolean {
  if (order === 0x1a2b3c4d || order === 0x4d3c2b1a) return order === 0x4d3c2b1a;
  throw new CaptureError(
    `Cannot read capture: byte order 0x${order.toString(16)} at byte ${file.offset + 8}`,
  );
}

/** A block's numbers, checked against its end. */
class Block {
  readonly little: boolean;
  readonly #body: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;

  constructor(body: Uint8Array, little: boolean, end: number) {
    this.#body = body;
    this.#view = viewOf(body);
    this.little = little;
    this.#end = end;
  }

  get length(): number {
    return this.#body.length;
  }

  u8(at: number): number {
    return this.bytes(at, 1)[0];
  }

  u16(at: number): number {
    this.bytes(at, 2);
    return this.#view.getUint16(at, this.little);
  }

  u32(at: number): number {
    this.bytes(at, 4);
    return this.#view.getUint32(at, this.little);
  }

  u64(at: number): bigint {
    this.bytes(at, 8);
    return this.#view.getBigUint64(at, this.little);
  }

  bytes(at: number, count: number): Uint8Array {
    if (at + count > this.#body.length) {
      throw new CaptureError(
        `Cannot read capture: a block that ends at byte ${this.#end} is too short`,
      );
    }
    return this.#body.subarray(at, at + count);
  }
}

function interfaceOf(block: Block): Interface {
  let ticks = 1e6;
  let offset = 0;
  for (let at = 8; at + 4 <= block.length;) {
    const [code, size] = [block.u16(at), block.u16(at + 2)];
    if (code === 0) break;
    if (code === 9) { // if_tsresol
      const power = block.u8(at + 4);
      ticks = power & 0x80 ? 2 ** (power & 0x7f) : 10 ** power;
    } else if (code === 14) offset = Number(BigInt.asIntN(64, block.u64(at + 4))); // if_tsoffset
    at += 4 + Math.ceil(size / 4) * 4;
  }
  return { linkType: block.u16(0), snapBytes: block.u32(4), ticks, offset };
}

function enhanced(block: Block, interfaces: readonly Interface[]): Packet {
  return stamped(block, interfaces, block.u32(0));
}

/** The block that pcapng had before the enhanced one. */
function old(block: Block, interfaces: readonly Interface[]): Packet {
  return stamped(block, interfaces, block.u16(0));
}

function stamped(block: Block, interfaces: readonly Interface[], index: number): Packet {
  const { linkType, ticks, offset } = named(interfaces, index);
  const count = (BigInt(block.u32(4)) << 32n) | BigInt(block.u32(8));
  // Two steps, because the count alone is more than a number can hold exactly.
  const seconds = Number(count / BigInt(ticks)) + Number(count % BigInt(ticks)) / ticks;
  const bytes = block.bytes(20, block.u32(12));
  return { time: (seconds + offset) * 1000, linkType, bytes, wireBytes: block.u32(16) };
}

function simple(block: Block, interfaces: readonly Interface[]): Packet {
  const { linkType, snapBytes } = named(interfaces, 0);
  const wireBytes = block.u32(0);
  const size = Math.min(wireBytes, snapBytes || wireBytes, block.length - 4);
  return { time: 0, linkType, bytes: block.bytes(4, size), wireBytes };
}

function named(interfaces: readonly Interface[], index: number): Interface {
  if (index < interfaces.length) return interfaces[index];
  throw new CaptureError(`Cannot read capture: a packet of interface ${index}, which is not told`);
}

function checkSize(file: ByteReader, size: number): number {
  if (size <= MAX_RECORD_BYTES) return size;
  throw new CaptureError(
    `Cannot read capture: ${size} bytes in one record at byte ${file.offset}: ` +
      `limit is ${MAX_RECORD_BYTES} bytes`,
  );
}

async function exactly(file: ByteReader, count: number, what: string): Promise<Uint8Array> {
  const bytes = await file.read(count);
  if (bytes.length < count) throw cut(file, what);
  return bytes;
}

function cut(file: ByteReader, what: string): CaptureError {
  return new CaptureError(
    `Cannot read capture any further: it ends inside ${what}, at byte ${file.offset}`,
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
