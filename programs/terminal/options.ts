/** What the terminal of the client's talk mode can be told. */

import type { Completion } from "./completion.ts";
import type { Prompt } from "./line_editor.ts";

/** Options of `Terminal`. */
export interface TerminalOptions {
  /**
   * The prompt before the line being typed. It may have colour codes, but no line break. A function
   * makes it for the width of the window.
   *
   * @default "> "
   */
  prompt?: Prompt;
  /**
   * How many lines the up and down keys bring back.
   *
   * @default 500
   */
  historySize?: number;
  /** Called at Ctrl-C on an empty line, instead of ending the iteration. */
  onInterrupt?: () => void;
  /**
   * Called at Tab with the text before the cursor. Returns undefined if there is nothing to
   * complete. If other characters came together with a Tab, it is part of a paste and is taken as
   * text, also if the terminal does not mark pastes.
   *
   * @default Tab is taken as text
   */
  complete?: (before: string) => Completion | undefined;
}
