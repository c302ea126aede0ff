/** The catalog of framings whose messages show by themselves where they end. */

import { berTlv } from "./ber_tlv.ts";
import { jsonSequence } from "./json_sequence.ts";
import { jsonStream } from "./json_stream.ts";
import type { Kind } from "./kind.ts";
import type { Parameter } from "./parameters.ts";
import { resp2, resp3 } from "./resp.ts";

const MAX_DEPTH: Parameter = {
  type: "integer",
  min: 1,
  max: 1_000_000,
  default: "512",
  help: "How many levels deep the parts of a message may lie in one another.",
};

const INLINE: Parameter = {
  type: "boolean",
  default: "false",
  help: "A line without a type is a command: for servers.",
};

/** `jsonStream(…)`. */
export const JSON_STREAM: Kind = {
  help: "JSON values one behind the other, with white space or nothing between them.",
  example: "jsonStream(maxDepth:64)",
  parameters: { maxDepth: MAX_DEPTH },
  make: jsonStream,
};

/** `jsonSequence(…)`. */
export const JSON_SEQUENCE: Kind = {
  help: "JSON texts between 0x1E and a newline (RFC 7464).",
  example: "jsonSequence",
  parameters: { maxDepth: MAX_DEPTH },
  make: jsonSequence,
};

/** `berTlv(…)`. */
export const BER_TLV: Kind = {
  help: "Values of ASN.1 in BER or DER, of definite or indefinite length (X.690).",
  example: "berTlv",
  parameters: { maxDepth: MAX_DEPTH },
  make: berTlv,
};

/** `resp2(…)`. */
export const RESP2: Kind = {
  help: "Commands and replies of Redis, whole and as they are on the wire.",
  example: "resp2(inline:true)",
  parameters: { maxDepth: MAX_DEPTH, inline: INLINE },
  make: resp2,
};

/** `resp3(…)`. */
export const RESP3: Kind = {
  help: "Commands, replies and pushes of Redis in version 3 of its protocol.",
  example: "resp3",
  parameters: { maxDepth: MAX_DEPTH, inline: INLINE },
  make: resp3,
};
