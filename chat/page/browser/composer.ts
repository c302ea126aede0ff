/**
 * The line in which one writes.
 *
 * @module
 */

import {
  beginCompletion,
  completedHead,
  completedLine,
  type Completion,
  nextCompletion,
} from "./completion.ts";
import { $, line } from "./elements.ts";
import { MAX_KEPT, MAX_LINE } from "./limits.ts";
import { notice, toEnd } from "./log.ts";
import { isAction } from "./outbox.ts";
import { closePanel } from "./panel.ts";
import { Recall } from "./recall.ts";
import { command, flush, outbox } from "./sending.ts";
import { plural } from "./text.ts";
import { isMe, sortedRooms, view } from "./view.ts";

const recalled = new Recall();
let completion: Completion | undefined;

/** Sends the line. */
export function submit(): void {
  const text = line.value.replace(/[\r\n]+/g, " ").trimEnd();
  if (text.trim() === "") return;
  if (text.length > MAX_LINE) return countLeft();
  const isCommand = text.startsWith("/") && !text.startsWith("//") && !isAction(text);
  if (isCommand) {
    if (!command(text)) return;
  } else {
    if (outbox.full) return notice(`${MAX_KEPT} messages wait already.`, "error");
    outbox.add(text, view.room);
    flush();
  }
  // A token is not for others who look over a shoulder.
  if (!text.startsWith("/operator ")) recalled.add(text);
  recalled.stop();
  line.value = "";
  countLeft();
  toEnd();
}

/** Begins a line for the reader. */
export function writePrefix(text: string): void {
  closePanel();
  setLine(text);
  line.focus();
}

/** Is called when the reader has written something. */
export function edited(): void {
  completion = undefined;
  countLeft();
}

/** Puts in several lines as one; false if there is but one. */
export function paste(text: string): boolean {
  if (!/[\r\n]/.test(text)) return false;
  const joined = text.trim().replace(/\s*[\r\n]+\s*/g, " ");
  line.setRangeText(joined, line.selectionStart ?? 0, line.selectionEnd ?? 0, "end");
  countLeft();
  return true;
}

/** Goes to the line that was sent before, or after. */
export function recallLine(by: 1 | -1): void {
  const text = recalled.step(by, line.value);
  if (text !== undefined) setLine(text);
}

/** Completes the word before the caret; false when Tab should do what it does everywhere. */
export function complete(): boolean {
  if (isCompleted()) completion = nextCompletion(completion!);
  else {
    const caret = line.selectionStart;
    if (caret === null || caret !== line.selectionEnd) return false;
    const people = [...view.people.values()].map(({ name }) => name);
    completion = beginCompletion(line.value, caret, {
      rooms: sortedRooms().map(({ name }) => name),
      people: people.filter((name) => !isMe(name)),
    });
  }
  // Past the last one Tab moves on: nobody is caught here.
  if (completion === undefined) return false;
  const { all, at } = completion;
  setLine(completedLine(completion), completedHead(completion).length);
  $("hint").textContent = `${all[at].trim()}, ${at + 1} of ${all.length}`;
  return true;
}

/** Takes a completion back, or goes back to what was written; false if there is neither. */
export function takeBack(): boolean {
  if (isCompleted()) {
    setLine(completion!.original, completion!.caret);
    completion = undefined;
    return true;
  }
  const draft = recalled.stop();
  if (draft === undefined) return false;
  setLine(draft);
  return true;
}

/** Whether the line is as the last completion left it. */
function isCompleted(): boolean {
  return completion !== undefined && line.value === completedLine(completion);
}

function setLine(text: string, caret = text.length): void {
  line.value = text;
  line.setSelectionRange(caret, caret);
  countLeft();
}

function countLeft(): void {
  const left = MAX_LINE - line.value.length;
  $("left").hidden = left > MAX_LINE / 10;
  $("left").textContent = left < 0
    ? `${-left} characters too long`
    : `${plural(left, "character", "characters")} left`;
  line.setAttribute("aria-invalid", String(left < 0));
}
