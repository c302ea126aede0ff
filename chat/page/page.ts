/**
 * The chat's window. Generated from browser/ by generate.ts: change what is there.
 *
 * @module
 */

/** What the Content-Security-Policy lets run: the page's own script. */
export const SCRIPT_HASH = "sha256-wUrYrJ0bXLV3TeszHeCjBjFHGYYJQrsXvWemh0mkS8g=";

/** What the Content-Security-Policy lets style: the page's own sheet. */
export const STYLE_HASH = "sha256-4zwdmSScmW0a3CJ71/15OGrUsou9XMQNYb5vRRkiEDY=";

/** What tells this page from another version of it. */
export const PAGE_TAG = "M8UYT9Q1TJl3DdeR";

/** The page. */
export const PAGE: string = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Lengthwise chat</title>
    <meta
      name="viewport"
      content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
    >
    <meta name="color-scheme" content="light dark">
    <meta name="theme-color" content="#f4f5f7" media="(prefers-color-scheme: light)">
    <meta name="theme-color" content="#191d24" media="(prefers-color-scheme: dark)">
    <link
      rel="icon"
      href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%232b5fc7'/%3E%3Cpath d='M4 4v8M7 5h5M7 8h5M7 11h3' stroke='white' stroke-width='1.6' stroke-linecap='round'/%3E%3C/svg%3E"
    >
    <style>
:root {
  color-scheme: light dark;
  --page: #ffffff;
  --panel: #f4f5f7;
  --hover: #e8ebef;
  --line: #dde1e7;
  --text: #1d2127;
  --quiet: #5a6270;
  --accent: #2457bd;
  --on-accent: #ffffff;
  --mark: #fff3c9;
  --mark-line: #b98900;
  --bad: #b3261e;
  --good: #1f7f46;
  --busy: #a36200;
  --name-light: 0.46;
  --name-chroma: 0.11;
  --gutter: 4rem;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c;
    --panel: #191d24;
    --hover: #252b35;
    --line: #2b323d;
    --text: #e3e7ed;
    --quiet: #99a3b2;
    --accent: #8fb3ff;
    --on-accent: #10151f;
    --mark: #38301a;
    --mark-line: #d3a52c;
    --bad: #ff8f85;
    --good: #5cc98a;
    --busy: #e5b15a;
    --name-light: 0.8;
    --name-chroma: 0.1;
  }
}
*,
::before,
::after {
  box-sizing: border-box;
}
[hidden] {
  display: none !important;
}
html,
body {
  height: 100%;
  margin: 0;
  overflow: hidden;
  background: var(--page);
  color: var(--text);
}
h1,
h2,
p,
ul,
dl,
dd {
  margin: 0;
  padding: 0;
  list-style: none;
}
a {
  color: var(--accent);
}
button,
input {
  font: inherit;
  color: inherit;
}
button {
  min-height: 2rem;
  padding: 0.2rem 0.65rem;
  border: 1px solid var(--line);
  border-radius: 6px;
  background: transparent;
  cursor: pointer;
}
button:hover {
  background: var(--hover);
}
input {
  width: 100%;
  min-width: 0;
  padding: 0.5rem 0.75rem;
  border: 1px solid var(--line);
  border-radius: 8px;
  background: var(--page);
  font-size: 16px;
}
:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 1px;
}
input:focus-visible {
  outline-offset: -1px;
}
.primary {
  border-color: transparent;
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
}
.primary:hover {
  background: var(--accent);
  filter: brightness(1.08);
}
.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.skip {
  position: fixed;
  z-index: 9;
  top: 0.5rem;
  left: 0.5rem;
  padding: 0.4rem 0.8rem;
  border-radius: 6px;
  background: var(--accent);
  color: var(--on-accent);
  transform: translateY(-200%);
}
.skip:focus {
  transform: none;
}

#app {
  display: grid;
  grid-template: auto minmax(0, 1fr) / 15rem minmax(0, 1fr);
  grid-template-areas: "side head" "side main";
  height: var(--height, 100dvh);
}
header {
  grid-area: head;
  display: flex;
  align-items: center;
  gap: 0.75rem;
  min-height: 3.25rem;
  padding: max(0.4rem, env(safe-area-inset-top)) max(1rem, env(safe-area-inset-right)) 0.4rem
    1rem;
  border-bottom: 1px solid var(--line);
}
.heading {
  flex: 1;
  min-width: 0;
  display: flex;
  align-items: baseline;
  gap: 0.75rem;
}
h1 {
  flex: none;
  max-width: 60%;
  font-size: 1.05rem;
  font-weight: 650;
}
h1,
#topic {
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
#topic {
  color: var(--quiet);
}
#state {
  display: flex;
  align-items: center;
  gap: 0.45rem;
  white-space: nowrap;
  color: var(--quiet);
  font-size: 0.87rem;
}
#state::before {
  content: "";
  width: 0.55rem;
  height: 0.55rem;
  border-radius: 50%;
  background: var(--busy);
}
#state[data-state="open"]::before {
  background: var(--good);
}
#state[data-state="refused"]::before,
#state[data-state="left"]::before {
  background: var(--bad);
}
#menu {
  display: none;
  position: relative;
  width: 2.5rem;
  height: 2.5rem;
  padding: 0;
  place-items: center;
}
#menu.unread::after {
  content: "";
  position: absolute;
  top: 0.35rem;
  right: 0.35rem;
  width: 0.5rem;
  height: 0.5rem;
  border-radius: 50%;
  background: var(--accent);
}
svg {
  width: 1.15rem;
  height: 1.15rem;
  fill: none;
  stroke: currentColor;
  stroke-width: 1.7;
  stroke-linecap: round;
}

#side {
  grid-area: side;
  display: flex;
  flex-direction: column;
  min-height: 0;
  padding-top: env(safe-area-inset-top);
  padding-left: env(safe-area-inset-left);
  border-right: 1px solid var(--line);
  background: var(--panel);
}
#side nav {
  flex: 0 1 auto;
  min-height: 4.75rem;
  max-height: 50%;
}
#side section {
  flex: 1 1 0;
  min-height: 6rem;
}
#side nav,
#side section {
  display: flex;
  flex-direction: column;
  padding: 0.5rem 0.5rem 0;
}
#side ul {
  overflow-y: auto;
  padding: 2px;
}
.caption {
  display: flex;
  align-items: center;
  justify-content: space-between;
  min-height: 2.2rem;
  padding: 0 0.3rem 0 0.6rem;
}
h2 {
  font-size: 0.8rem;
  font-weight: 650;
  color: var(--quiet);
}
.caption button {
  min-height: 1.7rem;
  padding: 0 0.5rem;
  border-color: transparent;
  font-size: 0.87rem;
  color: var(--quiet);
}
#side li button {
  display: flex;
  align-items: center;
  gap: 0.5rem;
  width: 100%;
  min-height: 1.9rem;
  padding: 0.1rem 0.6rem;
  border: 0;
  text-align: left;
}
#side li .label {
  flex: 1;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
#side li .count,
#side li .tag {
  flex: none;
  color: var(--quiet);
  font-size: 0.8rem;
  font-variant-numeric: tabular-nums;
}
#side li [aria-current] {
  background: var(--hover);
  font-weight: 600;
}
#side li .unread .label {
  font-weight: 700;
}
#side li .unread .tag {
  padding: 0 0.4rem;
  border-radius: 1rem;
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
}
#side li span:empty {
  display: none;
}
#people .name {
  font-weight: 500;
}
#people .away .name {
  color: var(--quiet);
  font-style: italic;
}
#rest {
  padding: 0.2rem 0.7rem;
  color: var(--quiet);
  font-size: 0.87rem;
}
#me {
  display: flex;
  align-items: center;
  gap: 0.5rem;
  padding: 0.5rem 0.6rem max(0.5rem, env(safe-area-inset-bottom)) 1.1rem;
  border-top: 1px solid var(--line);
}
#me p {
  flex: 1;
  min-width: 0;
  color: var(--quiet);
  font-size: 0.8rem;
}
#my-name {
  display: block;
  overflow-wrap: anywhere;
  color: var(--text);
  font-size: 0.95rem;
  line-height: 1.25;
}
#shade {
  position: fixed;
  z-index: 4;
  inset: 0;
  border: 0;
  border-radius: 0;
  background: rgb(0 0 0 / 0.4);
}

main {
  grid-area: main;
  position: relative;
  display: flex;
  flex-direction: column;
  min-height: 0;
  min-width: 0;
}
#banner {
  display: flex;
  align-items: center;
  justify-content: space-between;
  gap: 1rem;
  padding: 0.5rem 1rem;
  border-bottom: 1px solid var(--mark-line);
  background: var(--mark);
}
#banner button {
  flex: none;
  border-color: currentColor;
}
#ask {
  display: grid;
  gap: 0.75rem;
  width: min(24rem, 100% - 2rem);
  margin: 2rem auto;
  padding: 1.25rem;
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--panel);
}
#ask h2 {
  font-size: 1.05rem;
  color: inherit;
}
#scroller {
  flex: 1;
  min-height: 0;
  overflow-y: auto;
  overflow-anchor: none;
  overscroll-behavior: contain;
  padding: 0.75rem 0;
  display: flex;
  flex-direction: column;
}
#scroller:focus-visible {
  outline-offset: -2px;
}
#top {
  margin-top: auto;
  padding: 0.25rem 1rem 0.5rem;
  text-align: center;
  color: var(--quiet);
  font-size: 0.87rem;
}
.entry {
  display: grid;
  grid-template-columns: var(--gutter) minmax(0, 1fr);
  column-gap: 0.75rem;
  padding: 0.1rem max(1rem, env(safe-area-inset-right)) 0.1rem 0.5rem;
  border-left: 3px solid transparent;
  overflow-wrap: anywhere;
}
.entry > div:not(.day) {
  max-width: 62rem;
}
.entry:not(.follows) {
  padding-top: 0.45rem;
}
.entry:hover {
  background: color-mix(in srgb, var(--panel) 70%, transparent);
}
.entry time {
  padding-top: 0.15em;
  text-align: right;
  white-space: nowrap;
  color: var(--quiet);
  font-size: 0.8rem;
  font-variant-numeric: tabular-nums;
}
.entry.follows time {
  opacity: 0;
}
.entry.follows:hover time {
  opacity: 1;
}
.name {
  color: oklch(var(--name-light) var(--name-chroma) var(--hue, 260));
  font-weight: 650;
}
.say .name,
.tell .who {
  display: block;
}
.follows .name {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
}
.text {
  white-space: pre-wrap;
  unicode-bidi: plaintext;
}
.me .text {
  font-style: italic;
}
.notice,
.tell .who {
  color: var(--quiet);
}
.notice {
  font-size: 0.93rem;
}
.notice + .notice {
  padding-top: 0.1rem !important;
}
.error .text {
  color: var(--bad);
}
.mention {
  border-left-color: var(--mark-line);
  background: var(--mark);
}
.entry.mention:hover {
  background: var(--mark);
}
.tell {
  border-left-color: var(--accent);
}
mark {
  background: transparent;
  color: inherit;
  font-weight: 700;
}
.day,
.entry.first-new::before {
  grid-column: 1 / -1;
  display: flex;
  align-items: center;
  gap: 0.75rem;
  padding: 0.6rem 0 0.4rem 0.5rem;
  color: var(--quiet);
  font-size: 0.8rem;
  font-weight: 600;
}
.day::before,
.day::after {
  content: "";
  flex: 1;
  border-top: 1px solid var(--line);
}
.entry.first-new::before {
  content: "New";
  justify-content: flex-end;
  padding: 0;
  border-top: 1px solid var(--bad);
  color: var(--bad);
}

#newer {
  position: absolute;
  z-index: 2;
  right: 1rem;
  bottom: calc(100% + 0.6rem);
  box-shadow: 0 2px 10px rgb(0 0 0 / 0.2);
}
footer {
  position: relative;
  padding: 0.6rem max(1rem, env(safe-area-inset-right))
    max(0.75rem, env(safe-area-inset-bottom)) 1rem;
  border-top: 1px solid var(--line);
}
#form {
  display: flex;
  gap: 0.5rem;
}
#form button {
  padding: 0 1rem;
  border-radius: 8px;
}
#left {
  position: absolute;
  right: 6.5rem;
  bottom: calc(100% - 0.4rem);
  padding: 0 0.4rem;
  border-radius: 4px;
  background: var(--page);
  color: var(--bad);
  font-size: 0.8rem;
}
#outbox {
  max-height: 9rem;
  overflow-y: auto;
  margin-bottom: 0.5rem;
  color: var(--quiet);
  font-size: 0.93rem;
}
#outbox li {
  display: flex;
  align-items: center;
  gap: 0.5rem;
  padding: 0.15rem 0;
}
#outbox .text {
  flex: 1;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
  color: var(--text);
}
#outbox button {
  flex: none;
  min-height: 1.75rem;
  font-size: 0.87rem;
}

dialog {
  width: min(34rem, 100% - 2rem);
  max-height: min(44rem, 100% - 2rem);
  padding: 1.25rem 1.5rem;
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--page);
  color: var(--text);
}
dialog::backdrop {
  background: rgb(0 0 0 / 0.4);
}
dialog h2 {
  margin: 0.9rem 0 0.4rem;
}
dialog .caption {
  padding: 0;
}
dialog .caption button {
  border-color: var(--line);
  color: inherit;
}
dialog .caption h2 {
  margin: 0;
  font-size: 1.05rem;
  color: inherit;
}
dialog dl {
  display: grid;
  grid-template-columns: 10.5rem 1fr;
  gap: 0.3rem 1rem;
}
kbd,
code {
  font: 0.87em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
kbd {
  padding: 0.05rem 0.3rem;
  border: 1px solid var(--line);
  border-radius: 4px;
  background: var(--panel);
}

@media (max-width: 46rem) {
  #app {
    grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
    grid-template-areas: "head" "main";
  }
  header {
    gap: 0.5rem;
    padding-left: max(0.5rem, env(safe-area-inset-left));
    padding-right: max(0.5rem, env(safe-area-inset-right));
  }
  .heading {
    display: block;
  }
  h1 {
    max-width: none;
  }
  #topic {
    font-size: 0.87rem;
  }
  #menu {
    display: grid;
  }
  #side {
    position: fixed;
    z-index: 5;
    inset: 0 auto 0 0;
    width: min(18rem, 85vw);
    visibility: hidden;
    transform: translateX(-100%);
    transition: transform 0.15s, visibility 0.15s;
  }
  #side.open {
    visibility: visible;
    transform: none;
  }
  #side li button,
  button {
    min-height: 2.5rem;
  }
  .entry {
    display: block;
    padding-left: calc(0.75rem - 3px);
    padding-right: max(0.75rem, env(safe-area-inset-right));
  }
  .entry time {
    float: right;
    margin-left: 0.75rem;
  }
  .entry.follows time {
    display: none;
  }
  footer {
    padding-left: max(0.5rem, env(safe-area-inset-left));
    padding-right: max(0.5rem, env(safe-area-inset-right));
  }
}
@media (min-width: 46.01rem) {
  #shade {
    display: none;
  }
}
@media (prefers-reduced-motion: reduce) {
  * {
    transition: none !important;
    scroll-behavior: auto !important;
  }
}
@media (forced-colors: active) {
  .mention,
  .tell {
    border-left-color: Highlight;
  }
}
    </style>
  </head>
  <body>
    <a class="skip" href="#line">Skip to the message line</a>
    <div id="app">
      <header>
        <button id="menu" type="button" aria-expanded="false" aria-controls="side">
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M2 4h12M2 8h12M2 12h12" />
          </svg>
          <span class="unseen">Rooms and people</span>
        </button>
        <div class="heading">
          <h1 id="room" dir="auto">Lengthwise chat</h1>
          <p id="topic" dir="auto"></p>
        </div>
        <p id="state" role="status" data-state="connecting">Connecting</p>
        <button id="help-button" type="button" aria-haspopup="dialog">Help</button>
      </header>
      <aside id="side" aria-label="Rooms and people">
        <nav aria-labelledby="rooms-title">
          <div class="caption">
            <h2 id="rooms-title">Rooms</h2>
            <button id="new-room" type="button">New room</button>
          </div>
          <ul id="rooms"></ul>
        </nav>
        <section aria-labelledby="people-title">
          <div class="caption">
            <h2 id="people-title">People</h2>
          </div>
          <ul id="people"></ul>
          <p id="rest" hidden></p>
        </section>
        <div id="me">
          <p>You are <bdi id="my-name">not here yet</bdi></p>
          <button id="rename" type="button">Rename</button>
        </div>
      </aside>
      <button id="shade" type="button" hidden tabindex="-1" aria-label="Close the panel"></button>
      <main>
        <div id="banner" hidden>
          <p id="banner-text"></p>
          <button id="retry" type="button">Try now</button>
        </div>
        <form id="ask" hidden>
          <h2>This chat asks for a token</h2>
          <p id="ask-reason" role="alert" hidden></p>
          <label for="token">Token</label>
          <input id="token" type="password" autocomplete="off" maxlength="4096">
          <button class="primary">Join</button>
        </form>
        <section id="scroller" aria-label="Messages of this room" tabindex="0">
          <p id="top"></p>
          <div id="entries" role="log" aria-live="polite" aria-label="Messages"></div>
        </section>
        <footer>
          <button id="newer" class="primary" type="button" hidden>New messages</button>
          <section id="outbox" aria-label="Messages not delivered yet" hidden>
            <ul></ul>
          </section>
          <p id="left" hidden></p>
          <form id="form">
            <label for="line" class="unseen">Message or command</label>
            <input
              id="line"
              type="text"
              autocomplete="off"
              enterkeyhint="send"
              placeholder="Message"
              dir="auto"
            >
            <button class="primary">Send</button>
          </form>
          <p id="hint" class="unseen" aria-live="polite"></p>
        </footer>
      </main>
    </div>
    <dialog id="help" aria-labelledby="help-title">
      <div class="caption">
        <h2 id="help-title">Help</h2>
        <button id="help-close" type="button">Close</button>
      </div>
      <h2>Keys</h2>
      <dl>
        <dt><kbd>Enter</kbd></dt>
        <dd>sends the line</dd>
        <dt><kbd>Up</kbd> <kbd>Down</kbd></dt>
        <dd>go through the lines that you sent</dd>
        <dt><kbd>Tab</kbd></dt>
        <dd>completes a name or a command that you began; else it moves on</dd>
        <dt><kbd>Page Up</kbd> <kbd>Page Down</kbd></dt>
        <dd>scroll; at the top, older messages are loaded</dd>
        <dt><kbd>Alt</kbd>+<kbd>Up</kbd> <kbd>Down</kbd></dt>
        <dd>the room above or below; with <kbd>Shift</kbd>, the next one with unread messages</dd>
        <dt><kbd>Esc</kbd></dt>
        <dd>takes a completion back, closes a panel, goes to the newest message</dd>
        <dt><kbd>Ctrl</kbd>+<kbd>/</kbd></dt>
        <dd>this help</dd>
      </dl>
      <h2>Commands</h2>
      <dl>
        <dt><code>/nick NAME</code></dt>
        <dd>takes another name</dd>
        <dt><code>/join ROOM</code></dt>
        <dd>goes to a room, a new one if need be</dd>
        <dt><code>/msg NAME TEXT</code></dt>
        <dd>says it to one person only</dd>
        <dt><code>/me TEXT</code></dt>
        <dd>says what you do</dd>
        <dt><code>/away TEXT</code></dt>
        <dd>tells the others that you are away</dd>
        <dt><code>/search TEXT</code></dt>
        <dd>finds older messages of this room</dd>
        <dt><code>//TEXT</code></dt>
        <dd>says a line that begins with a slash</dd>
        <dt><code>/help</code></dt>
        <dd>lists all commands of this server</dd>
      </dl>
    </dialog>
    <script type="module">
// limits.ts

/** Entries kept in the window. */
const MAX_ENTRIES = 1000;
/** Characters of one line that is sent; the server has the last word. */
const MAX_LINE = 4096;
/** Characters of one text that are shown. */
const MAX_SHOWN = 20_000;
/** Lines kept for the arrow keys, lines waiting to be sent, private messages kept across rooms. */
const MAX_KEPT = 100;
/** People and rooms listed. */
const MAX_LISTED = 500;
/** Messages asked for at once. */
const PAGE = 50;
/** Pages asked for after an outage before the gap is left to scrolling. */
const MAX_GAP_PAGES = 9;

// From here on: milliseconds.

/** From asking for a socket to the server's welcome. */
const HELLO_TIMEOUT = 10_000;
/** From a question, or a message, to what it brings. */
const REPLY_TIMEOUT = 10_000;
/** Silence after which the server is asked whether it is still there. */
const IDLE_TIMEOUT = 30_000;
/** For taking the name and the room from before an outage again. */
const RESTORE_TIMEOUT = 5_000;
/** The first pause between attempts to connect; it doubles. */
const MIN_RETRY_DELAY = 500;
/** The longest pause between attempts to connect. */
const MAX_RETRY_DELAY = 30_000;
/** A connection that held this long did not fail at once. */
const STEADY_TIME = 5_000;
/** Messages of one person this close together are shown under one name. */
const SAME_BREATH = 5 * 60_000;

// text.ts

/** The room in which everyone begins. */
const LOBBY = "lobby";

/** What two names that are the same to people have in common. */
function keyOf(name) {
  return name.normalize("NFKC").toLowerCase();
}

/** Whether the server gave this name to somebody who had none. */
function isGuest(name) {
  return /^guest-\\d+$/i.test(name);
}

/** A room's name with its sign. */
function roomLabel(name) {
  return name.startsWith("#") ? name : \`#\${name}\`;
}

/** A value as text that is not too long to show. */
function textOf(value) {
  const text = String(value ?? "");
  return text.length > MAX_SHOWN
    ? \`\${text.slice(0, MAX_SHOWN)}… (\${text.length} characters)\`
    : text;
}

/** A number with its noun. */
function plural(count, one, many) {
  return \`\${count} \${count === 1 ? one : many}\`;
}

/** One of 24 hues, the same for a name wherever it is seen. */
function hueOf(name) {
  let hash = 2166136261;
  for (const character of keyOf(name)) {
    hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
  }
  return ((hash >>> 8) % 24) * 15;
}

/** Finds a name where it stands as a word; undefined if there is no name to find. */
function mentionPattern(name) {
  if (name === "") return undefined;
  const literal = name.replace(/[\\\\^$.*+?()[\\]{}|/]/g, "\\\\$&");
  try {
    return new RegExp(\`(?<![\\\\p{L}\\\\p{N}_-])\${literal}(?![\\\\p{L}\\\\p{N}_-])\`, "giu");
  } catch {
    // No name that a server gives; nothing is marked then.
    return undefined;
  }
}

/** The date of a time that a server told; now, if it is none. */
function dateOf(time) {
  const date = new Date(Number(time));
  return Number.isNaN(date.getTime()) ? new Date() : date;
}

/** Cuts a text at its links to http and https. */
function* partsOf(text) {
  let end = 0;
  for (const found of text.matchAll(/\\bhttps?:\\/\\/[^\\s<>"'\`\\\\]+/giu)) {
    const address = found[0].replace(/[.,:;!?)\\]}*_~]+$/u, "");
    const url = URL.canParse(address) ? new URL(address) : undefined;
    // An address with a user name in front looks like another host than it leads to.
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) continue;
    yield { text: text.slice(end, found.index) };
    yield { text: address, href: url.href };
    end = found.index + address.length;
  }
  yield { text: text.slice(end) };
}

// link.ts

/** What is asked to see whether the server is still there. */
const PING = "still-there";
/** How the server's own question whether this page is still there begins. */
const PING_EVENT = '{"type":"ping"';
/** With this code the server closes if it wants a token, or another one (RFC 6455, section 7.4.1). */
const WANTS_TOKEN = 1008;

/** A connection, one after another for as long as it makes sense. */
class Link {
  #state = { kind: "left", by: "reader" };
  #user;
  #token;
  /** Connections that failed, or did not hold, one after another. */
  #attempts = 0;
  #wasOpen = false;

  /** How it stands. */
  get state() {
    return this.#state;
  }

  /** Whether the last attempt failed. */
  get failing() {
    return this.#attempts > 0;
  }

  /** Whether there was ever a connection. */
  get wasOpen() {
    return this.#wasOpen;
  }

  /** Connects for the first time. */
  start(user) {
    this.#user = user;
    this.connect();
  }

  /** Connects, unless there is a connection. */
  connect() {
    if (this.#socket !== undefined || this.#user === undefined) return;
    const reason = this.#state.kind === "waiting" ? this.#state.reason : "";
    const socket = this.#user.open();
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      if (this.#token !== undefined) socket.send(this.#token);
      socket.send("/json");
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      if (this.#state.kind === "open") this.#state.heardAt = Date.now();
      const text = typeof data === "string" ? data : new TextDecoder().decode(data);
      // At once: timers come late in a page that nobody looks at, and so does the rest of it.
      if (text.startsWith(PING_EVENT)) socket.send("/pong");
      else this.#user?.take(text);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket) return;
      this.#user?.drain();
      if (code === WANTS_TOKEN && this.#state.kind === "connecting") this.#refuse(reason);
      else this.#lose(reason);
    };
    const timer = setTimeout(() => this.#lose("the server does not answer"), HELLO_TIMEOUT);
    this.#become({ kind: "connecting", socket, words: [], reason, timer });
  }

  /** Connects with another token. */
  connectWith(token) {
    this.#token = token;
    this.connect();
  }

  /** Connects at once, as if nothing had failed: the reader wants it. */
  retry() {
    this.#attempts = 0;
    this.connect();
  }

  /** Called when there is hope: the network is back, or the reader is. */
  hurry() {
    if (this.#state.kind === "waiting") this.connect();
    else if (this.#state.kind === "open" && this.#state.pingedAt === undefined) this.#ping();
  }

  /** Sends a line; one that cannot be sent is lost. */
  send(text) {
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN) socket.send(text);
  }

  /** The server has let us in, or said again that we are in. */
  welcome() {
    const socket = this.#socket;
    if (socket === undefined) return;
    const now = Date.now();
    this.#wasOpen = true;
    this.#become({ kind: "open", socket, since: now, heardAt: now, pingedAt: undefined });
  }

  /** Keeps what the server said before a welcome: the last of it may be why there is none. */
  noteWords(words) {
    if (this.#state.kind !== "connecting") return;
    if (this.#state.words.length < MAX_KEPT) this.#state.words.push(words);
  }

  /** The server is about to close, for good. */
  leave(by) {
    const socket = this.#socket;
    if (socket !== undefined) this.#become({ kind: "leaving", socket, by });
  }

  /** Takes an answer to a ping: after how many milliseconds; undefined if a reader had asked. */
  pong(text) {
    if (text !== PING) return undefined;
    if (this.#state.kind !== "open") return { after: undefined };
    const { pingedAt } = this.#state;
    this.#state.pingedAt = undefined;
    return { after: pingedAt === undefined ? undefined : Date.now() - pingedAt };
  }

  /** Called every second: finds out whether a silent server is still there. */
  watch(now) {
    const state = this.#state;
    if (state.kind !== "open") return;
    const { heardAt, pingedAt } = state;
    if (pingedAt !== undefined && heardAt < pingedAt && now - pingedAt > REPLY_TIMEOUT) {
      return this.#lose("the server does not answer");
    }
    // It says other things, but does not answer: it is there.
    if (pingedAt !== undefined && heardAt >= pingedAt + REPLY_TIMEOUT) state.pingedAt = undefined;
    if (state.pingedAt === undefined && now - heardAt > IDLE_TIMEOUT) this.#ping();
  }

  get #socket() {
    return "socket" in this.#state ? this.#state.socket : undefined;
  }

  #ping() {
    if (this.#state.kind !== "open") return;
    this.#state.pingedAt = Date.now();
    this.send(\`/ping \${PING}\`);
  }

  /** The socket is closed, or as good as that. */
  #lose(reason) {
    const state = this.#state;
    this.#letGo();
    // Who was sent away comes back by its own decision only.
    if (state.kind === "leaving") return this.#become({ kind: "left", by: state.by });
    // A server that takes and drops connections must not be tried without pause.
    if (state.kind === "open" && Date.now() - state.since > STEADY_TIME) this.#attempts = 0;
    const most = Math.min(MAX_RETRY_DELAY, MIN_RETRY_DELAY * 2 ** this.#attempts++);
    const delay = Math.random() * most;
    const said = state.kind === "connecting" ? state.words.at(-1) : "";
    this.#become({
      kind: "waiting",
      until: Date.now() + delay,
      reason: textOf(reason || said).replace(/\\.$/, ""),
      timer: setTimeout(() => this.connect(), delay),
    });
  }

  /** The server wants a token: it has said why, or at least closed with a reason. */
  #refuse(reason) {
    const said = this.#state.kind === "connecting" ? this.#state.words.at(-1) : undefined;
    this.#letGo();
    // Without a token none can be wrong; that one is wanted is said anyway.
    this.#become({ kind: "refused", why: this.#token === undefined ? "" : textOf(said ?? reason) });
  }

  /** Lets go of the socket; nothing more is heard from it. */
  #letGo() {
    this.#socket?.close();
    this.#user?.lost();
  }

  #become(next) {
    if ("timer" in this.#state) clearTimeout(this.#state.timer);
    this.#state = next;
    this.#user?.changed();
  }
}

const link = new Link();

// elements.ts

/** The element of this id; the page has it. */
function $(id) {
  const element = document.getElementById(id);
  if (element === null) throw new TypeError(\`Cannot find #\${id} in the page\`);
  return element;
}

/** Where one writes. */
const line = $("line");
/** What scrolls. */
const scroller = $("scroller");
/** The log: what was said. */
const entries = $("entries");
/** Rooms and people. */
const side = $("side");
/** The log and the line, without the panel beside them. */
const main = document.querySelector("main");

/** A new element. */
function make(
  tag,
  properties = {},
  ...children
) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// inbox.ts

class Inbox {
  #state = { kind: "idle" };
  #taker;
  #texts = [];

  /** Says who takes what comes. */
  start(taker) {
    this.#taker = taker;
  }

  /** Whether what came is being taken; what it changes is drawn after that. */
  get draining() {
    return this.#state.kind === "draining";
  }

  /** Takes a text soon. */
  take(text) {
    this.#texts.push(text);
    if (this.#state.kind !== "idle") return;
    const frame = requestAnimationFrame(() => this.drain());
    // There are no frames while nobody looks.
    this.#state = { kind: "waiting", frame, timer: setTimeout(() => this.drain(), 100) };
  }

  /** Takes all that came, now. */
  drain() {
    if (this.#state.kind === "waiting") {
      cancelAnimationFrame(this.#state.frame);
      clearTimeout(this.#state.timer);
    }
    const draws = new Set();
    this.#state = { kind: "draining", draws };
    try {
      for (const text of this.#texts.splice(0)) this.#taker?.hear(text);
    } finally {
      this.#state = { kind: "idle" };
      for (const draw of draws) draw();
      this.#taker?.drawn();
    }
  }

  /** Draws now, or after what is being taken. */
  soon(draw) {
    if (this.#state.kind === "draining") this.#state.draws.add(draw);
    else draw();
  }

  /** Forgets what came and was not taken yet. */
  clear() {
    this.#texts.length = 0;
  }
}

const inbox = new Inbox();

// storage.ts

const storage = {
  get(key, keeping = "here") {
    try {
      const kept = sessionStorage.getItem(\`lengthwise.\${key}\`);
      return kept ?? (keeping === "everywhere" ? localStorage.getItem(\`lengthwise.\${key}\`) : null);
    } catch {
      // Forbidden: there is nothing then.
      return null;
    }
  },

  set(key, value, keeping = "here") {
    try {
      sessionStorage.setItem(\`lengthwise.\${key}\`, value);
      if (keeping === "everywhere") localStorage.setItem(\`lengthwise.\${key}\`, value);
    } catch {
      // Full or forbidden: the page works without.
    }
  },

  /** A list that was kept as JSON; empty if there is none. */
  list(key) {
    try {
      const value = JSON.parse(this.get(key) ?? "[]");
      return Array.isArray(value) ? value : [];
    } catch {
      // Somebody else wrote there.
      return [];
    }
  },
};

// view.ts

const AT_END = { at: "end" };

const view = {
  room: storage.get("room") ?? LOBBY,
  me: "",
  topic: "",
  people: new Map(),
  unlisted: 0,
  rooms: [],
  seen: new Map(storage.list("seen").filter(isSeen)),
  shown: new Map(),
  tells: [],
  more: false,
  loading: { kind: "entering" },
  reading: AT_END,
  missed: 0,
  markedNew: undefined,
};

/** Whether a name is one's own. */
function isMe(name) {
  return keyOf(name) === keyOf(view.me);
}

/** Remembers that this room was read up to a message. */
function see(id) {
  if (id > (view.seen.get(view.room) ?? 0)) view.seen.set(view.room, id);
  inbox.soon(keepSeen);
}

function isSeen(value) {
  return Array.isArray(value) && typeof value[0] === "string" && typeof value[1] === "number";
}

function keepSeen() {
  storage.set("seen", JSON.stringify([...view.seen].slice(-MAX_LISTED)));
}

/** Whether something was said in another room since it was left. */
function isUnread({ name, last }) {
  return name !== view.room && last > (view.seen.get(name) ?? last);
}

/** All rooms, this one too: the lobby, then by name. */
function sortedRooms() {
  const rooms = view.rooms.filter(({ name }) => name !== view.room);
  const here = view.rooms.find(({ name }) => name === view.room);
  rooms.push({
    name: view.room,
    last: 0,
    ...here,
    members: view.people.size + view.unlisted || here?.members || 0,
  });
  const rank = ({ name }) => name === LOBBY ? 0 : 1;
  return rooms.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

// entries.ts

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const both = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** The day of an entry, as it is shown. */
function dayOf(element) {
  return calendar.format(timeOf(element));
}

/** The time of an entry. */
function timeOf(element) {
  return Number(element.dataset.time);
}

/** What was said, or done with \`/me\`. */
function messageEntry({ type, id, name, text, time }) {
  const kind = type === "me" ? "me" : "say";
  const mine = isMe(name);
  const element = entry(kind, time, name);
  if (id !== undefined) element.dataset.id = String(id);
  const shown = shownText(textOf(text), mine);
  const colon = make("span", { className: "unseen", textContent: kind === "say" ? ": " : "" });
  element.append(make("div", {}, nameElement(name), colon, kind === "me" ? " " : "", shown));
  if (!mine && mentionPattern(view.me)?.test(textOf(text))) element.classList.add("mention");
  return element;
}

/** What a search has found: of any day, so with its date, and not a part of the history here. */
function foundEntry(message) {
  const element = messageEntry({ ...message, id: undefined });
  element.classList.add("found");
  element.dataset.author = "found";
  const time = element.querySelector("time");
  time.textContent = both.format(dateOf(message.time));
  element.querySelector("div").prepend(time, " ");
  element.prepend(make("time"));
  element.dataset.time = String(Date.now());
  return element;
}

/** What was said to one person only. */
function tellEntry({ from, to, text, time }) {
  const element = entry("tell", time, \`\${from} \${to}\`);
  const who = isMe(from)
    ? make("span", { className: "who" }, "You, privately to ", nameElement(to))
    : make("span", { className: "who" }, nameElement(from), " privately to you");
  const colon = make("span", { className: "unseen" }, ": ");
  element.append(make("div", {}, who, colon, shownText(textOf(text), true)));
  return element;
}

/** What the server, or the page, says for itself. */
function noticeEntry(text, kind) {
  const element = entry(kind === "error" ? "notice error" : "notice", Date.now());
  element.append(make("div", {}, shownText(textOf(text), true)));
  return element;
}

/** A name in its colour. */
function nameElement(name) {
  const element = make("bdi", { className: "name", textContent: textOf(name) });
  element.style.setProperty("--hue", String(hueOf(name)));
  return element;
}

function entry(kind, time, author = "") {
  const date = dateOf(time);
  const shown = make("time", {
    dateTime: date.toISOString(),
    title: both.format(date),
    textContent: clock.format(date),
  });
  const element = make("div", { className: \`entry \${kind}\` }, shown);
  element.dataset.time = String(date.getTime());
  element.dataset.author = \`\${kind} \${keyOf(author)}\`;
  return element;
}

/** A text with its links, and the reader's own name marked unless the reader wrote it. */
function shownText(text, mine) {
  const element = make("span", { className: "text" });
  for (const part of partsOf(text)) {
    if (part.href === undefined) element.append(...marked(part.text, mine));
    else {
      element.append(make("a", {
        href: part.href,
        title: part.href,
        target: "_blank",
        rel: "noopener noreferrer",
        textContent: part.text,
      }));
    }
  }
  return element;
}

function* marked(text, mine) {
  const pattern = mine ? undefined : mentionPattern(view.me);
  let end = 0;
  for (const found of pattern ? text.matchAll(pattern) : []) {
    yield text.slice(end, found.index);
    yield make("mark", { textContent: found[0] });
    end = found.index + found[0].length;
  }
  yield text.slice(end);
}

// log.ts

let logUser;

/** Says who is asked for what is above the oldest entry. */
function startLog(user) {
  logUser = user;
}

/** Says something for the page or the server. */
function notice(text, kind = "plain") {
  insert([noticeEntry(text, kind)]);
}

/** Puts entries before another one, or at the end. */
function insert(elements, before = null) {
  if (elements.length === 0) return;
  const fragment = document.createDocumentFragment();
  fragment.append(...elements);
  const { reading } = view;
  const put = () => {
    entries.insertBefore(fragment, before);
    for (const element of elements) arrange(element);
    arrange(before);
  };
  if (before !== null && reading.at === "above") keepPlace(put);
  else put();
  if (before === null && reading.at === "above") {
    view.reading = { at: "above", below: reading.below + elements.length };
  }
  trim();
  settle();
}

/** Takes the entries above one out of the log. */
function removeBefore(end) {
  while (entries.firstElementChild !== null && entries.firstElementChild !== end) removeFirst();
  arrange(entries.firstElementChild);
}

/** Empties the log. */
function clearLog() {
  view.shown.clear();
  view.more = false;
  view.reading = AT_END;
  markNew(undefined);
  entries.replaceChildren();
}

/** Sets the line above the first entry that is new to the reader. */
function markNew(element) {
  view.markedNew?.classList.remove("first-new");
  view.markedNew = element;
  element?.classList.add("first-new");
}

/** Keeps the newest message in sight, unless the reader has scrolled up. */
function settle() {
  if (inbox.draining) return;
  const { reading } = view;
  if (!document.hidden && reading.at === "end") scroller.scrollTop = scroller.scrollHeight;
  $("top").textContent = wordsAtTop();
  $("newer").hidden = reading.at === "end";
  const below = reading.at === "end" ? 0 : reading.below;
  $("newer").textContent = below === 0 ? "To the newest" : \`\${below} new below\`;
  if (!document.hidden && scroller.scrollTop < 100) logUser?.atTop();
}

/** Goes to the newest message, and stays there. */
function toEnd() {
  view.reading = AT_END;
  settle();
}

/** Changes the log in a way that a screen reader should not read out, such as by old messages. */
function quietly(change) {
  entries.setAttribute("aria-live", "off");
  change();
  setTimeout(() => entries.setAttribute("aria-live", "polite"), 200);
}

function wordsAtTop() {
  if (view.loading.kind === "entering" && view.shown.size === 0) return "";
  if (entries.childElementCount >= MAX_ENTRIES) {
    return \`The newest \${MAX_ENTRIES} lines are shown. /search TEXT finds older ones.\`;
  }
  if (view.more) return "Scroll up for older messages";
  return \`This is the beginning of \${roomLabel(view.room)}.\`;
}

/** Sets what depends on the entry before: the day, and whether the name is shown again. */
function arrange(element) {
  if (!(element instanceof HTMLElement)) return;
  const before = element.previousElementSibling;
  const last = before instanceof HTMLElement ? before : undefined;
  const day = dayOf(element);
  const newDay = last === undefined || day !== dayOf(last);
  element.querySelector(".day")?.remove();
  if (newDay) element.prepend(make("div", { className: "day" }, day));
  const follows = !newDay && element.classList.contains("say") &&
    last.dataset.author === element.dataset.author &&
    timeOf(element) - timeOf(last) < SAME_BREATH;
  element.classList.toggle("follows", follows);
}

/** Drops the oldest entries above the limit. */
function trim() {
  const surplus = entries.childElementCount - MAX_ENTRIES;
  if (surplus <= 0) return;
  const drop = () => {
    for (let i = 0; i < surplus; i++) {
      if (removeFirst() !== undefined) view.more = true;
    }
    arrange(entries.firstElementChild);
  };
  if (view.reading.at === "above") keepPlace(drop);
  else drop();
}

/** Takes the oldest entry out; its id, if it had one. */
function removeFirst() {
  const first = entries.firstElementChild;
  if (!(first instanceof HTMLElement)) return undefined;
  const { id, time } = first.dataset;
  view.shown.delete(\`\${id}/\${time}\`);
  first.remove();
  return id;
}

/** Changes what is above, and keeps what is read where it is. */
function keepPlace(change) {
  const { scrollHeight, scrollTop } = scroller;
  change();
  scroller.scrollTop = scrollTop + scroller.scrollHeight - scrollHeight;
}

// meaning.ts

/** Codes that mean more than their words; the server closes after the first ones. */
const MEANINGS = {
  "kicked": "sent away",
  "banned": "sent away",
  "disconnected-flood": "sent away",
  "disconnected-token": "sent away",
  "taken-over": "sent away",
  "room-invalid": "room refused",
  "room-full": "room refused",
  "rooms-full": "room refused",
  "name-invalid": "name refused",
  "name-banned": "name refused",
  "name-taken": "name refused",
};

/** What a notice of this code means for the page. */
function meaningOf(code) {
  return MEANINGS[code] ?? "other";
}

// restore.ts

/** Attempts to get one's name back: about a minute. */
const MAX_TRIES = 7;

class Restore {
  /** The name that the reader chose, in this window or another. */
  chosen = storage.get("name", "everywhere") || undefined;
  /** The room that was asked for, if its answer is still to come. */
  room;
  #name = { kind: "settled" };

  /** Whether name and room are as before, so that messages may go out. */
  get settled() {
    return this.#name.kind !== "asked" && this.room === undefined;
  }

  /** The name that was asked for, if its answer is still to come. */
  get askedName() {
    return this.#name.kind === "asked" ? this.#name.name : undefined;
  }

  /** Notes that a name was asked for. */
  askName(name) {
    const tries = this.#name.kind === "pausing" ? this.#name.tries : 0;
    this.#become({ kind: "asked", name, tries });
  }

  /** The name was not given: \`again\` is called after a pause, unless this was the last attempt. */
  pauseName(again) {
    if (this.#name.kind !== "asked") return "last";
    const { name } = this.#name;
    const tries = this.#name.tries + 1;
    if (tries >= MAX_TRIES) {
      this.#become({ kind: "settled" });
      return "last";
    }
    const timer = setTimeout(() => again(name), 1000 * 2 ** (tries - 1));
    this.#become({ kind: "pausing", name, tries, timer });
    return tries === 1 ? "first" : "further";
  }

  /** The name that one has now is the one to keep; without a name, none is asked for any more. */
  settleName(name) {
    this.#become({ kind: "settled" });
    if (name === undefined) return;
    this.chosen = isGuest(name) ? undefined : name;
    storage.set("name", this.chosen ?? "", "everywhere");
  }

  /** An answer that is late is not waited for; a pause goes on. */
  stopAsking() {
    if (this.#name.kind === "asked") this.#become({ kind: "settled" });
  }

  /** The connection is gone, and with it every answer. */
  reset() {
    this.#become({ kind: "settled" });
    this.room = undefined;
  }

  #become(next) {
    if (this.#name.kind === "pausing") clearTimeout(this.#name.timer);
    this.#name = next;
  }
}

const restore = new Restore();

// outbox.ts

/** The messages that are not known to have arrived, oldest first. */
class Outbox {
  #items;

  /** Begins with what was kept before a reload. */
  constructor(kept = []) {
    this.#items = kept.slice(0, MAX_KEPT).filter(isKept)
      .map(({ text, room, state }) => ({ text, room, delivery: { kind: state } }));
  }

  /** All of them. */
  get items() {
    return this.#items;
  }

  /** Whether no more messages are kept. */
  get full() {
    return this.#items.length >= MAX_KEPT;
  }

  /** Keeps a message that is to be sent. */
  add(text, room) {
    this.#items.push({ text, room, delivery: { kind: "waiting" } });
  }

  /** The next message to send to a room. */
  next(room) {
    return this.#items.find((item) => item.delivery.kind === "waiting" && item.room === room);
  }

  /** Forgets a message. */
  drop(item) {
    const at = this.#items.indexOf(item);
    if (at >= 0) this.#items.splice(at, 1);
  }

  /** One's own message came back, so it has arrived. True if it was one of these. */
  confirm({ type, text }) {
    const mine = this.#items.filter(({ delivery: { kind } }) =>
      kind === "sent" || kind === "doubtful"
    );
    const said = (item) => wordsOf(item.text);
    // The server may show characters differently; it answers in order.
    const item = mine.find((item) => said(item).type === type && said(item).text === text) ??
      mine.find((item) => item.delivery.kind === "sent" && said(item).type === type);
    if (item !== undefined) this.drop(item);
    return item !== undefined;
  }

  /** The server did not take the oldest message that is on its way. */
  refuse() {
    const item = this.#items.find(({ delivery }) => delivery.kind === "sent");
    if (item !== undefined) item.delivery = { kind: "refused" };
  }

  /** It is not known what became of the messages that were sent before a time. */
  doubt(before = Infinity) {
    for (const item of this.#items) {
      const { delivery } = item;
      if (delivery.kind === "sent" && delivery.at < before) item.delivery = { kind: "doubtful" };
    }
  }

  /** Doubts what has been on its way for too long. */
  doubtLate(now) {
    this.doubt(now - REPLY_TIMEOUT);
  }

  /** A room is called otherwise now. */
  renameRoom(from, to) {
    for (const item of this.#items) if (item.room === from) item.room = to;
  }

  /** What is kept over a reload, as JSON. */
  toJSON() {
    return this.#items.map(({ text, room, delivery: { kind } }) => ({
      text,
      room,
      state: kind === "sent" ? "doubtful" : kind,
    }));
  }
}

function isKept(value) {
  if (typeof value !== "object" || value === null) return false;
  const { text, room, state } = value;
  return typeof text === "string" && typeof room === "string" &&
    (state === "waiting" || state === "doubtful" || state === "refused");
}

/** Whether a line does something, as with \`/me\`, rather than says it. */
function isAction(text) {
  return /^\\/me\\s/.test(text);
}

/** What the server will make of a line that was sent. */
function wordsOf(text) {
  return isAction(text)
    ? { type: "me", text: text.slice(4).trim() }
    : { type: "say", text: text.replace(/^\\/\\//, "/") };
}

// pace.ts

/** Messages sent at once. */
const BURST = 3;
/** Milliseconds between further ones. */
const PACE = 600;

/** Lets through so many at once, and further ones one by one. */
class Pace {
  #left = BURST;
  #since = 0;

  /** Whether one more may go now; if so, it is counted. */
  take(now) {
    const earned = Math.floor((now - this.#since) / PACE);
    if (earned > 0) {
      this.#left = Math.min(BURST, this.#left + earned);
      this.#since = now;
    }
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }
}

// sending.ts

/** What was said but not seen to arrive. */
const outbox = new Outbox(storage.list("outbox"));

/** Commands typed here whose answer is to be shown. */
const typed = new Set();

const pace = new Pace();
let nextFlush;
let lastSent = "message";
let keptOutbox;

/** Sends what is waiting for this room, no faster than servers take it. */
function flush() {
  clearTimeout(nextFlush);
  if (link.state.kind === "open" && restore.settled) {
    const now = Date.now();
    for (let item; (item = outbox.next(view.room)) !== undefined;) {
      if (!pace.take(now)) {
        nextFlush = setTimeout(flush, PACE);
        break;
      }
      item.delivery = { kind: "sent", at: now };
      lastSent = "message";
      link.send(item.text);
    }
  }
  showOutbox();
}

/** A message of one's own has come back, so it has arrived. */
function confirm(message) {
  if (!isMe(message.name) && message.name !== restore.chosen) return;
  if (outbox.confirm(message)) showOutbox();
}

/** The server did not take what was sent last; if that was a message, which one can be told. */
function noteRefusal() {
  if (lastSent !== "message") return;
  outbox.refuse();
  showOutbox();
}

/** Sends a command; false when there is no connection. */
function command(text) {
  const [, name, argument] = /^\\/(\\S*)\\s*(.*)$/s.exec(text);
  if (link.state.kind !== "open") {
    notice(\`Not connected: /\${name} was not sent.\`, "error");
    return false;
  }
  // The server closes; that is no reason to come back.
  if (name === "quit") link.leave("reader");
  if (name === "nick") {
    restore.settleName();
    if (argument) restore.chosen = undefined;
  }
  typed.add(name);
  lastSent = "command";
  link.send(text);
  return true;
}

/** Shows and keeps the outbox, now or after what is being taken. */
function showOutbox() {
  inbox.soon(drawOutbox);
}

function drawOutbox() {
  const kept = JSON.stringify(outbox);
  if (kept !== keptOutbox) storage.set("outbox", keptOutbox = kept);
  // What arrives at once is not worth a line.
  const now = Date.now();
  const shown = outbox.items.filter(({ delivery }) =>
    delivery.kind !== "sent" || now - delivery.at > 1000
  );
  const list = $("outbox").querySelector("ul");
  $("outbox").hidden = shown.length === 0;
  const state = JSON.stringify(
    shown.map((item) => [item.text, item.delivery.kind, item.room === view.room]),
  );
  if (list.dataset.shown === state) return;
  list.dataset.shown = state;
  list.replaceChildren(...shown.map(rowOf));
  settle();
}

function rowOf(item) {
  const words = {
    waiting: item.room === view.room ? "Waiting" : \`Waiting for \${roomLabel(item.room)}\`,
    sent: "Sending",
    doubtful: "Perhaps not delivered",
    refused: "Not taken",
  };
  const { kind } = item.delivery;
  const text = make("span", { className: "text", textContent: textOf(item.text), dir: "auto" });
  const row = make("li", {}, make("span", {}, words[kind]), text);
  if (kind === "doubtful" || kind === "refused") {
    row.append(rowButton("Send again", () => {
      item.delivery = { kind: "waiting" };
      line.focus();
      flush();
    }));
  }
  row.append(rowButton("Discard", () => {
    line.focus();
    outbox.drop(item);
    showOutbox();
  }));
  return row;
}

function rowButton(textContent, onclick) {
  return make("button", { type: "button", textContent, onclick });
}

// completion.ts

/** The chat's commands. */
const COMMANDS = [
  ..."announce away ban claim help history ignore join kick leave me msg nick".split(" "),
  ..."operator ping quit rooms search stats topic unban unignore who".split(" "),
];

/** Begins to complete the word before the caret; undefined if there is no way. */
function beginCompletion(
  original,
  caret,
  choices,
) {
  const before = original.slice(0, caret);
  const word = /\\S+$/.exec(before)?.[0];
  if (word === undefined) return undefined;
  const head = before.slice(0, before.length - word.length);
  const all = candidatesFor(head, word, choices);
  return all.length === 0
    ? undefined
    : { original, caret, head, tail: original.slice(caret), all, at: 0 };
}

/** The next way to complete it; undefined past the last one. */
function nextCompletion(completion) {
  const at = completion.at + 1;
  return at < completion.all.length ? { ...completion, at } : undefined;
}

/** The line as far as it is completed, up to the new caret. */
function completedHead({ head, all, at }) {
  return head + all[at];
}

/** The whole line. */
function completedLine(completion) {
  return completedHead(completion) + completion.tail;
}

/** All ways to complete a word, with what is written before it. */
function candidatesFor(head, word, choices) {
  const begins = (text) => text.toLowerCase().startsWith(word.toLowerCase()) && text !== word;
  if (head === "" && word.startsWith("/")) {
    return COMMANDS.map((name) => \`/\${name}\`).filter(begins).map((text) => \`\${text} \`);
  }
  if (/^\\/join\\s+$/.test(head)) return choices.rooms.filter(begins);
  const bare = keyOf(word.replace(/^@/, ""));
  if (bare === "") return [];
  return choices.people.filter((name) => keyOf(name).startsWith(bare))
    .sort((a, b) => a.localeCompare(b))
    .map((name) => name + (head === "" ? ": " : " "));
}

// panel.ts

/** Whether it is open. */
function isPanelOpen() {
  return side.classList.contains("open");
}

/** Opens it; what is behind it cannot be used meanwhile. */
function openPanel() {
  setPanel("open");
  (side.querySelector("[aria-current]") ?? $("new-room")).focus();
}

/** Closes it. */
function closePanel() {
  setPanel("closed");
}

function setPanel(state) {
  const open = state === "open";
  side.classList.toggle("open", open);
  $("shade").hidden = !open;
  $("menu").setAttribute("aria-expanded", String(open));
  main.inert = open;
}

// recall.ts

/** Goes through the lines that were sent. */
class Recall {
  #sent = [];
  #state = { kind: "writing" };

  /** Remembers a line that was sent. */
  add(text) {
    if (this.#sent.at(-1) !== text) this.#sent.push(text);
    if (this.#sent.length > MAX_KEPT) this.#sent.shift();
  }

  /** The line before or after; undefined if there is none. \`current\` is what is written now. */
  step(by, current) {
    const [state, count] = [this.#state, this.#sent.length];
    const next = (state.kind === "writing" ? count : state.at) + by;
    if (next < 0 || next > count || count === 0) return undefined;
    const draft = state.kind === "writing" ? current : state.draft;
    this.#state = next === count ? { kind: "writing" } : { kind: "recalling", at: next, draft };
    return next === count ? draft : this.#sent[next];
  }

  /** Goes back to what was written; undefined if one is there. */
  stop() {
    const state = this.#state;
    this.#state = { kind: "writing" };
    return state.kind === "writing" ? undefined : state.draft;
  }
}

// composer.ts

const recalled = new Recall();
let completion;

/** Sends the line. */
function submit() {
  const text = line.value.replace(/[\\r\\n]+/g, " ").trimEnd();
  if (text.trim() === "") return;
  if (text.length > MAX_LINE) return countLeft();
  const isCommand = text.startsWith("/") && !text.startsWith("//") && !isAction(text);
  if (isCommand) {
    if (!command(text)) return;
  } else {
    if (outbox.full) return notice(\`\${MAX_KEPT} messages wait already.\`, "error");
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
function writePrefix(text) {
  closePanel();
  setLine(text);
  line.focus();
}

/** Is called when the reader has written something. */
function edited() {
  completion = undefined;
  countLeft();
}

/** Puts in several lines as one; false if there is but one. */
function paste(text) {
  if (!/[\\r\\n]/.test(text)) return false;
  const joined = text.trim().replace(/\\s*[\\r\\n]+\\s*/g, " ");
  line.setRangeText(joined, line.selectionStart ?? 0, line.selectionEnd ?? 0, "end");
  countLeft();
  return true;
}

/** Goes to the line that was sent before, or after. */
function recallLine(by) {
  const text = recalled.step(by, line.value);
  if (text !== undefined) setLine(text);
}

/** Completes the word before the caret; false when Tab should do what it does everywhere. */
function complete() {
  if (isCompleted()) completion = nextCompletion(completion);
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
  $("hint").textContent = \`\${all[at].trim()}, \${at + 1} of \${all.length}\`;
  return true;
}

/** Takes a completion back, or goes back to what was written; false if there is neither. */
function takeBack() {
  if (isCompleted()) {
    setLine(completion.original, completion.caret);
    completion = undefined;
    return true;
  }
  const draft = recalled.stop();
  if (draft === undefined) return false;
  setLine(draft);
  return true;
}

/** Whether the line is as the last completion left it. */
function isCompleted() {
  return completion !== undefined && line.value === completedLine(completion);
}

function setLine(text, caret = text.length) {
  line.value = text;
  line.setSelectionRange(caret, caret);
  countLeft();
}

function countLeft() {
  const left = MAX_LINE - line.value.length;
  $("left").hidden = left > MAX_LINE / 10;
  $("left").textContent = left < 0
    ? \`\${-left} characters too long\`
    : \`\${plural(left, "character", "characters")} left\`;
  line.setAttribute("aria-invalid", String(left < 0));
}

// side.ts

/** Shows the rooms, now or after what is being taken. */
function showRooms() {
  inbox.soon(drawRooms);
}

/** Shows who is in the room. */
function showPeople() {
  inbox.soon(drawPeople);
}

/** Shows the window's title. */
function showTitle() {
  inbox.soon(drawTitle);
}

/** Goes to the room above or below; if need be, to one with unread messages. */
function step(by, which) {
  const rooms = sortedRooms();
  const at = rooms.findIndex(({ name }) => name === view.room);
  for (let i = 1; i < rooms.length; i++) {
    const room = rooms[(at + by * i + rooms.length * i) % rooms.length];
    if (which === "any" || isUnread(room)) return goTo(room.name);
  }
}

function goTo(room) {
  closePanel();
  if (room !== view.room) command(\`/join \${room}\`);
  line.focus();
}

function drawRooms() {
  const rooms = sortedRooms();
  reconcile($("rooms"), rooms, (row, room) => {
    row.label.textContent = roomLabel(room.name);
    row.label.dir = "auto";
    row.count.textContent = String(room.members ?? "");
    row.count.title = plural(room.members ?? 0, "person", "people");
    row.tag.textContent = isUnread(room) ? "new" : "";
    row.button.title = textOf(room.topic);
    row.button.classList.toggle("unread", isUnread(room));
    if (room.name === view.room) row.button.setAttribute("aria-current", "page");
    else row.button.removeAttribute("aria-current");
    row.button.onclick = () => goTo(room.name);
  });
  $("menu").classList.toggle("unread", rooms.some(isUnread));
  $("room").textContent = roomLabel(view.room);
  $("topic").textContent = view.topic;
  $("topic").title = view.topic;
  line.placeholder = \`Message \${roomLabel(view.room)}\`;
}

function drawPeople() {
  const people = [...view.people.values()].sort((a, b) => a.name.localeCompare(b.name));
  reconcile($("people"), people.slice(0, MAX_LISTED), (row, person) => {
    const marks = [
      person.operator && "operator",
      person.away !== undefined ? "away" : person.silent && "silent",
      isMe(person.name) && "you",
    ].filter(Boolean);
    row.label.replaceChildren(nameElement(person.name));
    row.tag.textContent = marks.join(", ");
    row.button.classList.toggle("away", person.away !== undefined || person.silent === true);
    row.button.title = person.away ? \`Away: \${textOf(person.away)}\` : "Write privately";
    row.button.onclick = () => writePrefix(\`/msg \${person.name} \`);
  });
  const count = people.length + view.unlisted;
  $("rest").hidden = count <= MAX_LISTED;
  $("rest").textContent = \`and \${count - MAX_LISTED} more\`;
  $("people-title").textContent = \`People (\${count})\`;
  $("my-name").textContent = view.me || "not here yet";
}

function drawTitle() {
  const missed = view.missed > 0 ? \`(\${view.missed}) \` : "";
  const elsewhere = view.rooms.some(isUnread) ? "• " : "";
  document.title = \`\${missed}\${elsewhere}\${roomLabel(view.room)} – Lengthwise\`;
}

/** Brings a list up to date without touching what stays, so that the focus stays too. */
function reconcile(
  list,
  items,
  update,
) {
  const children = [...list.children];
  const old = new Map(children.map((child) => [child.dataset.key, child]));
  let place = list.firstElementChild;
  for (const item of items) {
    const child = old.get(item.name) ?? newRow(item.name);
    old.delete(item.name);
    const button = child.querySelector("button");
    const [label, tag, count] = [...button.children];
    update({ button, label, tag, count }, item);
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
  }
  for (const child of old.values()) child.remove();
}

function newRow(key) {
  const parts = ["label", "tag", "count"].map((className) => make("span", { className }));
  const row = make("li", {}, make("button", { type: "button" }, ...parts));
  row.dataset.key = key;
  return row;
}

// rooms.ts

/** The first list of a connection tells from where on the server counts. */
let nextList = "first";

/** The server has put us into a room. */
function enterRoom(name, topic) {
  const before = view.room;
  const same = keyOf(name) === keyOf(before);
  restore.room = undefined;
  view.room = name;
  view.loading = { kind: "entering" };
  view.topic = textOf(topic);
  if (same) outbox.renameRoom(before, name);
  else {
    view.people.clear();
    clearLog();
  }
  storage.set("room", name);
  showRooms();
  showPeople();
  showTitle();
  settle();
  flush();
}

/** There is another connection, and perhaps another server. */
function expectRooms() {
  nextList = "first";
}

/** The server's list of rooms. */
function onRooms({ rooms }) {
  view.rooms = rooms.slice(0, MAX_LISTED);
  const names = new Set(view.rooms.map(({ name }) => name));
  for (const name of view.seen.keys()) {
    if (!names.has(name) && name !== view.room) view.seen.delete(name);
  }
  for (const { name, last, topic } of view.rooms) {
    const seen = view.seen.get(name);
    if (name === view.room) view.topic = textOf(topic ?? view.topic);
    // A room is new to this window, or the server counts anew.
    else if (seen === undefined || (nextList === "first" && last < seen)) view.seen.set(name, last);
  }
  nextList = "further";
  showRooms();
  showTitle();
  if (typed.delete("rooms")) {
    const list = view.rooms.map(({ name, members }) => \`\${roomLabel(name)} (\${members})\`);
    notice(list.join(", ") || "There are no rooms.");
  }
}

/** What a room is about has changed. */
function onTopic({ room, name, text }) {
  if (room !== view.room) return;
  view.topic = textOf(text);
  showRooms();
  notice(view.topic ? \`\${name} set the topic: \${view.topic}\` : \`\${name} cleared the topic.\`);
}

// admission.ts

let restoreTimer;

/** The server has let us in, under a name and into a room of its choice. */
function onWelcome({ name, room }) {
  view.me = name;
  view.loading = { kind: "entering" };
  expectRooms();
  const { chosen } = restore;
  if (chosen !== undefined && keyOf(chosen) !== keyOf(name)) askName(chosen);
  if (room !== view.room) {
    restore.room = { name: view.room, home: room };
    link.send(\`/join \${view.room}\`);
  }
  clearTimeout(restoreTimer);
  restoreTimer = setTimeout(() => {
    restore.stopAsking();
    giveUpRoom();
  }, RESTORE_TIMEOUT);
  link.welcome();
  showPeople();
  flush();
}

/** The connection is gone, and with it every answer. */
function forgetAnswers() {
  clearTimeout(restoreTimer);
  restore.reset();
  if (view.loading.kind !== "entering") view.loading = { kind: "idle" };
}

/** The server says something about itself, or about what one did. */
function onNotice({ code, text, error, command }) {
  // An older server does not ask, and does not know the answer.
  if (code === "no-such-command" && command === "pong" && !typed.has("pong")) return;
  const meaning = meaningOf(code);
  if (meaning === "sent away") link.leave("server");
  if (meaning === "room refused") giveUpRoom();
  if (meaning === "name refused" && restore.askedName !== undefined) return retryName(text);
  if (error) noteRefusal();
  notice(text, error ? "error" : "plain");
}

function askName(name) {
  restore.askName(name);
  link.send(\`/nick \${name}\`);
}

/** After an outage the name may still belong to the connection that was lost. */
function retryName(text) {
  const name = restore.askedName;
  const turn = restore.pauseName((wanted) => {
    if (link.state.kind === "open" && restore.chosen === wanted && !isMe(wanted)) askName(wanted);
  });
  if (turn === "first") notice(\`\${text} It is tried again for a minute.\`, "error");
  flush();
  if (turn === "last") notice(\`The name \${name} stays taken: /nick chooses another.\`);
}

/** The room from before cannot be joined: the page shows the one that the server chose. */
function giveUpRoom() {
  if (restore.room === undefined) return;
  enterRoom(restore.room.home, "");
  link.send("/who");
  link.send(\`/history \${PAGE}\`);
}

// events.ts

/** What each type of event must have for the page to use it. */
const CHECKS = {
  welcome: hasStrings("name", "room"),
  say: isSaid,
  me: isSaid,
  tell: hasStrings("from", "to", "text"),
  join: hasStrings("room", "name"),
  leave: hasStrings("room", "name"),
  nick: hasStrings("from", "to"),
  away: hasStrings("name"),
  silent: hasStrings("name"),
  topic: hasStrings("room", "name"),
  room: hasStrings("name"),
  who: keepsItems("members", hasStrings("name")),
  rooms: keepsItems("rooms", hasStrings("name")),
  history: keepsItems("messages", isSaid),
  found: keepsItems("messages", isSaid),
  pong: () => true,
  ping: () => true,
  notice: hasStrings("text"),
};

/**
 * What a text of the server is: an event; the text itself, if it is none; undefined for an event that
 * the page does not know, or that lacks something.
 */
function readEvent(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    // The server's own words, as before it has taken /json.
    return text;
  }
  if (!isFields(value) || typeof value.type !== "string") return text;
  if (!Object.hasOwn(CHECKS, value.type)) return undefined;
  return CHECKS[value.type](value) ? value : undefined;
}

function isFields(value) {
  return typeof value === "object" && value !== null;
}

function hasStrings(...keys) {
  return (event) => keys.every((key) => typeof event[key] === "string");
}

function isSaid(event) {
  return Number.isInteger(event.id) && hasStrings("name", "text")(event);
}

/** A list must be one; what it should not hold is taken out of it. */
function keepsItems(key, check) {
  return (event) => {
    const items = event[key];
    if (!Array.isArray(items)) return false;
    event[key] = items.filter((item) => isFields(item) && check(item));
    return true;
  };
}

// loading.ts

/** Whether messages answer what was asked for. */
function answers(
  loading,
  messages,
) {
  if (loading.kind === "entering") return true;
  if (loading.kind === "idle") return false;
  const last = messages.at(-1);
  return last === undefined || last.id < loading.before;
}

/** What is still awaited: an answer that is late is not waited for. */
function stillLoading(
  loading,
  now,
  timeout,
) {
  const asked = loading.kind === "older" || loading.kind === "gap";
  return asked && now - loading.since > timeout ? { kind: "idle" } : loading;
}

// history.ts

/** Somebody said something in a room. */
function onMessage(message) {
  if (message.room !== view.room) return;
  const fresh = freshEntries([message]);
  if (fresh.length === 0) return;
  if (document.hidden && !isMe(message.name)) {
    view.missed++;
    if (view.markedNew === undefined) markNew(fresh[0]);
  }
  insert(fresh);
  see(message.id);
  showTitle();
}

/** Somebody said something to one person only. */
function onTell(event) {
  view.tells.push(event);
  if (view.tells.length > MAX_KEPT) view.tells.shift();
  if (document.hidden && !isMe(event.from)) view.missed++;
  insert([tellEntry(event)]);
  showTitle();
}

/** A part of a room's history. */
function onHistory({ room, messages, more }) {
  if (room !== view.room) return;
  const { loading } = view;
  if (answers(loading, messages)) {
    view.loading = { kind: "idle" };
    quietly(() => {
      if (loading.kind === "entering") entered(messages, more === true);
      else if (loading.kind === "gap") fillGap(loading, messages, more === true);
      else addOlder(messages, more === true);
    });
  } else {
    const fresh = freshEntries(messages);
    const last = messages.at(-1);
    const newest = last !== undefined && last.id > (firstId() ?? 0);
    insert(fresh, newest ? null : entries.firstElementChild);
  }
  settle();
}

/** What a search has found. */
function onFound({ room, query, messages }) {
  const count = messages.length === 0 ? "Nothing" : plural(messages.length, "message", "messages");
  notice(\`\${count} found for “\${textOf(query)}” in \${roomLabel(textOf(room))}.\`);
  insert(messages.map(foundEntry));
}

/** Asks for what is before the oldest message here, if there is anything. */
function loadOlder() {
  const before = firstId();
  if (link.state.kind !== "open" || view.loading.kind !== "idle") return;
  if (!view.more || before === undefined || entries.childElementCount >= MAX_ENTRIES) return;
  view.loading = { kind: "older", before, since: Date.now() };
  link.send(\`/history \${PAGE} before \${before}\`);
}

/** The history that comes on entering a room, which is also what was missed in an outage. */
function entered(all, more) {
  const again = view.shown.size > 0;
  const overlaps = all.some(isShown);
  const seen = view.seen.get(view.room) ?? Infinity;
  const fresh = freshEntries(all);
  if (!again) {
    view.more = more;
    const first = dateOf(all[0]?.time ?? 0).getTime();
    const tells = view.tells.filter(({ time }) => time >= first).map(tellEntry);
    const sorted = [...fresh, ...tells].sort((a, b) => timeOf(a) - timeOf(b));
    insert(sorted, entries.firstElementChild);
  } else {
    insert(fresh);
    if (!overlaps && more && fresh.length > 0) askGap(all[0].id, fresh[0], 1);
    else if (!overlaps) forgetIds(fresh);
  }
  const unseen = all.findIndex((message) => message.id > seen && !isMe(message.name));
  if (unseen > 0 || (again && unseen === 0)) markNew(view.shown.get(shownKey(all[unseen])));
  const last = all.at(-1);
  if (last !== undefined) see(last.id);
}

/** Asks for what lies between the messages shown before an outage and those after it. */
function askGap(before, anchor, pages) {
  view.loading = { kind: "gap", before, since: Date.now(), anchor, pages };
  link.send(\`/history \${PAGE * 2} before \${before}\`);
}

function fillGap(
  { anchor, pages },
  all,
  more,
) {
  const overlaps = all.some(isShown);
  const fresh = freshEntries(all);
  insert(fresh, anchor);
  if (overlaps) return;
  const first = fresh[0] ?? anchor;
  if (more && fresh.length > 0 && pages < MAX_GAP_PAGES) {
    askGap(all[0].id, first, pages + 1);
  } else if (more) {
    // Too long an outage: the window begins after it, and scrolling up loads the rest.
    removeBefore(first);
    view.more = true;
  } else {
    const children = [...entries.children];
    forgetIds(children.slice(children.indexOf(first)));
  }
}

function addOlder(all, more) {
  const free = MAX_ENTRIES - entries.childElementCount;
  const fresh = freshEntries(all.slice(Math.max(0, all.length - free)));
  // A server that repeats itself must not be asked for ever.
  view.more = more && fresh.length > 0;
  insert(fresh, entries.firstElementChild);
}

/** The server has forgotten the messages above: they stay to be read, with nothing before them. */
function forgetIds(kept) {
  const keep = new Set(kept);
  for (const element of entries.children) {
    if (!keep.has(element) && element instanceof HTMLElement) delete element.dataset.id;
  }
  view.more = false;
}

/** Entries for those messages that are not shown yet. */
function freshEntries(messages) {
  const fresh = [];
  for (const message of messages) {
    if (isShown(message)) continue;
    const element = messageEntry(message);
    view.shown.set(shownKey(message), element);
    confirm(message);
    fresh.push(element);
  }
  return fresh;
}

function isShown(message) {
  return view.shown.has(shownKey(message));
}

function shownKey({ id, time }) {
  return \`\${id}/\${dateOf(time).getTime()}\`;
}

/** The id of the oldest message that is a place in the history. */
function firstId() {
  const first = entries.querySelector("[data-id]");
  return first ? Number(first.dataset.id) : undefined;
}

// people.ts

/** Who is in the room. */
function onWho({ room, members, more }) {
  if (room !== view.room) return;
  view.people = new Map(members.map((one) => [keyOf(one.name), one]));
  view.unlisted = more !== undefined && Number.isInteger(more) ? more : 0;
  showPeople();
  showRooms();
  if (typed.delete("who")) {
    const names = [...view.people.values()].map(({ name }) => name);
    const others = view.unlisted > 0 ? \` and \${view.unlisted} more\` : "";
    notice(\`\${names.length + view.unlisted} here: \${names.join(", ")}\${others}.\`);
  }
}

/** Somebody came or left. */
function onCame({ type, room, name }) {
  if (room !== view.room) return;
  const key = keyOf(name);
  const known = view.people.has(key);
  if (type === "join") view.people.set(key, view.people.get(key) ?? { name });
  else view.people.delete(key);
  showPeople();
  showRooms();
  if (!isMe(name) && known !== (type === "join")) {
    notice(\`\${textOf(name)} \${type === "join" ? "joined" : "left"}.\`);
  }
}

/** Somebody has another name now. */
function onNick({ from, to }) {
  const person = view.people.get(keyOf(from));
  view.people.delete(keyOf(from));
  if (isMe(from)) {
    view.me = to;
    restore.settleName(to);
    notice(\`You are \${textOf(to)} now.\`);
  } else if (person) notice(\`\${textOf(from)} is now \${textOf(to)}.\`);
  if (person) view.people.set(keyOf(to), { ...person, name: to });
  showPeople();
  flush();
}

/** Somebody is away, or back. */
function onAway({ name, text }) {
  const away = text === undefined ? undefined : textOf(text);
  markPerson(name, { away });
  const who = isMe(name) ? "You are" : \`\${textOf(name)} is\`;
  notice(\`\${who} \${away === undefined ? "back." : \`away: \${away}\`}\`);
}

/** Somebody has long said nothing, or speaks again: worth a mark in the list, not a line. */
function onSilent({ name, silent }) {
  markPerson(name, { silent: silent === true ? true : undefined });
}

function markPerson(name, mark) {
  const person = view.people.get(keyOf(name));
  if (person) view.people.set(keyOf(name), { ...person, ...mark });
  showPeople();
}

// status.ts

/** What it is called; and by which name the sheet knows it. */
const WORDS = {
  connecting: ["Connecting", "connecting"],
  open: ["Connected", "open"],
  leaving: ["Connected", "open"],
  waiting: ["Not connected", "waiting"],
  refused: ["Not admitted", "refused"],
  left: ["Not connected", "left"],
};

/** Shows it in the head, and what can be done about it. */
function showStatus() {
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
function showRoundTrip(milliseconds) {
  $("state").title = \`Answer in \${milliseconds} ms\`;
}

/** Says in the page why there is no connection, and when the next attempt is. */
function showBanner() {
  const { state } = link;
  const trying = state.kind === "connecting";
  $("banner").hidden = !(state.kind === "waiting" || state.kind === "left" ||
    (trying && link.failing));
  $("retry").hidden = trying;
  $("retry").textContent = state.kind === "left" ? "Join again" : "Try now";
  $("banner-text").textContent = bannerWords(state);
}

function bannerWords(state) {
  if (state.kind === "left") {
    return state.by === "server" ? "You were disconnected." : "You have left the chat.";
  }
  if (state.kind !== "waiting" && state.kind !== "connecting") return "";
  const what = link.wasOpen ? "The connection was lost" : "The server cannot be reached";
  const why = state.reason ? \`: \${state.reason}\` : "";
  const hint = navigator.onLine ? "" : "This device seems to be offline. ";
  const seconds = state.kind === "waiting" ? Math.ceil((state.until - Date.now()) / 1000) : 0;
  const next = seconds <= 0 ? "Trying now…" : \`Next try in \${seconds} s.\`;
  return \`\${what}\${why}. \${hint}\${next}\`;
}

/** Asks for a token in the place of the log. */
function showQuestion(state) {
  const refused = state.kind === "refused";
  const wasAsked = $("ask").contains(document.activeElement);
  $("ask").hidden = !refused;
  for (const element of [scroller, document.querySelector("footer"), $("new-room"), $("rename")]) {
    element.hidden = refused;
  }
  if (refused) {
    $("ask-reason").textContent = state.why;
    $("ask-reason").hidden = state.why === "";
    $("token").value = "";
    $("token").focus();
  } else if (wasAsked) {
    // The field that had the focus has gone, and what was typed there has been taken.
    line.focus();
  }
}

// hearing.ts

/** Takes what the server says: in its own words until it has taken \`/json\`. */
function hear(text) {
  const { kind } = link.state;
  const welcomed = kind === "open" || kind === "leaving";
  // Said before the connection ended, which was the last that mattered.
  if (!welcomed && kind !== "connecting") return;
  const said = readEvent(text);
  if (said === undefined) return;
  if (typeof said !== "string") {
    // What comes before the welcome is not for people.
    if (welcomed || said.type === "welcome") act(said);
  } else if (welcomed) notice(plainLine(said));
  else link.noteWords(plainLine(said));
}

/** A line of the server as people read it: its own lines begin with a star. */
function plainLine(text) {
  return text.replace(/^\\* /, "").trimEnd();
}

function act(event) {
  switch (event.type) {
    case "welcome":
      // From now on the chat may ask whether this page is still there.
      link.send("/pong");
      return onWelcome(event);
    case "say":
    case "me":
      return onMessage(event);
    case "tell":
      return onTell(event);
    case "join":
    case "leave":
      return onCame(event);
    case "nick":
      return onNick(event);
    case "away":
      return onAway(event);
    case "silent":
      return onSilent(event);
    case "topic":
      return onTopic(event);
    case "room":
      return enterRoom(event.name, event.topic);
    case "who":
      return onWho(event);
    case "rooms":
      return onRooms(event);
    case "history":
      return onHistory(event);
    case "found":
      return onFound(event);
    case "pong":
      return onPong(event);
    case "ping":
      return; // The link has answered it.
    case "notice":
      return onNotice(event);
  }
}

function onPong({ text }) {
  const pong = link.pong(text);
  if (pong === undefined) notice(\`pong \${textOf(text)}\`.trim());
  else if (pong.after !== undefined) showRoundTrip(pong.after);
}

// main.ts

function openSocket() {
  const url = new URL(location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = url.search = "";
  return new WebSocket(url);
}

/** Once a second: what is late, and how long the next attempt is away. */
function tick() {
  const now = Date.now();
  if (link.state.kind === "waiting") showBanner();
  view.loading = stillLoading(view.loading, now, REPLY_TIMEOUT);
  if (link.state.kind !== "open") return;
  link.watch(now);
  outbox.doubtLate(now);
  showOutbox();
}

function onLineKey(event) {
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

function onKey(event) {
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

function escape() {
  if (isPanelOpen()) {
    closePanel();
    $("menu").focus();
  } else if (!takeBack()) toEnd();
}

let lastTop = 0;

function onScroll() {
  const { scrollTop, scrollHeight, clientHeight } = scroller;
  if (scrollHeight - scrollTop - clientHeight < 40) view.reading = AT_END;
  else if (scrollTop < lastTop && view.reading.at === "end") {
    view.reading = { at: "above", below: 0 };
  }
  lastTop = scrollTop;
  settle();
  if (scrollTop < 300 && view.reading.at === "above") loadOlder();
}

function onVisibility() {
  if (document.hidden) {
    markNew(undefined);
    return;
  }
  view.missed = 0;
  showTitle();
  inbox.drain();
  link.hurry();
}

const help = $("help");
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
  link.connectWith($("token").value || undefined);
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
  const { height, scale } = globalThis.visualViewport;
  if (scale === 1) document.documentElement.style.setProperty("--height", \`\${height}px\`);
});
setInterval(tick, 1000);

startLog({ atTop: loadOlder });
inbox.start({ hear, drawn: settle });
showRooms();
showPeople();
showTitle();
link.start({
  open: openSocket,
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
    </script>
  </body>
</html>
`;
