/** Runs cases against our server and against our client. */

import { equals } from "@std/bytes";
import { connect, type Connection, listen, type ListenOptions } from "../../../mod.ts";
import { parseEndpoint, type WebSocketEndpoint } from "../../../transport.ts";
import { type Case, close } from "./case.ts";
import { BINARY, CasePeer, CLOSE, CONTINUATION, type Got, type Outcome, TEXT } from "./peer.ts";

/** Which end is under test. */
export type Side = "server" | "client";
export const SIDES: readonly Side[] = ["server", "client"];

/** Something under test, which echoes. */
export interface UnderTest extends AsyncDisposable {
  /** A peer of it, after the handshake. */
  peer(): Promise<CasePeer>;
}

const OPTIONS = { maxMessageBytes: 17 * 1024 * 1024 };
/** So many cases run side by side. */
const AT_ONCE = 16;

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message);
}

/** One end, which echoes. `extensions` is what its peers offer, or pick. */
export function underTest(
  side: Side,
  options: ListenOptions = {},
  extensions?: string,
): Promise<UnderTest> {
  return side === "server"
    ? serverUnderTest(options, extensions)
    : clientUnderTest(options, extensions);
}

async function serverUnderTest(options: ListenOptions, offer?: string): Promise<UnderTest> {
  const onError = () => {}; // What a peer did wrong.
  const server = await listen("ws://127.0.0.1:0", { ...OPTIONS, ...options, onError }, echo);
  const { port } = parseEndpoint(server.endpoints[0]) as WebSocketEndpoint;
  return {
    peer: () => CasePeer.connect(port, offer),
    [Symbol.asyncDispose]: () => server.close({ grace: 1000 }),
  };
}

function clientUnderTest(options: ListenOptions, pick?: string): Promise<UnderTest> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `ws://127.0.0.1:${listener.addr.port}`;
  const echoes: Promise<void>[] = [];
  let conn: Promise<Deno.TcpConn | undefined> = Promise.resolve(undefined);
  const start = async () => {
    const connection = await connect(url, { ...OPTIONS, ...options as object });
    await echo(connection).catch(() => {}); // What a peer did wrong.
    await connection.close();
  };
  return Promise.resolve({
    peer() {
      echoes.push(start());
      // Only one may wait at a time.
      conn = conn.then(() => listener.accept());
      return conn.then((conn) => CasePeer.accept(conn!, pick));
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await Promise.all(echoes);
    },
  });
}

/** Runs all cases. Gives those that came out otherwise, with what came. */
export async function failuresOf(cases: readonly Case[], under: UnderTest): Promise<string[]> {
  const failures: string[] = [];
  const left = [...cases];
  const work = async () => {
    for (let next; (next = left.shift()) !== undefined;) {
      using peer = await under.peer();
      const problem = differenceOf(next, await play(next, peer));
      if (problem !== undefined) failures.push(`${next.id}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failures;
}

/** Plays one end of a case, and closes when everything has come back. */
async function play({ send, chop, expected, codes }: Case, peer: CasePeer): Promise<Outcome> {
  // Whoever is closed on may find that nobody reads the rest.
  const sending = peer.send(send, chop).catch(() => {});
  const got: Got[] = [];
  const closes = codes === undefined;
  if (closes && expected.length === 0) await peer.send([close(1000)], "whole");
  const outcome = await readAll(peer, got, async () => {
    if (closes && got.length === expected.length) {
      await sending;
      await peer.send([close(1000)], "whole");
    }
  });
  await sending;
  return outcome;
}

/** Reads to the Close frame, or to the end. */
export async function readAll(
  peer: CasePeer,
  got: Got[],
  added: () => Promise<void>,
): Promise<Outcome> {
  for (let frame; (frame = await peer.receive()) !== undefined;) {
    const { first, body } = frame;
    const opcode = first & 0x0f;
    if (opcode === CLOSE) {
      const code = body.length === 0 ? 1005 : body[0] << 8 | body[1];
      return { got, code, reason: body.subarray(2) };
    }
    if (opcode === CONTINUATION || (first & 0x80) === 0) throw new Error("an echo in fragments");
    got.push([opcode === TEXT ? "text" : opcode === BINARY ? "bytes" : "pong", body]);
    await added();
  }
  return { got, code: undefined, reason: new Uint8Array(0) };
}

function differenceOf({ expected, codes = [1000] }: Case, { got, code }: Outcome) {
  if (code === undefined) return `no Close frame came, and ${kindsOf(got)}`;
  if (!codes.includes(code)) {
    return `closed with ${code} and not ${codes}, and ${kindsOf(got)} came`;
  }
  for (const kind of ["text", "bytes", "pong"]) {
    const [come, wanted] = [got, expected].map((list) => list.filter(([other]) => other === kind));
    const isSame = come.length === wanted.length &&
      come.every(([_, body], i) => equals(body, wanted[i][1]));
    if (!isSame) return `${kindsOf(got)} came, and not ${kindsOf(expected)}`;
  }
}

function kindsOf(list: readonly Got[]): string {
  return list.map(([kind, { length }]) => `${kind}(${length})`).join(" ") || "nothing";
}
