/** Erlang's packet modes. */

import { berTlv } from "../ber_tlv.ts";
import { fcgi } from "../fcgi.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, type Framing, type FramingOptions } from "../framing.ts";
import { lengthPrefix } from "../length_prefix.ts";
import { line } from "../line.ts";
import { canonical } from "../names.ts";
import { none } from "../none.ts";
import { recordMarking } from "../record_marking.ts";
import { tpkt } from "../tpkt.ts";
import { adapted } from "./adapted.ts";
import { giop } from "./giop.ts";

/** The modes of `inet:setopts(Socket, [{packet, Mode}])` that frame. */
export type ErlangPacket =
  | "raw"
  | 1
  | 2
  | 4
  | "line"
  | "asn1"
  | "cdr"
  | "sunrm"
  | "fcgi"
  | "tpkt";

/** Options of {@linkcode erlang}. */
export interface ErlangOptions extends FramingOptions {
  /** The packet mode. */
  packet: ErlangPacket;
}

/** What each mode is. */
const MODES: Record<ErlangPacket, () => Framing> = {
  raw: none,
  1: () => lengthPrefix({ bytes: 1 }),
  2: () => lengthPrefix({ bytes: 2 }),
  4: () => lengthPrefix({ bytes: 4 }),
  line: () => line({ telnet: false }),
  asn1: berTlv,
  cdr: giop,
  sunrm: recordMarking,
  fcgi,
  tpkt: () => tpkt({ keepHeader: true }),
};

/**
 * Erlang's `{packet, Mode}` of `gen_tcp`, but for `http` and its kin, which parse. What is different:
 *
 * - `1`, `2`: Erlang sends a wrong length for a message that is too long; this framing refuses it.
 * - `line`: Erlang keeps the newline, and cuts a line that is longer than its buffer.
 * - `asn1`: Of a value of indefinite length, Erlang hands over the pieces; here it is one message.
 * - `sunrm`: Erlang hands over each fragment with its header; here they are put together without it.
 * - `fcgi`: Erlang drops the padding, and leaves in the header how long it was; here the header says 0.
 *
 * In `asn1`, `cdr`, `sunrm`, `fcgi` and `tpkt` Erlang adds nothing to what it sends.
 *
 * @throws {TypeError} for another mode.
 */
export function erlang({ packet, maxMessageBytes }: ErlangOptions): Framing {
  if (!Object.hasOwn(MODES, packet)) {
    const modes = ["raw", 1, 2, 4, "line", "asn1", "cdr", "sunrm", "fcgi", "tpkt"];
    throw new TypeError(`Cannot use packet ${packet}: it must be one of ${modes.join(", ")}`);
  }
  const inner = MODES[packet]();
  const maxBytes = maxMessageBytes ?? Math.min(inner.maxMessageBytes, DEFAULT_MAX_MESSAGE_BYTES);
  return adapted(inner, { name: canonical("erlang", {}, [packet]), maxBytes });
}
