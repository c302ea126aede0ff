/** What both ends agree on besides the frames (RFC 6455, section 9): permessage-deflate (RFC 7692). */

const NAME = "permessage-deflate";
/** An extension with its parameters, or a parameter with its value, which may be in quotes. */
const PARAMETER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"([0-9]{1,3})"|([0-9]{1,3})))?$/;
/** The parameters of an offer, and what each may be. */
const SWITCHES = ["server_no_context_takeover", "client_no_context_takeover"];
const BITS = ["server_max_window_bits", "client_max_window_bits"];

/** What was agreed on. Messages are compressed one by one, and no memory is kept between them. */
export interface Agreed {
  /** How far back what this end sends may refer, as a power of two: 8 to 15. */
  readonly windowBits: number;
}

/** What a server answers. */
export interface Answer extends Agreed {
  /** The value of `Sec-WebSocket-Extensions`. */
  readonly field: string;
}

/** What a client offers. */
export const OFFER =
  `${NAME}; server_no_context_takeover; client_no_context_takeover; client_max_window_bits`;

/** The server's choice among the offers of a client: the first that can be kept; undefined for none. */
export function choose(offers: string | null): Answer | undefined {
  for (const offer of (offers ?? "").split(",")) {
    const parameters = parse(offer);
    if (parameters === undefined) continue;
    const bits = parameters.get("server_max_window_bits");
    if (bits === "") continue; // A server must be told how many.
    const own = bits === undefined ? "" : `; server_max_window_bits=${bits}`;
    return { windowBits: Number(bits ?? 15), field: `${NAME}; ${SWITCHES.join("; ")}${own}` };
  }
}

/** What a server's answer to `OFFER` means; undefined if a client must refuse it. */
export function agreedIn(answer: string): Agreed | undefined {
  const parameters = parse(answer);
  if (!parameters?.has("server_no_context_takeover")) return undefined;
  const bits = parameters.get("client_max_window_bits");
  return bits === "" ? undefined : { windowBits: Number(bits ?? 15) };
}

/** The parameters of permessage-deflate; undefined if it is something else, or one is wrong. */
function parse(text: string): Map<string, string> | undefined {
  const [name, ...rest] = text.split(";").map((part) => part.trim());
  if (name.toLowerCase() !== NAME) return undefined;
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const [, key, quoted, bare] = PARAMETER.exec(part) ?? [];
    const value = quoted ?? bare ?? "";
    const isRight = SWITCHES.includes(key) && value === "" ||
      BITS.includes(key) && (value === "" && !part.includes("=") || isWindow(value));
    if (!isRight || parameters.has(key)) return undefined;
    parameters.set(key, value);
  }
  return parameters;
}

function isWindow(value: string): boolean {
  return /^(8|9|1[0-5])$/.test(value);
}
