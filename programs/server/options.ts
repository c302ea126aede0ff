/** The server's options, and its help. */

import { FRAMING_NAMES } from "../../codec.ts";
import { MAX_DELAY } from "../../internal/check.ts";
import { EXEC_OPTIONS } from "../shared/exec_options.ts";
import { FORM_OPTIONS } from "../shared/forms.ts";
import { LIMIT_OPTION } from "../shared/limits.ts";
import { describeOptions, ENDPOINT_HELP, type OptionSpecs } from "../shared/options.ts";
import { SERVER_TLS_OPTIONS } from "../shared/secure.ts";
import { LOG_OPTIONS } from "./logging.ts";
import { SERVICE_NAMES } from "./services.ts";

const MAX = Number.MAX_SAFE_INTEGER;

/** All of them. */
export const OPTIONS: OptionSpecs = {
  service: { value: "NAME", choices: SERVICE_NAMES, help: "what to do, chat by default" },
  framing: {
    value: "NAME",
    choices: FRAMING_NAMES,
    framing: true,
    help: "where an endpoint names none; u32be",
  },
  session: { help: "clients that come back lose nothing" },
  ...SERVER_TLS_OPTIONS,
  token: { value: "TOKEN", group: "Access", help: "what the first message of each must be" },
  "token-file": { value: "FILE", hidden: true, group: "Access", help: "has the token" },
  allow: { value: "NET,…", list: true, group: "Access", help: "addresses that may come in" },
  deny: { value: "NET,…", list: true, group: "Access", help: "addresses that may not" },
  "proxy-from": {
    value: "NET,…",
    list: true,
    group: "Access",
    help: "proxies before ?proxy=1",
  },
  origin: { value: "URL,…", list: true, group: "Access", help: "of web pages that may join" },
  subprotocol: {
    value: "NAME,…",
    list: true,
    group: "Access",
    help: "of WebSockets, to pick from",
  },
  history: { value: "FILE", group: "Chat", help: "keeps what is said in a SQLite file" },
  backup: { value: "FILE", group: "Chat", help: "copies the history to FILE, and ends" },
  "operator-token": { value: "TOKEN", group: "Chat", help: "who knows it may /kick and /ban" },
  "operator-token-file": { value: "FILE", hidden: true, group: "Chat", help: "has that token" },
  cluster: { value: "nats://HOST,…", list: true, group: "Chat", help: "one chat of many servers" },
  "cluster-name": { value: "NAME", hidden: true, group: "Chat", help: "lengthwise by default" },
  "cluster-token-file": { value: "FILE", hidden: true, group: "Chat", help: "has its token" },
  "page-servers": {
    value: "URL,…",
    list: true,
    group: "Chat",
    help: "other servers, for the page to go on at",
  },
  dir: { value: "DIR", group: "Files", help: "what to serve" },
  "read-only": { group: "Files", help: "takes no files" },
  replace: { group: "Files", help: "lets files take the place of others" },
  "max-file": { value: "BYTES", range: [0, MAX], group: "Files", help: "17179869184 by default" },
  "max-dir": { value: "BYTES", range: [0, MAX], group: "Files", help: "68719476736 by default" },
  ...EXEC_OPTIONS,
  in: { ...FORM_OPTIONS.in, group: "Exec", hidden: true },
  out: { ...FORM_OPTIONS.out, group: "Exec", hidden: true },
  limit: LIMIT_OPTION,
  "max-message": { value: "BYTES", range: [1, MAX], hidden: true, help: "1048576 by default" },
  "max-connections": { value: "N", range: [1, MAX], hidden: true, help: "10000 by default" },
  "max-rate": { value: "N", range: [1, MAX], hidden: true, help: "100 by default" },
  "reuse-port": { hidden: true, help: "shares its ports with others of its kind" },
  "udp-idle": { value: "MS", range: [1, MAX_DELAY], hidden: true, help: "60000 by default" },
  workers: { value: "N", range: [1, 64], group: "Limits", help: "cores to use; 1 by default" },
  drain: { value: "MS", range: [0, MAX_DELAY], group: "Limits", help: "0 by default" },
  grace: { value: "MS", range: [0, MAX_DELAY], group: "Limits", help: "5000 by default" },
  config: { value: "FILE", group: "Running", help: "options in a file, as JSON" },
  check: { group: "Running", help: "looks whether it could serve, and ends" },
  metrics: { value: "ENDPOINT", group: "Running", help: "HTTP with /metrics, /health, /ready" },
  ...LOG_OPTIONS,
  quiet: { short: "q", group: "Output", help: "no line per connection" },
  "hold-back": { group: "Output", help: "serves nobody new while --json is not read" },
  json: { group: "Output", help: "one JSON object per line on stdout" },
  help: { short: "h", group: "Output", help: "this" },
  version: { short: "V", group: "Output", help: "the version" },
};

/** What `--help` shows. */
export const HELP = `[ENDPOINT…] [OPTION…]
${ENDPOINT_HELP}
Options (docs/programs.md tells all about them)
${describeOptions(OPTIONS)}
Examples
  server.ts                                           a chat server
  server.ts :1234 "tcp://0.0.0.0:2323?framing=line"   … that telnet can join
  server.ts ":9000?framing=u32le" --service echo      an echo server for C#
Exit codes: 0 done, 1 cannot listen, 2 wrong usage`;
