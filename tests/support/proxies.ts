/** Small proxies on real sockets, that can be told to fail, and proxies of others. */

import { writeAll } from "../../internal/bytes.ts";
import { type Engine, Program } from "../interop/peers.ts";
import { freePort } from "./free_port.ts";
import { RawPeer } from "./raw.ts";

/** Ncat, whose listening side can be an HTTP proxy. */
export const NCAT: Engine = { name: "ncat", probe: ["ncat", "--version"] };
/** A SOCKS 5 proxy. */
export const MICROSOCKS: Engine = { name: "microsocks", probe: ["which", "microsocks"] };

/** How a proxy behaves. */
export interface ProxyOptions {
  /** The only user that it serves, as `USER:PASSWORD`; everybody by default. */
  readonly user?: string;
  /** Refuses every destination with this SOCKS reply code, or this HTTP status. */
  readonly refuse?: number;
  /** Says nothing more after so many answers. */
  readonly hangAfter?: number;
  /** Sends this for an answer, whatever is asked. */
  readonly garbage?: Uint8Array;
  /** Sends its answers one byte at a time. */
  readonly byteByByte?: boolean;
}

/** A proxy on loopback that serves until it is disposed of. */
abstract class TestProxy implements AsyncDisposable {
  /** The destinations that were asked for, as `HOST:PORT`. */
  readonly destinations: string[] = [];
  /** The hosts from which its clients came. */
  readonly clients: string[] = [];
  /** Resolves when it begins to hang. */
  readonly hanging: Promise<void>;
  protected readonly options: ProxyOptions;
  readonly #hang = Promise.withResolvers<void>();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #served: Promise<void>;

  constructor(options: ProxyOptions = {}) {
    this.options = options;
    this.hanging = this.#hang.promise;
    this.#served = this.#serve();
  }

  /** What its URL begins with. */
  protected abstract readonly scheme: string;

  /** Where it listens. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Its URL, with the user that it serves. */
  get url(): string {
    const { user } = this.options;
    return `${this.scheme}://${user === undefined ? "" : `${user}@`}127.0.0.1:${this.port}`;
  }

  /** Talks to a client; resolves to where that wants to go, undefined when it may not. */
  protected abstract greet(
    client: Client,
  ): Promise<{ hostname: string; port: number; accept: Uint8Array } | undefined>;

  async #serve(): Promise<void> {
    const clients: Promise<void>[] = [];
    try {
      for (;;) clients.push(this.#serveOne(this.#keep(await this.#listener.accept())));
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await Promise.all(clients);
  }

  async #serveOne(conn: Deno.Conn): Promise<void> {
    const client = new Client(conn, this.options, this.#hang.resolve);
    this.clients.push((conn.remoteAddr as Deno.NetAddr).hostname);
    try {
      const wanted = await this.greet(client);
      if (wanted === undefined) return;
      const { hostname, port, accept } = wanted;
      this.destinations.push(`${hostname}:${port}`);
      const there = this.#keep(await Deno.connect({ hostname, port }));
      await client.answer(accept);
      await Promise.all([copy(conn, there), copy(there, conn)]);
      there.close();
    } catch {
      // The client has gone, or the proxy is disposed of: that is for the test to notice.
    } finally {
      this.#close(conn);
    }
  }

  #keep(conn: Deno.Conn): Deno.Conn {
    this.#conns.add(conn);
    return conn;
  }

  #close(conn: Deno.Conn): void {
    try {
      conn.close();
    } catch {
      // It was closed before.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) this.#close(conn);
    await this.#served;
  }
}

/** The client of a proxy while they negotiate. */
class Client extends RawPeer {
  #answers = 0;

  constructor(conn: Deno.Conn, readonly options: ProxyOptions, readonly onHang: () => void) {
    super(conn as Deno.TcpConn);
  }

  async answer(bytes: Uint8Array): Promise<void> {
    const { hangAfter = Infinity, garbage, byteByByte } = this.options;
    const hangs = this.#answers++ >= hangAfter;
    const answer = garbage ?? bytes;
    if (!hangs) await (byteByByte ? this.sendByteByByte(answer) : this.send(answer));
    if (hangs) this.onHang();
    // Nothing that follows matters, except that the client goes.
    if (hangs || garbage !== undefined) throw new Error(`${await this.drain()} bytes, and gone`);
  }
}

/** SOCKS 5. */
export class SocksProxy extends TestProxy {
  protected readonly scheme = "socks5";

  protected async greet(client: Client) {
    const { user, refuse = 0 } = this.options;
    const [, count] = await client.receive(2);
    const method = user === undefined ? 0 : 2;
    const offered = (await client.receive(count)).includes(method);
    await client.answer(Uint8Array.of(5, offered ? method : 0xff));
    if (!offered) return undefined;
    if (user !== undefined) {
      const name = await text((await client.receive(2))[1]);
      const password = await text((await client.receive(1))[0]);
      const right = user === `${name}:${password}`;
      await client.answer(Uint8Array.of(1, right ? 0 : 1));
      if (!right) return undefined;
    }
    const type = (await client.receive(4))[3];
    const hostname = type === 3
      ? await text((await client.receive(1))[0])
      : type === 1
      ? (await client.receive(4)).join(".")
      : Array.from(new Uint16Array((await client.receive(16)).buffer), swapped).join(":");
    const [high, low] = await client.receive(2);
    const reply = Uint8Array.of(5, refuse, 0, 1, 127, 0, 0, 1, 0, 9);
    if (refuse === 0) return { hostname, port: high << 8 | low, accept: reply };
    await client.answer(reply);

    async function text(length: number): Promise<string> {
      return new TextDecoder().decode(await client.receive(length));
    }
  }
}

/** HTTP's CONNECT. */
export class HttpProxy extends TestProxy {
  protected readonly scheme = "http";

  protected async greet(client: Client) {
    const { user, refuse } = this.options;
    let head = "";
    while (!head.endsWith("\r\n\r\n")) {
      const byte = await client.receive(1);
      if (byte.length === 0) return undefined;
      head += String.fromCharCode(byte[0]);
    }
    const [, hostname, port] = /^CONNECT \[?(.+?)\]?:(\d+) HTTP\/1\.[01]\r\n/.exec(head)!;
    const isServed = user === undefined ||
      head.includes(`\r\nProxy-Authorization: Basic ${btoa(user)}\r\n`);
    const accept = ascii("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
    if (isServed && refuse === undefined) return { hostname, port: Number(port), accept };
    await client.answer(ascii(
      isServed
        ? `HTTP/1.1 ${refuse} Refused\r\nContent-Length: 0\r\n\r\n`
        : 'HTTP/1.1 407 Who are you?\r\nProxy-Authenticate: Basic realm="test"\r\n\r\n',
    ));
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function swapped(value: number): string {
  return ((value & 0xff) << 8 | value >> 8).toString(16);
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const chunk = new Uint8Array(64 * 1024);
  for (let read; (read = await from.read(chunk)) !== null;) {
    await writeAll(to, chunk.subarray(0, read));
  }
  await (to as Deno.TcpConn).closeWrite();
}

/** Starts Ncat as an HTTP proxy. */
export async function startNcat(user?: string): Promise<{ port: number } & AsyncDisposable> {
  const port = freePort();
  // As a proxy it listens on every address, whatever it is told.
  const who = `-4 --allow 127.0.0.1 ${user === undefined ? "" : `--proxy-auth ${user}`}`;
  const program = new Program([
    ...["sh", "-c", `exec ncat -lkv --proxy-type http ${who} ${port} 2>&1`],
  ]);
  await program.listensAt(`tcp://127.0.0.1:${port}`);
  return { port, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

/** Starts microsocks. */
export async function startMicrosocks(
  username: string,
  password: string,
): Promise<{ port: number } & AsyncDisposable> {
  const port = freePort();
  const program = new Program([
    ...["microsocks", "-i", "127.0.0.1", "-p", `${port}`, "-u", username, "-P", password],
  ]);
  await program.listensAt(`tcp://127.0.0.1:${port}`);
  return { port, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}
