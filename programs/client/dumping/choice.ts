/** Which connections of a capture are dumped, and with which framing: what the options say of it. */

import { BlockList, isIP } from "node:net";
import { type Framing, framing, type FramingText } from "../../../codec.ts";
import { portOf, type StreamsOptions } from "../../capture/streams.ts";
import { type ParsedOptions, UsageError } from "../../shared/options.ts";

/** What the options say. */
export interface Choice extends StreamsOptions {
  /** Whether a connection is wanted. */
  accepts(one: string, other: string): boolean;
  /** Whether an end is known to be a server: its port is named. */
  isServer(end: string): boolean;
  /** The framing of connections to this end, as the client's end has it. Undefined if none is said. */
  framingFor(server: string): Framing | undefined;
}

/** Ports from the first to the last one. */
interface Ports {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads the options.
 *
 * @throws {UsageError} {TypeError} for what is no port, no address and no framing.
 */
export function choiceOf(options: ParsedOptions): Choice {
  const ports = options.list("ports")?.map((text) => portsOf(text, `--ports ${text}`));
  const hosts = hostsOf(options.list("hosts"));
  const decoded = decodedOf(options);
  const text = options.text("framing");
  const usual = text === undefined ? undefined : madeOf(text, options);
  const isNamed = (end: string) => decoded.some(({ ports }) => has(ports, portOf(end)));
  const isWanted = (end: string) =>
    ports === undefined || isNamed(end) || ports.some((some) => has(some, portOf(end)));
  return {
    accepts: (one, other) =>
      (isWanted(one) || isWanted(other)) && (hosts === undefined || hosts(one) || hosts(other)),
    isServer: (end) => isNamed(end) || ports !== undefined && isWanted(end),
    framingFor: (server) =>
      decoded.find(({ ports }) => has(ports, portOf(server)))?.framing ?? usual,
  };
}

function has({ first, last }: Ports, port: number): boolean {
  return first <= port && port <= last;
}

function portsOf(text: string, where: string): Ports {
  const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to ?? from)];
  if (first >= 1 && first <= last && last <= 65_535) return { first, last };
  throw new UsageError(`${where}: it must be a port or a range of them, such as 7000 or 7000-7100`);
}

/** `--decode PORT=FRAMING`, several times. There are commas in framings, too. */
function decodedOf(options: ParsedOptions): { ports: Ports; framing: Framing }[] {
  const text = options.text("decode");
  if (text === undefined) return [];
  return text.split(/,(?=\d+(?:-\d+)?=)/).map((one) => {
    const [, ports, name] = /^([^=]*)=(.+)$/s.exec(one) ?? [];
    if (name === undefined) {
      throw new UsageError(`--decode ${one}: it must be PORT=FRAMING, such as 5432=postgres`);
    }
    return { ports: portsOf(ports, `--decode ${one}`), framing: madeOf(name, options) };
  });
}

/** The framing of a text, with the limit of the options. */
export function madeOf(text: string, options: ParsedOptions): Framing {
  const maxMessageBytes = options.number("max-message");
  return framing(text as FramingText, maxMessageBytes === undefined ? {} : { maxMessageBytes });
}

function hostsOf(list: string[] | undefined): ((end: string) => boolean) | undefined {
  if (list === undefined) return undefined;
  const block = new BlockList();
  for (const text of list) {
    const [address, bits] = text.replace(/^\[(.*)\]$/, "$1").split("/");
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    if (family === 0 || bits !== undefined && !(/^\d+$/.test(bits) && Number(bits) <= most)) {
      throw new UsageError(`--hosts ${text}: it must be an address or a network, as 10.0.0.0/8`);
    }
    block.addSubnet(address, Number(bits ?? most), `ipv${family as 4 | 6}`);
  }
  return (end) => {
    const address = end.slice(0, end.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
    return block.check(address, `ipv${isIP(address) as 4 | 6}`);
  };
}
