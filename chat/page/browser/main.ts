/**
 * The chat's window: the parts are put together here, and what the reader does comes in here.
 *
 * @module
 */

import { forgetAnswers } from "./admission.ts";
import { complete, edited, paste, recallLine, submit, takeBack, writePrefix } from "./composer.ts";
import { $, line, scroller } from "./elements.ts";
import { hear } from "./hearing.ts";
import { loadOlder } from "./history.ts";
import { inbox } from "./inbox.ts";
import { REPLY_TIMEOUT, SESSION_REPLY_TIMEOUT } from "./limits.ts";
import { link } from "./link.ts";
import { askedAgain, stillLoading } from "./loading.ts";
import { markNew, notice, settle, startLog, toEnd } from "./log.ts";
import { closePanel, isPanelOpen, openPanel } from "./panel.ts";
import { restore } from "./restore.ts";
import { goOn, outbox, showOutbox } from "./sending.ts";
import { Servers } from "./servers.ts";
import { showPeople, showRooms, showTitle, step } from "./side.ts";
import { openSocket } from "./socket.ts";
import { storage } from "./storage.ts";
import { showBanner, showStatus } from "./status.ts";
import { AT_END, view } from "./view.ts";

/** Where the page came from, and the other servers that it names. */
function namedServers(): Servers {
  const url = new URL(location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = url.search = "";
  return new Servers(url.href, meta("servers").split(" ").filter((endpoint) => endpoint !== ""));
}

/** What the server has written into the page. */
function meta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)!.content;
}

/** The page is left, perhaps for good, or to be loaded again. */
function onLeave(): void {
  restore.keepKey();
  link.part();
}

/** The page is shown again as it was left. */
function onReturn({ persisted }: PageTransitionEvent): void {
  if (!persisted) return;
  storage.set("key", "");
  link.hurry();
}

/** Once a second: what is late, and how long the next attempt is away. */
function tick(): void {
  const now = Date.now();
  const { kind } = link.state;
  if (kind === "waiting" || kind === "interrupted") showBanner();
  if (kind === "interrupted") return;
  const patience = link.isSession ? SESSION_REPLY_TIMEOUT : REPLY_TIMEOUT;
  view.loading = stillLoading(view.loading, now, patience);
  if (kind !== "open") return;
  link.watch(now);
  outbox.doubtLate(now, patience);
  showOutbox();
}

function onLineKey(event: KeyboardEvent): void {
  if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
  const { key, shiftKey } = event;
  if (key === "Tab" && !shiftKey && complete()) event.preventDefault();
  else if (key === "ArrowUp" || key === "ArrowDown") {
    event.preventDefault();
    recallLine(key === "ArrowUp" ? -1 : 1);
  } else if (key === "PageUp" || key === "PageDown") {
    event.preventDefault();
    scroller.scrollBy({ top: (key === "PageUp" ? -0.9 : 0.9) * scroller.clientHeight });
  }
}

function onKey(event: KeyboardEvent): void {
  if (event.isComposing || help.open) return;
  const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
  if (altKey && !ctrlKey && (key === "ArrowUp" || key === "ArrowDown")) {
    event.preventDefault();
    step(key === "ArrowUp" ? -1 : 1, shiftKey ? "unread" : "any");
  } else if ((ctrlKey || metaKey) && key === "/") {
    event.preventDefault();
    help.showModal();
  } else if (key === "Escape") escape();
}

function escape(): void {
  if (isPanelOpen()) {
    closePanel();
    $("menu").focus();
  } else if (!takeBack()) toEnd();
}

let lastTop = 0;

function onScroll(): void {
  const { scrollTop, scrollHeight, clientHeight } = scroller;
  if (scrollHeight - scrollTop - clientHeight < 40) view.reading = AT_END;
  else if (scrollTop < lastTop && view.reading.at === "end") {
    view.reading = { at: "above", below: 0 };
  }
  lastTop = scrollTop;
  settle();
  if (scrollTop < 300 && view.reading.at === "above") loadOlder();
}

function onVisibility(): void {
  if (document.hidden) {
    markNew(undefined);
    return;
  }
  view.missed = 0;
  showTitle();
  inbox.drain();
  link.hurry();
}

const help = $<HTMLDialogElement>("help");
$("help-button").onclick = () => help.showModal();
$("help-close").onclick = () => help.close();
$("new-room").onclick = () => writePrefix("/join ");
$("rename").onclick = () => writePrefix("/nick ");
$("menu").onclick = () => isPanelOpen() ? closePanel() : openPanel();
$("shade").onclick = closePanel;
$("newer").onclick = () => {
  toEnd();
  line.focus();
};
$("retry").onclick = () => {
  link.retry();
  line.focus();
};
$("form").onsubmit = (event) => {
  event.preventDefault();
  submit();
  line.focus();
};
$("ask").onsubmit = (event) => {
  event.preventDefault();
  link.connectWith($<HTMLInputElement>("token").value || undefined);
};
line.oninput = edited;
line.onpaste = (event) => {
  // The field would join the lines without a space.
  if (paste(event.clipboardData?.getData("text") ?? "")) event.preventDefault();
};
line.onkeydown = onLineKey;
scroller.onscroll = onScroll;
document.onkeydown = onKey;
document.onvisibilitychange = onVisibility;
globalThis.addEventListener("online", () => link.hurry());
globalThis.addEventListener("offline", showBanner);
globalThis.addEventListener("pagehide", onLeave);
globalThis.addEventListener("pageshow", onReturn);
matchMedia("(max-width: 46rem)").onchange = closePanel;
new ResizeObserver(() => settle()).observe(scroller);
// On phones the keyboard covers the page; the visible part is what counts.
globalThis.visualViewport?.addEventListener("resize", () => {
  const { height, scale } = globalThis.visualViewport!;
  if (scale === 1) document.documentElement.style.setProperty("--height", `${height}px`);
});
setInterval(tick, 1000);

startLog({ atTop: loadOlder });
inbox.start({ hear, drawn: settle });
showRooms();
showPeople();
showTitle();
const servers = namedServers();
// Older browsers lack what sessions need.
const isSession = meta("sessions") === "yes" && "fromHex" in Uint8Array;
link.start({
  open(user, token) {
    const endpoint = servers.next();
    return openSocket({ endpoint, others: servers.except(endpoint), isSession, token }, user);
  },
  startAnew: () => servers.startAnew(),
  take: (text) => inbox.take(text),
  drain: () => inbox.drain(),
  resumed() {
    view.loading = askedAgain(view.loading, Date.now());
    goOn();
  },
  forgotten: (reason) =>
    notice(
      `The connection could not go on: ${reason}. What was said meanwhile is loaded, ` +
        "and what you said that perhaps did not arrive is marked.",
    ),
  lost: () => {
    inbox.clear();
    forgetAnswers();
    outbox.doubt();
  },
  changed: () => {
    showStatus();
    showOutbox();
  },
});
// Not where that would bring up a keyboard on the screen.
if (!matchMedia("(pointer: coarse)").matches) line.focus();
