/** Writes down what a member of this server asks for. */

import { createHash } from "node:crypto";
import type { Deed } from "../engine/deeds.ts";
import type { Member } from "../engine/member.ts";
import type { Item } from "./items.ts";

/** What waited for less than this counts as said when the broker got it, in milliseconds. */
const SHORT = 1_000;

/** What stands in the log in the place of a key: so that who reads the log cannot take names. */
export function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("base64url");
}

/** The deed as it stands in the log. It was asked for at `since`, by `performance.now()`. */
export function itemOf(deed: Deed & { who: Member }, since: number): Item {
  const who = deed.who.number;
  const other = (person: { readonly id: string } | undefined) =>
    person === undefined ? {} : { other: person.id };
  switch (deed.do) {
    case "come": {
      const { name, host } = deed.who;
      return { do: "come", who, name, ...(host === undefined ? {} : { host }) };
    }
    case "say": {
      const { kind, text, ref } = deed;
      const ago = Math.round(performance.now() - since);
      const late = ago < SHORT ? {} : { ago };
      return { do: "say", who, kind, text, ...(ref === undefined ? {} : { ref }), ...late };
    }
    case "key":
      return { do: "key", who, key: hashOf(deed.who.key) };
    case "name":
      return { do: "name", who, name: deed.name, ...other(deed.over) };
    case "ban":
      return { do: "ban", who, name: deed.name, ...other(deed.whom) };
    case "tell":
      return { do: "tell", who, name: deed.name, text: deed.text, ...other(deed.to) };
    case "kick":
      return { do: "kick", who, name: deed.name, text: deed.reason, ...other(deed.whom) };
    default:
      return { ...deed, who };
  }
}

/** The text in a deed that makes it long. */
export function textOf(deed: Deed): string {
  return "text" in deed ? deed.text ?? "" : "";
}
