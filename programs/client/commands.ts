/**
 * The client's commands. There are two kinds: a conversation has one endpoint or several, which stand
 * before the command and have a default; a tool has operands of any kind, which all stand after it.
 */

import { MAX_DELAY, MAX_INT32 } from "../../internal/check.ts";
import { EXEC_OPTIONS } from "../shared/exec_options.ts";
import { FORM_OPTIONS } from "../shared/forms.ts";
import type { Host } from "../shared/host.ts";
import type { OptionSpec, OptionSpecs } from "../shared/options.ts";
import { BENCH_OPTIONS } from "./benching/options.ts";
import type { ClientContext, ToolContext } from "./context.ts";
import { CLUSTER_OPTIONS, CONNECT_OPTIONS, GENERAL_OPTIONS } from "./options.ts";
import {
  DUMP_OPTIONS,
  LISTEN_OPTIONS,
  PROXY_OPTIONS,
  RELAY_OPTIONS,
  REPLAY_OPTIONS,
} from "./relay/options.ts";

/** What the help tells of a command, and what its command line may have. */
interface CommandBase {
  /** How its operands are called, as in `METHOD [JSON]`. Without them it takes none. */
  readonly operands?: string;
  /** What it does, in whole sentences and lines of at most 78 characters. */
  readonly help: string;
  /** Its own options, besides those that all commands of its kind have. */
  readonly options?: OptionSpecs;
  /** Command lines that work, without the program's name. */
  readonly examples: readonly string[];
}

/** A command that talks with one peer. */
export interface Conversation extends CommandBase {
  /** It has an endpoint before its name, or several of one service. */
  readonly kind: "conversation";
  /** Whether it may not have several. */
  readonly hasOneEndpoint?: boolean;
  /** Whether it connects to nobody this time. */
  isOffline?(tool: ToolContext): boolean;
  /** Loads what it needs. */
  load(host: Host): Promise<(context: ClientContext) => Promise<number>>;
}

/** A command that does not connect to one endpoint, but to several, to none, or listens. */
export interface Tool extends CommandBase {
  /** All its operands stand after its name. */
  readonly kind: "tool";
  /** Loads what it needs. */
  load(host: Host): Promise<(context: ToolContext) => Promise<number>>;
}

/** One of the client's commands. */
export type Command = Conversation | Tool;

const LINGER: OptionSpec = {
  value: "MS",
  range: [0, MAX_DELAY],
  group: "talk, send",
  help: "after a pipe's end, 1000 by default",
};
const HALF_CLOSE: OptionSpec = { group: "talk, send", help: "ends this direction first" };
const COUNT: OptionSpec = {
  value: "N",
  range: [1, MAX_INT32],
  group: "ping, bench",
  help: "how often",
};

/** To connect where the framing is not known. */
const LOOK_OPTIONS: OptionSpecs = Object.fromEntries(
  Object.entries(CONNECT_OPTIONS).filter(([name]) =>
    !["framing", "session", "token", "token-file", "max-message"].includes(name)
  ),
);

/** What the client does without a command. */
export const TALK: Conversation = {
  kind: "conversation",
  help: `Sends the lines that are typed or piped, and prints the messages that come.
On a terminal it edits lines, shows colours, and connects again by itself; with
several endpoints, to another server when its own has gone.`,
  options: {
    ...FORM_OPTIONS,
    linger: LINGER,
    "half-close": HALF_CLOSE,
    bell: { group: "Output", help: "rings when someone says your name" },
  },
  examples: [
    ":1234",
    "one.example:1234 two.example:1234",
    `"tls://example.com:1234?framing=line" --ca ca.pem`,
  ],
  load: async ({ stdin, stdout }) =>
    stdin.isTerminal && stdout.isTerminal
      ? (await import("./talk.ts")).talk
      : (await import("./pipe.ts")).pipe,
};

/** All by name. Each loads what it needs, because a run of the client needs one of them. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  send: {
    kind: "conversation",
    operands: "TEXT|@FILE|-…",
    help: `Sends one message each, and prints as many answers as --expect says.
@FILE is what the file has, - is the standard input: one message, or with --in
lines, hex, base64, json or length several. @@ stands for an @ at the start.`,
    options: {
      ...FORM_OPTIONS,
      expect: {
        value: "N",
        range: [0, MAX_INT32],
        group: "talk, send",
        help: "so many answers",
      },
      "half-close": HALF_CLOSE,
    },
    examples: [
      ":1234 send hello world --expect 2",
      ":1234 send --in hex 'de ad be ef' --expect 1 --out hex",
      ":1234 send @picture.png",
    ],
    load: async () => (await import("./send.ts")).send,
  },
  request: {
    kind: "conversation",
    operands: "METHOD [JSON|@FILE|-]",
    help: `Asks a server that answers requests, and prints the answer as a line of JSON,
or bytes as they are. With --in other than json, it asks with bytes.`,
    options: {
      ...FORM_OPTIONS,
      stream: { group: "Output", help: "its answer is a stream of items" },
    },
    examples: [`:1234 request add '[1,2]'`],
    load: async () => (await import("./request.ts")).request,
  },
  put: {
    kind: "conversation",
    operands: "FILE…",
    help: `Sends files to server.ts --service files. What was cut is continued.`,
    examples: [":1234 put film.mp4"],
    load: async () => (await import("./transfer.ts")).put,
  },
  get: {
    kind: "conversation",
    operands: "NAME",
    help: `Fetches a file of server.ts --service files into the current folder.`,
    options: {
      output: { value: "FILE", group: "Output", help: "where to, - is stdout" },
    },
    examples: [":1234 get film.mp4", ":1234 get notes.txt --output -"],
    load: async () => (await import("./transfer.ts")).get,
  },
  ls: {
    kind: "conversation",
    help: `Lists the files of server.ts --service files: size, time, name.`,
    examples: [":1234 ls"],
    load: async () => (await import("./transfer.ts")).ls,
  },
  ping: {
    kind: "conversation",
    help: `Measures round-trip times to a chat or echo server. With --port it tells
which ports of the host are open. With --tls it shows the certificates, also
those that are not trusted, with the fingerprint that --fingerprint wants.
With --cluster it asks the servers at a broker how they are.`,
    options: {
      ...CLUSTER_OPTIONS,
      tls: { help: "looks at the certificates, and says nothing" },
      port: { value: "FROM-TO", help: "connects to each of these ports, and to nothing else" },
      count: COUNT,
      interval: {
        value: "MS",
        range: [0, MAX_DELAY],
        group: "ping, bench",
        help: "between pings",
      },
    },
    isOffline: ({ options }) => options.text("cluster") !== undefined,
    examples: [
      ":1234 ping --count 10 --interval 100",
      ":1 ping --port 7000-7100",
      "ping --cluster nats://127.0.0.1:4222",
      "tls://example.com:443 ping --tls",
    ],
    load: async () => (await import("./ping.ts")).ping,
  },
  bench: {
    kind: "conversation",
    hasOneEndpoint: true,
    operands: "[FILE]",
    help: `Measures messages per second, and latency, against an echo server; briefly, or
with --connections, --rate, --duration or --chat under load: then each latency
counts from when the message was due, so that each stall of the peer shows.`,
    options: { count: COUNT, ...BENCH_OPTIONS },
    isOffline: ({ options, operands }) =>
      options.text("compare") !== undefined && operands.length > 0,
    examples: [
      ":1234 bench --count 100000 --size 32",
      ":1234 bench --connections 100 --rate 5000 --json > result",
      "bench --compare result-before result-after",
    ],
    load: async () => (await import("./bench.ts")).bench,
  },
  guess: {
    kind: "tool",
    operands: "FILE|ENDPOINT [TEXT…]",
    help: `Tells which framings fit to the bytes in a file, in a capture of tcpdump or
Wireshark (pcap, pcapng), or to what a peer says; shows the first messages.
A peer that says nothing by itself is sent the lines TEXT first.`,
    options: LOOK_OPTIONS,
    examples: ["guess capture.pcap", "guess tls://mail.example.com:993"],
    load: async () => (await import("./guess.ts")).guessFraming,
  },
  dump: {
    kind: "tool",
    operands: "FILE|-",
    help: `Shows the TCP connections in a capture of tcpdump or Wireshark (pcap, pcapng)
as messages, with time, direction and size; - takes a capture as it comes.`,
    options: DUMP_OPTIONS,
    examples: [
      `dump capture.pcap --framing u32be`,
      `dump capture.pcapng --decode 5432=postgres --decode 6379=redis`,
      `dump capture.pcap --ports 7000 --record talk.jsonl`,
      `dump - --framing line     # behind tcpdump -w - -U tcp port 7000 |`,
    ],
    load: async () => (await import("./dump.ts")).dump,
  },
  doctor: {
    kind: "tool",
    operands: "ENDPOINT",
    help: `Looks at an endpoint step by step: name, each address, proxy, certificates and
clock, upgrade to a WebSocket, what the peer speaks, round trips. It says what
is wrong and what to do, in order, and ends with 1 if something is. A peer
that says nothing by itself is greeted on connections of their own.`,
    options: {
      passive: { help: "says nothing to the peer after the handshakes" },
      ...CONNECT_OPTIONS,
      timeout: { ...CONNECT_OPTIONS.timeout, help: "for each step; 5000 by default" },
    },
    examples: ["doctor :1234", "doctor wss://chat.example.com/room"],
    load: async () => (await import("./doctor.ts")).doctor,
  },
  listen: {
    kind: "tool",
    operands: "ENDPOINT",
    help: `Waits for peers, prints what they say, and sends them what is typed or piped.
It ends when the input has ended and everybody has gone.`,
    options: {
      once: { help: "serve one connection, and end with it" },
      keep: { help: "go on when the input has ended" },
      ...EXEC_OPTIONS,
      tee: { value: "FILE", help: "appends what comes to a file, too" },
      ...FORM_OPTIONS,
      linger: LINGER,
      ...LISTEN_OPTIONS,
    },
    examples: [
      `listen :1234`,
      `listen ":9000?framing=none" --once > file`,
      `listen :1234 --exec "tr a-z A-Z"`,
    ],
    load: async () => (await import("./listen.ts")).listen,
  },
  bridge: {
    kind: "tool",
    operands: "LISTEN TARGET",
    help: `Listens at one endpoint, and joins each peer that comes with a connection of
its own to the target, of any transport and framing. Messages stay whole.`,
    options: RELAY_OPTIONS,
    examples: [
      `bridge ":2323?framing=line" ":1234?framing=u32be"`,
      `bridge tls://0.0.0.0:4433 :1234 --cert cert.pem --key key.pem`,
      `bridge ws://:8080 unix:/run/lw.sock`,
    ],
    load: async () => (await import("./bridge.ts")).bridge,
  },
  proxy: {
    kind: "tool",
    operands: "LISTEN TARGET",
    help: `A bridge with eyes: shows each message that passes, with time, direction and
size, records it, and disturbs it, for tests of other programs.`,
    options: {
      ...PROXY_OPTIONS,
      ...RELAY_OPTIONS,
    },
    examples: [
      `proxy ":9000?framing=u32le" "10.0.0.7:9000?framing=u32le"`,
      `proxy :2000 :1234 --record talk.jsonl --show none`,
      `proxy :2000 :1234 --throttle 20k --delay 200 --chop 3`,
    ],
    load: async () => (await import("./proxying.ts")).proxy,
  },
  formats: {
    kind: "tool",
    operands: "[NAME]",
    help: `Lists the programs and protocols that have a framing under their name, or
tells of one its bytes, what the length counts, and what surprised.`,
    examples: ["formats", "formats postgres"],
    load: async () => (await import("./formats.ts")).formats,
  },
  completion: {
    kind: "tool",
    operands: "bash|zsh|fish [CLIENT [SERVER]]",
    help: `Prints a script that completes the command lines of both programs in a shell.
CLIENT and SERVER are the names by which they are started there,
lengthwise-client and lengthwise-server by default.`,
    examples: ["completion bash", "completion zsh lwc lws"],
    async load() {
      const { completion } = await import("./completion.ts");
      return (context) => completion(context, tables());
    },
  },
  replay: {
    kind: "tool",
    operands: "FILE [ENDPOINT]",
    help: `Plays what proxy --record has recorded: as the client to the recorded target
or another endpoint, or as the server to peers that come.`,
    options: { ...REPLAY_OPTIONS, ...LISTEN_OPTIONS, ...CONNECT_OPTIONS },
    examples: [
      `replay talk.jsonl :1234 --speed 10`,
      `replay talk.jsonl :1234 --diff --ignore '\\d\\d:\\d\\d:\\d\\dZ'`,
      `replay talk.jsonl :2000 --as server --step`,
    ],
    load: async () => (await import("./replay.ts")).replay,
  },
};

/** The options that a command takes. */
export function optionsOf(command: Command): OptionSpecs {
  const shared = command.kind === "conversation" ? CONNECT_OPTIONS : {};
  return { ...command.options, ...shared, ...GENERAL_OPTIONS };
}

/** The options of all commands. */
export function allOptions(): OptionSpecs {
  return Object.assign({}, ...[TALK, ...Object.values(COMMANDS)].map(optionsOf));
}

/** Each command with all of its options, the first of which has no name. */
function tables() {
  const named = Object.entries(COMMANDS).map(([name, command]) => ({ ...command, name }));
  return [{ ...TALK, name: "" }, ...named].map((one) => ({ ...one, options: optionsOf(one) }));
}
