/** Subprotocols: names for the protocol of a WebSocket's messages (RFC 6455, section 1.9). */

import { HeadError } from "../../errors.ts";
import { printable } from "../../internal/text.ts";
import type { WebOptions } from "../../transport.ts";

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,255}$/;

/** What a client offers that wants a session, where the server has plain connections too. */
export const SESSION_SUBPROTOCOL = "lengthwise-session";

/** Picks one of the subprotocols that a client offers, or undefined for none. */
export type Pick = (offered: readonly string[], request: Request) => string | undefined;

/**
 * Gives a server's function that picks, as its options say. A list is in the server's order of
 * preference. By default the client's first subprotocol is picked, because browsers close a
 * connection for which none is picked. That of sessions is picked before all others where there are
 * sessions, and where there are none it is not picked by default.
 *
 * @throws {TypeError} if a name is not valid.
 */
export function pickBy(wanted: WebOptions["subprotocols"], takesSessions = false): Pick {
  const pick = pickOthersBy(wanted);
  if (!takesSessions) return pick;
  return (offered, request) =>
    offered.includes(SESSION_SUBPROTOCOL) ? SESSION_SUBPROTOCOL : pick(offered, request);
}

function pickOthersBy(wanted: WebOptions["subprotocols"]): Pick {
  if (wanted === undefined) {
    return (offered) => offered.find((name) => name !== SESSION_SUBPROTOCOL);
  }
  if (typeof wanted === "function") return checked(wanted);
  const known = checkSubprotocols(wanted);
  return (offered) => known.find((name) => offered.includes(name));
}

/** A program must not pick what was not offered: the client would have to end the connection. */
function checked(pick: Pick): Pick {
  return (offered, request) => {
    const picked = pick(offered, request);
    if (picked === undefined || offered.includes(picked)) return picked;
    throw new TypeError(
      `Cannot pick subprotocol "${printable(String(picked))}": the client offers ` +
        (offered.length === 0 ? "none" : offered.join(", ")),
    );
  };
}

/**
 * Checks names of subprotocols.
 *
 * @throws {TypeError} if a name is not valid, or is there twice.
 */
export function checkSubprotocols(names: readonly string[]): readonly string[] {
  for (const [i, name] of names.entries()) {
    if (!TOKEN.test(name)) {
      throw new TypeError(
        `Cannot use web.subprotocols "${printable(name)}": it must be 1 to 255 of ` +
          "A-Z a-z 0-9 and !#$%&'*+-.^_`|~",
      );
    }
    if (names.indexOf(name) < i) {
      throw new TypeError(`Cannot use web.subprotocols "${name}" twice`);
    }
  }
  return names;
}

/**
 * The subprotocols that a client offers, in its order. There may be several such fields.
 *
 * @throws {HeadError} if the list is not valid.
 */
export function offeredIn(fields: Headers): readonly string[] {
  const field = fields.get("sec-websocket-protocol");
  if (field === null) return [];
  const names = field.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !TOKEN.test(name));
  if (wrong === undefined) return names;
  throw new HeadError(
    `field Sec-WebSocket-Protocol has "${printable(wrong.slice(0, 40))}", which is no name`,
    400,
  );
}
