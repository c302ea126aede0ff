/** SOCKS 5 (RFC 1928), with user and password (RFC 1929). */

import { builtin } from "../../internal/runtime/builtin.ts";
import { toHex } from "../../internal/encoding.ts";
import type { Dialogue } from "./dialogue.ts";

const { isIPv4, isIPv6 } = builtin("node:net");

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_AND_PASSWORD = 2;
const NO_METHOD = 0xff;
const CONNECT = 1;
const ADDRESS = { ipv4: 1, name: 3, ipv6: 4 };

/** RFC 1928, section 6. */
const REFUSALS: Record<number, string> = {
  1: "general failure",
  2: "connection not allowed by ruleset",
  3: "network unreachable",
  4: "host unreachable",
  5: "connection refused, nothing listens there",
  6: "time to live expired",
  7: "command not supported",
  8: "address type not supported",
};

/** Asks the proxy for a tunnel to a host. The proxy looks up the host name. */
export async function socks5(
  dialogue: Dialogue,
  { hostname, port }: { hostname: string; port: number },
): Promise<void> {
  await authenticate(dialogue);
  await dialogue.send(
    Uint8Array.of(VERSION, CONNECT, 0, ...addressOf(hostname), ...bytesOf(port)),
  );
  const [version, code] = await dialogue.receive(2);
  if (version !== VERSION) throw notSocks(dialogue, version, code);
  if (code !== 0) throw dialogue.error(`refused: ${REFUSALS[code] ?? `code ${code}`}`);
  // The address from which the proxy connects is not used, but it has to be read.
  const [_reserved, type, first] = await dialogue.receive(3);
  const left = { [ADDRESS.ipv4]: 3, [ADDRESS.ipv6]: 15, [ADDRESS.name]: first }[type];
  if (left === undefined) throw dialogue.error(`answered with address type ${type}, of 1, 3 and 4`);
  await dialogue.receive(left + 2);
}

async function authenticate(dialogue: Dialogue): Promise<void> {
  const { credentials } = dialogue.proxy;
  const methods = credentials === undefined
    ? [NO_AUTHENTICATION]
    : [NO_AUTHENTICATION, USER_AND_PASSWORD];
  await dialogue.send(Uint8Array.of(VERSION, methods.length, ...methods));
  const [version, method] = await dialogue.receive(2);
  if (version !== VERSION) throw notSocks(dialogue, version, method);
  if (method === NO_METHOD) {
    throw dialogue.error(
      credentials === undefined
        ? "wants a user and a password; write them as socks5://USER:PASSWORD@HOST"
        : "accepts no user and password, and nobody without",
    );
  }
  if (!methods.includes(method)) {
    throw dialogue.error(`wants authentication method ${method}, which was not offered`);
  }
  if (method === NO_AUTHENTICATION || credentials === undefined) return;
  const username = new TextEncoder().encode(credentials.username);
  const password = new TextEncoder().encode(credentials.password);
  await dialogue.send(
    Uint8Array.of(1, username.length, ...username, password.length, ...password),
  );
  // The version is not checked, because some proxies send 5 instead of 1.
  const [_version, status] = await dialogue.receive(2);
  if (status !== 0) throw dialogue.error("does not accept the user and the password");
}

function addressOf(hostname: string): number[] {
  if (isIPv4(hostname)) return [ADDRESS.ipv4, ...hostname.split(".").map(Number)];
  if (isIPv6(hostname)) return [ADDRESS.ipv6, ...ipv6Bytes(hostname)];
  const name = new TextEncoder().encode(hostname);
  return [ADDRESS.name, name.length, ...name];
}

function ipv6Bytes(address: string): number[] {
  // URL writes every address in one form: groups of hex digits, at most one "::", no dots.
  const [before, after = ""] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const [head, tail] = [before, after].map((part) => part === "" ? [] : part.split(":"));
  const zeros = new Array(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].flatMap((group) => bytesOf(Number.parseInt(group, 16)));
}

/** A number as 16 bits, the high byte first. */
function bytesOf(value: number): number[] {
  return [value >> 8, value & 0xff];
}

function notSocks(dialogue: Dialogue, ...bytes: number[]): Error {
  if (String.fromCharCode(...bytes) === "HT") {
    return dialogue.error("does not speak SOCKS 5, but HTTP; try http:// in its URL");
  }
  const hex = toHex(Uint8Array.from(bytes)).replace(/..\B/g, "$& ");
  return dialogue.error(`does not speak SOCKS 5: it answered with the bytes ${hex}`);
}
