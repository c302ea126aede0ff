/** The prompt of the talk mode: where one is, who one is, and how the connection is. */

import { dim, green, yellow } from "@std/fmt/colors";
import { columnsOf, cropped } from "../../terminal/width.ts";

/** Where a member of a chat is, and how it is called. */
export interface Presence {
  readonly room: string;
  readonly name: string;
}

/** A prompt for the width of the window. */
export type FittingPrompt = (columns: number) => string;

/** What a prompt says, in its parts. */
interface Parts {
  /** What stands in brackets. */
  readonly state: string;
  /** What stands behind it, if there is room. */
  readonly detail?: string;
  readonly name?: string;
}

/**
 * The prompt of an open connection: `[lobby 12 ms] Ada> ` in a chat, otherwise `[open] `. In a narrow
 * window the round-trip time is left out, and names are shortened: half of the row is for typing.
 */
export function openPrompt(presence?: Presence, time?: number): FittingPrompt {
  const detail = time === undefined ? "" : ` ${time < 10 ? time.toFixed(1) : time.toFixed(0)} ms`;
  return (columns) => {
    if (presence === undefined) return drawn({ state: "open", detail }, green);
    const { room: state, name } = presence;
    const half = Math.floor(columns / 2);
    if (columnsOf(plain({ state, detail, name })) <= half) {
      return drawn({ state, detail, name }, green);
    }
    if (columnsOf(plain({ state, name })) <= half) return drawn({ state, name }, green);
    const each = Math.max(1, Math.floor((half - columnsOf(plain({ state: "", name: "" }))) / 2));
    return drawn({ state: cropped(state, each), name: cropped(name, each) }, green);
  };
}

/**
 * The prompt of no connection, which says why. With a name it is `[offline] Ada> `, if there is room.
 * Details are left out in a narrow window. A quarter of the row is for typing.
 */
export function statePrompt(state: string, detail = "", name?: string): FittingPrompt {
  return (columns) => {
    const fitting = [{ state, detail, name }, { state, detail }].find((parts) =>
      columnsOf(plain(parts)) <= columns * 3 / 4
    );
    return drawn(fitting ?? { state }, yellow);
  };
}

function plain({ state, detail = "", name }: Parts): string {
  return `[${state}${detail}] ${name === undefined ? "" : `${name}> `}`;
}

function drawn({ state, detail = "", name }: Parts, color: (text: string) => string): string {
  const behind = name === undefined ? "" : `${name}${dim("> ")}`;
  return `${dim("[")}${color(state)}${detail === "" ? "" : dim(detail)}${dim("]")} ${behind}`;
}
