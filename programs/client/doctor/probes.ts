/** Finds out what a peer speaks that says nothing by itself: it is greeted, once per connection. */

import { type Framing, framing as framingOf, type FramingText } from "../../../codec.ts";
import { connect, type ConnectOptions } from "../../../connect/connect.ts";
import type { Connection } from "../../../connection.ts";
import { ConnectionClosedError, ConnectionLostError } from "../../../errors.ts";
import { type Endpoint, formatEndpoint, parseEndpoint, withFraming } from "../../../transport.ts";
import { inspectTls } from "../../../transport/internal.ts";
import { hear, type Heard } from "./hearing.ts";
import { HELLO, recognise, SILENT, type Speech } from "./speech.ts";

/** How long a peer may take for its first word, and for an answer, in milliseconds. */
const FIRST_WORD = 1_000;
/** In which other framings it is greeted. */
const OTHERS: readonly FramingText[] = ["line", "u32be", "u32le", "u16be", "varint"];
const WORD = "doctor";

const encoder = new TextEncoder();

/** Whom to ask. */
export interface Patient {
  /** The endpoint, without its framing and sessions. */
  readonly endpoint: Endpoint;
  /** How to connect: without token and session. */
  readonly options: ConnectOptions;
  /** The framing that is expected. Undefined over WebSocket and UDP, where each part is a message. */
  readonly framing: Framing | undefined;
  /** The token to say first. */
  readonly token: string | undefined;
  /** Whether nothing may be said to it. */
  readonly isPassive: boolean;
  /** How long it may take for its first word and for an answer, in milliseconds. */
  readonly timeout: number;
}

/** What the patient speaks. */
export async function examine(patient: Patient): Promise<Speech> {
  const { framing, isPassive, endpoint, token } = patient;
  const isUdp = endpoint.transport === "udp";
  const first = isUdp ? NOTHING : await ask(patient, []);
  const speech = recognise(first, { framing });
  if (speech.kind !== "silent" || isPassive) return speech;
  const greeted = await greet(patient, framing, HELLO);
  if (
    greeted.kind !== "silent" && greeted.kind !== "turned away" && greeted.kind !== "unknown bytes"
  ) {
    return greeted;
  }
  if (framing === undefined || token !== undefined) return greeted;
  const others = await Promise.all([
    speaksTls(patient),
    speaksHttp(patient),
    ...OTHERS.filter((name) => name !== framing.name).map((name) => speaksIn(name, patient)),
  ]);
  return others.find((speech) => speech !== undefined) ?? greeted;
}

const NOTHING: Heard = { parts: [], bytes: new Uint8Array(0), end: "open" };

/** The greeting in a frame. Undefined if the framing does not carry it. */
function framedFor(framing: Framing | undefined, greeting: Uint8Array): Uint8Array | undefined {
  try {
    return framing?.encode(greeting) ?? greeting;
  } catch {
    return undefined; // The framing is for other messages.
  }
}

/** What the patient answers to a greeting on a new connection. */
async function greet(
  patient: Patient,
  framing: Framing | undefined,
  greeting: Uint8Array,
): Promise<Speech> {
  const frame = framedFor(framing, greeting);
  if (frame === undefined) return { kind: "silent", text: SILENT };
  const heard = await ask(patient, [frame]);
  return recognise(heard, { framing, said: greeting });
}

/** What the patient says to these bytes on a new connection, behind the token. */
async function ask(patient: Patient, chunks: readonly Uint8Array[]): Promise<Heard> {
  const { framing, token, timeout } = patient;
  const connection = await openRaw(patient);
  try {
    if (token !== undefined) {
      const word = encoder.encode(token);
      await connection.send(framing?.encode(word) ?? word);
    }
    for (const chunk of chunks) await connection.send(chunk);
    await connection.flush();
    return await hear(connection, { first: Math.min(timeout, FIRST_WORD) });
  } catch (error) {
    if (!(error instanceof ConnectionLostError || error instanceof ConnectionClosedError)) {
      throw error;
    }
    return { ...NOTHING, end: "broken" };
  } finally {
    connection.abort();
    await connection.closed;
  }
}

/** A connection that passes bytes, or over WebSocket and UDP messages. */
async function openRaw({ endpoint, options, framing }: Patient): Promise<Connection> {
  const name = formatEndpoint(framing === undefined ? endpoint : withFraming(endpoint, "none"));
  return await connect(name, options);
}

async function speaksTls({ endpoint, timeout, options }: Patient): Promise<Speech | undefined> {
  if (endpoint.transport !== "tcp") return undefined;
  const { proxy, source } = options;
  try {
    const signal = AbortSignal.timeout(Math.min(timeout, FIRST_WORD));
    await inspectTls(endpoint, { signal, proxy, source });
    return { kind: "tls", text: "it speaks TLS" };
  } catch {
    return undefined; // It does not, for whatever reason.
  }
}

async function speaksHttp(patient: Patient): Promise<Speech | undefined> {
  const heard = await ask(patient, [encoder.encode("GET / HTTP/1.0\r\n\r\n")]);
  const speech = recognise(heard, { framing: patient.framing });
  return speech.kind === "http" ? speech : undefined;
}

/** Whether the patient answers to a word in another framing, as an echo or with a refusal. */
async function speaksIn(name: FramingText, patient: Patient): Promise<Speech | undefined> {
  const framing = framingOf(name);
  const { kind, text } = await greet({ ...patient, framing }, framing, encoder.encode(WORD));
  if (!["echo", "wants token", "session", "refuses"].includes(kind)) return undefined;
  return { kind: "other framing", framing: name, text: `it speaks in ${name}: ${text}` };
}

/** The patient behind an endpoint. */
export function patientAt(
  text: string,
  options: ConnectOptions,
  rest: Pick<Patient, "isPassive" | "timeout">,
): Patient {
  const endpoint = parseEndpoint(text);
  const isStream = !["ws", "wss", "udp"].includes(endpoint.transport);
  const named = "framing" in endpoint ? endpoint.framing : undefined;
  const { framing = named ?? "u32be", token, ...others } = options;
  const bare = { ...withFraming(endpoint, undefined) } as Endpoint & { session?: boolean };
  delete bare.session;
  return {
    endpoint: bare,
    options: { ...others, session: undefined, framing: undefined },
    framing: isStream ? framingOf(framing as FramingText) : undefined,
    token,
    ...rest,
  };
}
