/** Guests of one chat who come by different roads, each with the program that people would use. */

import { createSocket } from "node:dgram";
import { writeAll } from "../../internal/bytes.ts";
import { Program } from "../interop/peers.ts";
import type { ChatWindow } from "./browser.ts";

/** How long a guest may wait for a line, in milliseconds. */
const PATIENCE = 120_000;

/** A way into the chat, once it is open. */
export interface Road extends AsyncDisposable {
  /** Writes one line. */
  write(line: string): Promise<void>;
}

/** Opens a way; every line that comes by it is passed to `hear`. */
export type OpenRoad = (hear: (line: string) => void) => Promise<Road>;

/** Someone in the chat, by whatever road. */
export class Guest implements AsyncDisposable {
  readonly name: string;
  /** Everything that it was told, without what its road adds. */
  readonly lines: string[] = [];
  readonly #open: OpenRoad;
  #road: Road | undefined;
  #news = Promise.withResolvers<void>();

  constructor(name: string, open: OpenRoad) {
    this.name = name;
    this.#open = open;
  }

  /** Connects. */
  async come(): Promise<void> {
    this.#road = await this.#open((line) => {
      this.lines.push(line);
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    });
  }

  /** Writes lines, without waiting for what comes of them. */
  async say(...lines: string[]): Promise<void> {
    for (const line of lines) await this.#road!.write(line);
  }

  /** Waits until it has been told this line; resolves to where in `lines` that is. */
  async hears(line: string | RegExp): Promise<number> {
    const isIt = (heard: string) => typeof line === "string" ? heard === line : line.test(heard);
    const timer = setTimeout(() => {
      const last = JSON.stringify(this.lines.slice(-10));
      this.#news.reject(new Error(`${this.name} does not hear ${line}; it heard ${last}`));
    }, PATIENCE);
    try {
      for (let at = 0;;) {
        for (; at < this.lines.length; at++) if (isIt(this.lines[at])) return at;
        await this.#news.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#road?.[Symbol.asyncDispose]();
  }
}

/** By a program that sends the lines of its input and prints what comes, such as ncat. */
export function byProgram(command: string[], options: { enter?: string } = {}): OpenRoad {
  const { enter = "\n" } = options;
  return (hear) => {
    const program = new Program(command);
    const hearing = (async () => {
      for (;;) hear((await program.until("\n")).replace(/\r?\n$/, ""));
    })().catch(() => {}); // it has ended; a guest who waits for more will say so
    return Promise.resolve({
      write: (line) => program.type(line + enter),
      async [Symbol.asyncDispose]() {
        await program[Symbol.asyncDispose]();
        await hearing;
      },
    });
  };
}

/** By telnet on a terminal, which shows what is typed between what comes. */
export function byTelnet(name: string, port: number): OpenRoad {
  const terminal = ["python3", "-c", "import pty, sys; pty.spawn(sys.argv[1:])"];
  const open = byProgram([...terminal, "telnet", "127.0.0.1", `${port}`], { enter: "\r" });
  return async (hear) => {
    const typed: string[] = [];
    const road = await open((shown) => {
      // The terminal may show it behind a line whose end is still to come.
      const echo = typed.findIndex((line) => shown.endsWith(line) && shown !== `${name}: ${line}`);
      const [line] = echo < 0 ? [""] : typed.splice(echo, 1);
      const told = shown.slice(0, shown.length - line.length);
      // The chat has no empty lines.
      if (told !== "") hear(told);
    });
    return {
      async write(line) {
        typed.push(line);
        await road.write(line);
      },
      [Symbol.asyncDispose]: () => road[Symbol.asyncDispose](),
    };
  };
}

/** By a socket with an int32 before each message as C#'s BitConverter writes it. */
export function byLittleEndian(port: number): OpenRoad {
  return async (hear) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const reading = readFrames(conn, hear);
    return {
      async write(line) {
        const text = new TextEncoder().encode(line);
        const frame = new Uint8Array(4 + text.length);
        new DataView(frame.buffer).setInt32(0, text.length, true);
        frame.set(text, 4);
        await writeAll(conn, frame);
      },
      async [Symbol.asyncDispose]() {
        conn.close();
        await reading;
      },
    };
  };
}

async function readFrames(conn: Deno.TcpConn, hear: (line: string) => void): Promise<void> {
  const all = new Uint8Array(1024 * 1024);
  const view = new DataView(all.buffer);
  let end = 0;
  try {
    for (let n; (n = await conn.read(all.subarray(end))) !== null;) {
      end += n;
      let at = 0;
      for (let to; end - at >= 4 && (to = at + 4 + view.getInt32(at, true)) <= end; at = to) {
        hear(new TextDecoder().decode(all.subarray(at + 4, to)));
      }
      all.copyWithin(0, at, end);
      end -= at;
    }
  } catch (error) {
    // This end was closed.
    if (!(error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BadResource)) {
      throw error;
    }
  }
}

/** By a datagram for each line, as nc sends what is typed. */
export function byDatagrams(port: number): OpenRoad {
  return (hear) => {
    const socket = createSocket("udp4");
    socket.on("message", (message) => hear(message.toString().replace(/\n$/, "")));
    return Promise.resolve({
      write: (line) =>
        new Promise((resolve, reject) => {
          const sent = (error: Error | null) => error ? reject(error) : resolve();
          socket.send(`${line}\n`, port, "127.0.0.1", sent);
        }),
      [Symbol.asyncDispose]: () =>
        new Promise((resolve) => {
          socket.close(() => resolve());
        }),
    });
  };
}

/** By the WebSocket of a browser whose page is the server's own. */
export function byBrowser(window: ChatWindow, port: number): OpenRoad {
  return async (hear) => {
    await window.page.exposeFunction("hear", hear);
    await window.value(`new Promise((resolve, reject) => {
      globalThis.socket = new WebSocket("ws://127.0.0.1:${port}/");
      socket.onmessage = ({ data }) => hear(data);
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error("The socket does not open"));
    })`);
    return {
      write: (line) => window.value(`socket.send(${JSON.stringify(line)})`),
      // It goes with the browser.
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  };
}
