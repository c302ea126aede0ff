/** The query of an endpoint: the options behind its question mark. */

import {
  framing,
  FRAMING_KINDS,
  FRAMING_NAMES,
  type FramingText,
  FramingTextError,
} from "../../codec.ts";
import { withoutPassword } from "../../internal/address.ts";
import { likely } from "../../internal/nearest.ts";

/** The options of an endpoint's query. */
export interface Query {
  framing?: FramingText;
  session?: boolean;
  proxy?: boolean;
  deflate?: boolean;
  mode?: number;
  group?: string;
  ttl?: number;
  broadcast?: boolean;
}

/** How the value of each option is parsed. `read` gives undefined for a wrong value. */
const READERS: { [K in keyof Query]-?: { read(value: string): Query[K]; right: string } } = {
  framing: {
    read: readFraming,
    right: `one of ${FRAMING_NAMES.join(", ")}`,
  },
  mode: {
    read: (value) => /^[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : undefined,
    right: "three octal digits, such as 660",
  },
  group: {
    read: (value) => /^[0-9a-f:.]+$/i.test(value) ? value : undefined,
    right: "a multicast address, such as 239.1.2.3",
  },
  ttl: {
    read(value) {
      const ttl = /^\d{1,3}$/.test(value) ? Number(value) : 0;
      return ttl >= 1 && ttl <= 255 ? ttl : undefined;
    },
    right: "a number from 1 to 255",
  },
  broadcast: { read: readSwitch, right: "0 or 1" },
  session: { read: readSwitch, right: "0 or 1" },
  proxy: { read: readSwitch, right: "0 or 1" },
  deflate: { read: readSwitch, right: "0 or 1" },
};

/** The canonical form. */
function readFraming(value: string): FramingText | undefined {
  try {
    return framing(value as FramingText).name as FramingText;
  } catch (error) {
    if (error instanceof FramingTextError) throw error;
    return undefined;
  }
}

function readSwitch(value: string): boolean | undefined {
  return value === "1" ? true : value === "0" ? false : undefined;
}

/**
 * Parses a query. Only the options in `names` are allowed.
 *
 * @throws {TypeError} which names the option that is wrong.
 */
export function parseQuery<K extends keyof Query>(
  text: string,
  query: string,
  names: readonly K[],
): Pick<Query, K> {
  const options: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (!names.includes(name as K)) {
      throw wrong(text, `option "${name}" is unknown; use ${names.join(" or ")}`);
    }
    const { read, right } = READERS[name as K];
    try {
      options[name] = read(value);
    } catch (cause) {
      if (!(cause instanceof FramingTextError)) throw cause;
      throw wrong(text, `framing "${value}" is wrong: ${cause.reason}`, { cause });
    }
    if (options[name] !== undefined) continue;
    throw wrong(
      text,
      name === "framing"
        ? `framing "${value}" is unknown, ${rightFraming(value)}`
        : `${name} "${value}" must be ${right}`,
    );
  }
  return options as Pick<Query, K>;
}

function rightFraming(value: string): string {
  const near = likely(value, [...FRAMING_NAMES, ...FRAMING_KINDS]);
  return near === undefined ? `use ${READERS.framing.right}` : `the nearest is "${near}"`;
}

/** The error for a wrong endpoint. */
export function wrong(text: string, what: string, options?: ErrorOptions): TypeError {
  const shown = withoutPassword(text);
  const hint = shown === text ? "" : "; an endpoint has no user or password";
  return new TypeError(`Cannot use endpoint "${shown}": ${what}${hint}`, options);
}
