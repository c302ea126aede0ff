/** The options of the commands that listen, and of those that join two endpoints. */

import { FRAMING_NAMES } from "../../../codec.ts";
import { MAX_DELAY } from "../../../internal/check.ts";
import { FORM_OPTIONS } from "../../shared/forms.ts";
import { LIMIT_OPTION } from "../../shared/limits.ts";
import type { OptionSpecs } from "../../shared/options.ts";
import { CLIENT_TLS_OPTIONS, SERVER_TLS_OPTIONS } from "../../shared/secure.ts";

/** What a command that listens has. */
export const LISTEN_OPTIONS: OptionSpecs = {
  framing: {
    value: "NAME",
    choices: FRAMING_NAMES,
    framing: true,
    group: "Limits",
    help: "where an endpoint names none; u32be by default",
  },
  ...SERVER_TLS_OPTIONS,
  allow: { value: "NET,…", list: true, group: "Access", help: "addresses that may come in" },
  deny: { value: "NET,…", list: true, group: "Access", help: "addresses that may not" },
  limit: { ...LIMIT_OPTION, group: "Limits" },
  "max-message": {
    value: "BYTES",
    range: [0, Number.MAX_SAFE_INTEGER],
    group: "Limits",
    help: "largest message accepted, 16777216 by default",
  },
  quiet: { short: "q", group: "Output", help: "no line per connection" },
};

const { ca, "server-name": serverName, fingerprint, insecure } = CLIENT_TLS_OPTIONS;

/** What a command that listens and connects has. */
export const RELAY_OPTIONS: OptionSpecs = {
  once: { help: "serve one connection, and end with it" },
  ...LISTEN_OPTIONS,
  timeout: { value: "MS", range: [1, MAX_DELAY], group: "Limits", help: "to connect; 10000" },
  linger: {
    value: "MS",
    range: [0, MAX_DELAY],
    group: "Limits",
    help: "for late answers over WebSocket and UDP; 1000",
  },
  ca: { ...ca, group: "To the target" },
  "server-name": { ...serverName, group: "To the target" },
  fingerprint: { ...fingerprint, group: "To the target" },
  insecure: { ...insecure, group: "To the target" },
  "client-cert": { value: "FILE", group: "To the target", help: "this end's certificate" },
  "client-key": { value: "FILE", group: "To the target", help: "its private key" },
  token: { value: "TOKEN", group: "To the target", help: "what the target wants first" },
  "token-file": { value: "FILE", hidden: true, group: "To the target", help: "has the token" },
  proxy: { value: "URL", group: "To the target", help: "socks5://HOST:PORT or http://HOST:PORT" },
  source: { value: "ADDRESS", group: "To the target", help: "of this machine, to connect from" },
  subprotocol: {
    value: "NAME,…",
    list: true,
    group: "To the target",
    help: "of WebSockets, to offer",
  },
};

/** How messages are shown; `none` shows nothing. */
export type Show = "pretty" | "hex" | "json" | "none";

/** The options that make a bridge a proxy. */
export const PROXY_OPTIONS: OptionSpecs = {
  show: {
    value: "FORM",
    choices: ["pretty", "hex", "json", "none"] satisfies Show[],
    help: "how messages are shown; pretty by default",
  },
  record: { value: "FILE", help: "appends what passes; see docs/recording.md" },
  throttle: { value: "RATE", help: "bytes per second each way, as 500, 20k or 1.5M" },
  delay: { value: "MS", range: [0, MAX_DELAY], help: "each message passes so much later" },
  chop: { value: "BYTES", range: [1, 2 ** 30], help: "bytes leave in pieces of 1 to so many" },
  cut: {
    value: "EVERY",
    range: [1, Number.MAX_SAFE_INTEGER],
    help: "breaks a connection after so many bytes",
  },
  corrupt: { value: "P", help: "probability of a wrong bit in a piece, 0 to 1" },
};

/** The options of `replay`, besides those of connecting and listening. */
export const REPLAY_OPTIONS: OptionSpecs = {
  as: { value: "ROLE", choices: ["client", "server"], help: "who to be; client by default" },
  speed: { value: "N", help: "so many times faster, or max; 1" },
  step: { help: "Enter sends the next message" },
  diff: { help: "compares the answers with those recorded; code 1" },
  ignore: { value: "REGEXP", help: "what of the answers --diff leaves out" },
  show: { ...PROXY_OPTIONS.show, help: "how messages are shown; pretty, none with --diff" },
};

/** The options of `dump`. */
export const DUMP_OPTIONS: OptionSpecs = {
  framing: {
    ...LISTEN_OPTIONS.framing,
    group: undefined,
    help: "as the client has it; else what surely fits",
  },
  decode: {
    value: "PORT=NAME",
    repeated: true,
    help: "the framing of a port, or of FROM-TO",
  },
  ports: { value: "PORT,…", list: true, repeated: true, help: "these only, or FROM-TO" },
  hosts: { value: "NET,…", list: true, repeated: true, help: "with one of these only" },
  from: { value: "END", choices: ["client", "server"], help: "what this end said only" },
  show: PROXY_OPTIONS.show,
  out: { ...FORM_OPTIONS.out, help: "messages alone: lines, bytes, hex, json…" },
  record: { ...PROXY_OPTIONS.record, help: "appends it for replay; see docs/recording.md" },
  "max-message": LISTEN_OPTIONS["max-message"],
  quiet: LISTEN_OPTIONS.quiet,
};
