/** Round trips, and whether large messages pass: what can be measured without privileges. */

import { connect, type ConnectOptions } from "../../../connect/connect.ts";
import type { Connection } from "../../../connection.ts";
import { requests } from "../../../request.ts";
import { type Chart, ms } from "./chart.ts";
import type { Kind } from "./speech.ts";

const TIMES = 5;
/** Larger than what one packet of any network holds, and below the limit of most servers. */
const STREAM_SIZES = [1_400, 65_536, 1_000_000];
/** What IPv6 promises, Ethernet's largest, and one that has to be cut into fragments. */
const DATAGRAM_SIZES = [1_232, 1_472, 8_192];

/** What is measured. */
export interface Subject {
  /** The endpoint. */
  readonly endpoint: string;
  readonly options: ConnectOptions;
  readonly kind: Kind;
  /** How long the first answer took, in milliseconds. */
  readonly firstAfter?: number;
  /** How long an answer may take, in milliseconds. */
  readonly timeout: number;
}

/** Measures what the peer's kind lets one measure. */
export async function measure(subject: Subject, chart: Chart): Promise<void> {
  const { kind, endpoint } = subject;
  const times = await roundTrips(subject).catch(() => []);
  if (times.length > 0) {
    const sorted = times.toSorted((a, b) => a - b);
    const median = sorted[sorted.length >> 1];
    chart.saw("round trip", `${ms(median)}, the median of ${times.length}, to its program`, {
      roundTripTime: median,
    });
  } else if (kind === "session" && subject.firstAfter !== undefined) {
    chart.saw("round trip", `${ms(subject.firstAfter)} to the answer to its HELLO`, {
      roundTripTime: subject.firstAfter,
    });
  } else {
    chart.saw("round trip", "a peer that does not answer has only the time to connect, above");
  }
  const unknown = "not known: it takes TCP_INFO or IP_MTU of the system, which Deno cannot ask; " +
    "tracepath HOST tells";
  chart.saw("mtu", unknown, { mtu: null });
  if (kind !== "echo") return;
  const isUdp = endpoint.startsWith("udp:");
  for (const size of isUdp ? DATAGRAM_SIZES : STREAM_SIZES) {
    const time = await echoed(subject, size);
    const end = time === undefined ? "does not come back" : `comes back whole in ${ms(time)}`;
    chart.saw("mtu", `a message of ${size} bytes ${end}`, { size, echoTime: time ?? null });
    if (time !== undefined) continue;
    if (size > STREAM_SIZES[0]) break; // It may be above the limit of the server.
    chart.wrong(
      `messages of ${size} bytes do not come back, and small ones do`,
      "a network in between may lose large packets: check its MTU, and that ICMP is let through",
    );
    break;
  }
}

async function roundTrips(subject: Subject): Promise<number[]> {
  const { kind, endpoint, options } = subject;
  if (!["echo", "chat", "requests"].includes(kind)) return [];
  await using connection = await connect(endpoint, options);
  const times: number[] = [];
  if (kind === "requests") {
    await using peer = requests(connection, {}, { timeout: subject.timeout });
    for (let n = 0; n < TIMES; n++) {
      const startedAt = performance.now();
      // There is no such method, which is an answer.
      await peer.request("lengthwise.doctor").catch(() => {});
      times.push(performance.now() - startedAt);
    }
    return times;
  }
  for (let n = 0; n < TIMES; n++) {
    const word = `/ping ${crypto.randomUUID()}`;
    const startedAt = performance.now();
    await connection.send(word);
    if (!await hears(connection, word.slice("/ping ".length), subject.timeout)) break;
    times.push(performance.now() - startedAt);
  }
  connection.abort();
  return times;
}

/** Waits for a message with a word in it. */
async function hears(connection: Connection, word: string, timeout: number): Promise<boolean> {
  const late = setTimeout(() => connection.abort(), timeout);
  try {
    for await (const message of connection) {
      if (new TextDecoder().decode(message).includes(word)) return true;
    }
    return false;
  } finally {
    clearTimeout(late);
  }
}

/** How long a message takes to come back, in milliseconds. Undefined if it does not. */
async function echoed({ endpoint, options, timeout }: Subject, size: number) {
  const connection = await connect(endpoint, options);
  const late = setTimeout(() => connection.abort(), timeout);
  try {
    const startedAt = performance.now();
    const sent = connection.send(new Uint8Array(size).fill(0x61)).catch(() => {});
    const message = await connection.receive();
    await sent;
    return message?.length === size ? performance.now() - startedAt : undefined;
  } catch {
    return undefined; // The peer took it for too large, or the network does not carry it.
  } finally {
    clearTimeout(late);
    connection.abort();
    await connection.closed;
  }
}
