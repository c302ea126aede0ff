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
import { REPLY_TIMEOUT } from "./limits.ts";
import { link } from "./link.ts";
import { stillLoading } from "./loading.ts";
import { markNew, settle, startLog, toEnd } from "./log.ts";
import { closePanel, isPanelOpen, openPanel } from "./panel.ts";
import { outbox, showOutbox } from "./sending.ts";
import { Servers } from "./servers.ts";
import { showPeople, showRooms, showTitle, step } from "./side.ts";
import { openSocket } from "./socket.ts";
import { showBanner, showStatus } from "./status.ts";
import { AT_END, view } from "./view.ts";

/** Where the page came from, and the other servers that it names. */
function namedServers(): Servers {
  const url = new URL(location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = url.search = "";
  const { content } = document.querySelector<HTMLMetaElement>("meta[name=servers]")!;
  return new Servers(url.href, content.split(" ").filter((endpoint) => endpoint !== ""));
}

/** Once a second: what is late, and how long the next attempt is away. */
function tick(): void {
  const now = Date.now();
  if (link.state.kind === "waiting") showBanner();
  view.loading = stillLoading(view.loading, now, REPLY_TIMEOUT);
  if (link.state.kind !== "open") return;
  link.watch(now);
  outbox.doubtLate(now);
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
link.start({
  open: (user) => openSocket(servers.next(), user),
  startAnew: () => servers.startAnew(),
  take: (text) => inbox.take(text),
  drain: () => inbox.drain(),
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
