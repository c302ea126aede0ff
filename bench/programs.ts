/** What is measured side by side, and how to start it. */

import type { Wire } from "./load/wire.ts";
import type { Program } from "./child.ts";
import type { Peers } from "./peers.ts";

/** The columns of the table. What each is stands in its own program. */
export type Subject =
  | "lengthwise"
  | "plain"
  | "few"
  | "hub"
  | "raw"
  | "framed"
  | "c"
  | "net"
  | "cork"
  | "ws"
  | "sio"
  | "nats"
  | "lps"
  | "ilp"
  | "u32be";

/** How to call them, in the order of the table. */
export const SUBJECTS: Record<Subject, string> = {
  lengthwise: "Lengthwise",
  plain: "plain",
  few: "to 100",
  hub: "broadcast",
  raw: "pump",
  framed: "framed loop",
  c: "C epoll",
  net: "node:net",
  cork: "net cork",
  ws: "ws",
  sio: "Socket.IO",
  nats: "NATS",
  lps: "lp-stream",
  ilp: "it-lp",
  u32be: "own u32be",
};

/** Why a subject cannot be measured here, if it cannot. */
export function missing(subject: Subject, peers: Peers): string | undefined {
  if (["net", "cork"].includes(subject)) return peers.noNode;
  if (subject === "c") return compiled() === undefined ? "no cc" : undefined;
  if (!["ws", "sio", "nats", "lps", "ilp"].includes(subject)) return undefined;
  return peers.noPackages ??
    (subject === "nats" && !hasNatsServer() ? "no nats-server" : undefined);
}

function hasNatsServer(): boolean {
  try {
    return new Deno.Command("nats-server", { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

let epoll: string | undefined | null = null;

/** The subject in C, compiled when it is needed first; undefined where there is no compiler. */
function compiled(): string | undefined {
  if (epoll !== null) return epoll;
  const file = `${Deno.makeTempDirSync()}/epoll`;
  const source = `${import.meta.dirname}/subjects/epoll.c`;
  try {
    const { success } = new Deno.Command("cc", { args: ["-O2", "-o", file, source] }).outputSync();
    return epoll = success ? file : undefined;
  } catch {
    return epoll = undefined;
  }
}

/** What a server speaks. */
export function wireOf(subject: Subject): Wire {
  return subject === "ws" ? "ws" : "u32be";
}

const SERVERS: Partial<Record<Subject, string>> = {
  lengthwise: "subjects/lengthwise.ts",
  plain: "subjects/lengthwise.ts",
  raw: "subjects/raw.ts",
  framed: "subjects/framed.ts",
  net: "subjects/net.mjs",
  cork: "subjects/net.mjs",
  ws: "subjects/ws.mjs",
};

const CODECS: Partial<Record<Subject, string>> = {
  lengthwise: "codec/lengthwise.ts",
  lps: "codec/length_prefixed_stream.mjs",
  ilp: "codec/it_length_prefixed.mjs",
  u32be: "codec/lengthwise.ts",
};

/** A server under test with its service. */
export function server(subject: Subject, args: readonly string[], peers: Peers): Program {
  if (subject === "c") return { command: [compiled()!, ...args] };
  return program(SERVERS[subject]!, args, withPeers(peers));
}

/** A codec under test. */
export function codec(subject: Subject, peers: Peers): Program {
  return program(CODECS[subject]!, [], withPeers(peers));
}

/** The load. */
export function load(peers: Peers): Program {
  return program("load/load.ts", [], withPeers(peers));
}

/** A program of the bench, in the runtime that the file's name tells. */
export function program(
  file: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Program {
  const runtime = file.endsWith(".mjs")
    ? ["node"]
    : [Deno.execPath(), "run", "--quiet", "--no-lock", "-A"];
  return { command: [...runtime, `${import.meta.dirname}/${file}`, ...args], env };
}

/** Tells a program where the packages of its peers are. */
export function withPeers({ directory }: Peers): Record<string, string> {
  return { LENGTHWISE_BENCH_PEERS: directory };
}
