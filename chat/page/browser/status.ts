/**
 * How the link stands, as it is shown.
 *
 * @module
 */

import { $, line, scroller } from "./elements.ts";
import { link, type LinkState } from "./link.ts";

/** What it is called; and by which name the sheet knows it. */
const WORDS: Record<LinkState["kind"], readonly [words: string, style: string]> = {
  connecting: ["Connecting", "connecting"],
  open: ["Connected", "open"],
  leaving: ["Connected", "open"],
  interrupted: ["Reconnecting", "connecting"],
  waiting: ["Not connected", "waiting"],
  refused: ["Not admitted", "refused"],
  left: ["Not connected", "left"],
};

/** Shows it in the head, and what can be done about it. */
export function showStatus(): void {
  const { state } = link;
  const [words, style] = WORDS[state.kind];
  const shown = state.kind === "connecting" && link.wasOpen ? "Reconnecting" : words;
  const box = $("state");
  if (box.textContent !== shown) box.textContent = shown;
  box.dataset.state = style;
  showQuestion(state);
  showBanner();
}

/** Shows how long an answer of the server took. */
export function showRoundTrip(milliseconds: number): void {
  $("state").title = `Answer in ${milliseconds} ms`;
}

/** An interruption that is shorter than this is not worth a banner, in milliseconds. */
const BLINK = 1_000;

/** Says in the page why there is no connection, and when the next attempt is. */
export function showBanner(): void {
  const { state } = link;
  const trying = state.kind === "connecting";
  $("banner").hidden = !(state.kind === "waiting" || state.kind === "left" ||
    (trying && link.failing) ||
    (state.kind === "interrupted" && Date.now() - state.since >= BLINK));
  $("retry").hidden = trying;
  $("retry").textContent = state.kind === "left" ? "Join again" : "Try now";
  $("banner-text").textContent = bannerWords(state);
}

function bannerWords(state: Readonly<LinkState>): string {
  if (state.kind === "left") {
    return state.by === "server" ? "You were disconnected." : "You have left the chat.";
  }
  if (!("reason" in state)) return "";
  const what = link.wasOpen ? "The connection was lost" : "The server cannot be reached";
  const why = state.reason ? `: ${state.reason}` : "";
  const hint = navigator.onLine ? "" : "This device seems to be offline. ";
  const seconds = "until" in state ? Math.ceil((state.until - Date.now()) / 1000) : 0;
  const next = seconds <= 0 ? "Trying now…" : `Next try in ${seconds} s.`;
  const kept = state.kind === "interrupted" ? " What you write waits until then." : "";
  return `${what}${why}. ${hint}${next}${kept}`;
}

/** Asks for a token in the place of the log. */
function showQuestion(state: Readonly<LinkState>): void {
  const refused = state.kind === "refused";
  const wasAsked = $("ask").contains(document.activeElement);
  $("ask").hidden = !refused;
  for (const element of [scroller, document.querySelector("footer")!, $("new-room"), $("rename")]) {
    element.hidden = refused;
  }
  if (refused) {
    $("ask-reason").textContent = state.why;
    $("ask-reason").hidden = state.why === "";
    $<HTMLInputElement>("token").value = "";
    $("token").focus();
  } else if (wasAsked) {
    // The field that had the focus has gone, and what was typed there has been taken.
    line.focus();
  }
}
