/** The client's options, in sets that commands share. */

import { FRAMING_NAMES } from "../../codec.ts";
import { MAX_DELAY, MAX_INT32 } from "../../internal/check.ts";
import { LIMIT_OPTION } from "../shared/limits.ts";
import type { OptionSpecs } from "../shared/options.ts";
import { CLIENT_TLS_OPTIONS } from "../shared/secure.ts";

/** What every command has. */
export const GENERAL_OPTIONS: OptionSpecs = {
  json: { group: "Output", help: "one JSON object per line on stdout" },
  help: { short: "h", group: "Output", help: "this" },
  version: { short: "V", group: "Output", help: "the version" },
};

/** Where a cluster is. */
export const CLUSTER_OPTIONS: OptionSpecs = {
  cluster: { value: "nats://HOST,…", list: true, group: "Cluster", help: "its brokers" },
  "cluster-name": { value: "NAME", group: "Cluster", help: "lengthwise by default" },
  "cluster-token-file": { value: "FILE", group: "Cluster", help: "has what the brokers want" },
};

/** What every command that connects has. */
export const CONNECT_OPTIONS: OptionSpecs = {
  framing: {
    value: "NAME",
    choices: FRAMING_NAMES,
    framing: true,
    help: "if the endpoint names none; u32be by default",
  },
  timeout: {
    value: "MS",
    range: [1, MAX_DELAY],
    help: "to connect, and per answer; 10000 by default",
  },
  retry: {
    value: "N",
    range: [0, MAX_INT32],
    group: "Access",
    help: "so many further attempts to connect",
  },
  ...CLIENT_TLS_OPTIONS,
  session: { group: "Access", help: "nothing is lost while the network is away" },
  token: { value: "TOKEN", group: "Access", help: "what the server wants first" },
  "token-file": { value: "FILE", hidden: true, group: "Access", help: "has the token" },
  subprotocol: { value: "NAME,…", list: true, hidden: true, help: "of WebSockets, to offer" },
  proxy: { value: "URL", group: "Access", help: "socks5://HOST:PORT or http://HOST:PORT" },
  source: { value: "ADDRESS", group: "Access", help: "of this machine, to connect from" },
  limit: { ...LIMIT_OPTION, group: "Access" },
  "max-message": {
    value: "BYTES",
    range: [0, Number.MAX_SAFE_INTEGER],
    hidden: true,
    help: "largest message accepted, 16777216 by default",
  },
};
