/**
 * The chat's window. Generated from browser/ by generate.ts: change what is there.
 *
 * @module
 */

/** What the Content-Security-Policy lets run: the page's own script. */
export const SCRIPT_HASH = "sha256-OYCnXyf4UCEcRydqKcowkIrBy33A7WqkGN8gL+pjz4o=";

/** What the Content-Security-Policy lets style: the page's own sheet. */
export const STYLE_HASH = "sha256-4zwdmSScmW0a3CJ71/15OGrUsou9XMQNYb5vRRkiEDY=";

/** What tells this page from another version of it. */
export const PAGE_TAG = "e7VktxlqopJQI8mf";

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
    <meta name="servers" content="">
    <meta name="sessions" content="no">
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
// library.ts

const { Attempts, SESSION_SUBPROTOCOL, SessionCode, backoff, connect, openAt, textFormat } = (() => {
var t=class extends Error{constructor(t,e){super(t,e),this.name=new.target.name}},e=class extends t{},s=class extends t{},i=class extends s{},r=class extends t{},n=class extends t{},o=class extends n{size;limit;constructor(t,e,s,i){super(\`Cannot \${t} message of \${e} bytes: limit is \${s} bytes\${i?\` (\${i})\`:""}\`),this.size=e,this.limit=s}},h=class extends n{},a=class extends n{received;missing;constructor(t,e,s){super(\`Cannot receive message: stream ended in its \${s}, \${e} bytes missing after \${t}\`),this.received=t,this.missing=e}},d=class extends n{},l=class extends i{code;isRetriable;constructor(t,e,s,i){super(t,i),this.code=e,this.isRetriable=s}},c=class extends s{code;unacknowledged;constructor(t,e,s={}){super(t,s),this.code=s.code,this.unacknowledged=e}},u=class extends n{code;constructor(t,e){super(t),this.code=e}},f=0;function m(t,e,s,i){if(!Number.isSafeInteger(e)||e<s||e>i)throw new RangeError(\`Cannot use \${t} \${e}: it must be an integer from \${s} to \${i}\`);return e}function w(t,e,s=1){return m(t,e,s,2147483647)}var g=new class{#t=new Map;add(t,e){let s=Math.max(0,Math.min(e-performance.now(),2147483647));return this.#t.set(t,setTimeout(()=>{this.#t.delete(t),t.ring(performance.now())},s)),e}delete(t){clearTimeout(this.#t.get(t)),this.#t.delete(t)}},p=class{holds;#t;#e;#s;#i=1/0;#r=1/0;#n=0;#o=0;constructor(t,e={}){let{idle:s=!1,patient:i=!1,grain:r=1}=e;this.#t=t,this.#e=i,this.#s=r,this.holds=!s}get due(){return this.#i}at(t){this.#i=t,t<this.#r-this.#s&&this.#h(t)}clear(){this.#r!==1/0&&g.delete(this,this.#r),this.#i=this.#r=1/0,this.#n=this.#o=0}#h(t,e=this.#s){this.#r!==1/0&&g.delete(this,this.#r),this.#r=g.add(this,Math.max(t,performance.now()),e)}ring(t){let e=t-this.#r;if(this.#r=1/0,this.#i===1/0)return;let s=Math.max(this.#i,this.#n);t<s?this.#h(s):this.#e&&this.#o<(e>20?3:1)?(this.#o++,this.#n=t+Math.min(Math.max(e,1),1e4),this.#h(this.#n,1)):(this.#o=0,this.#i=1/0,this.#t(t))}},v=class extends p{#t;constructor(t,e,s={}){var i;super(e,{patient:!0,grain:(i=t,i<1e4?1:1e3),...s}),this.#t=t}get running(){return this.due!==1/0}start(){let t=performance.now();return this.at(t+this.#t),t}stop(){this.at(1/0)}};function y(t,e){let s=new v(t,()=>e());return s.start(),s}function b(t,e){let{code:s=e?.code,reason:i=e?.reason}=t??{};return{...void 0===s?{}:{code:s},...void 0===i?{}:{reason:i}}}function k(t){return t instanceof Error?t.message:String(t)}function E(t){return t instanceof TypeError||t instanceof RangeError}var T=class{#t;#e=0;constructor(t=[]){this.#t=[...t]}get length(){return this.#t.length-this.#e}isEmpty(){return 0===this.length}pushBack(t){return this.#t.push(t),this.length}pushFront(t){return this.#t.splice(0,this.#e,t),this.#e=0,this.length}popFront(){if(this.isEmpty())return;let t=this.#t[this.#e];return this.#t[this.#e++]=void 0,2*this.#e>=this.#t.length&&(this.#t.splice(0,this.#e),this.#e=0),t}popBack(){return this.isEmpty()?void 0:this.#t.pop()}peekFront(){return this.#t[this.#e]}peekBack(){return this.isEmpty()?void 0:this.#t.at(-1)}removeFirst(t){this.#t.splice(0,this.#e),this.#e=0;let e=this.#t.findIndex(t);return e<0?void 0:this.#t.splice(e,1)[0]}clear(){this.#t=[],this.#e=0}[Symbol.iterator](){return this.#t.slice(this.#e).values()}},$=class{#t;constructor(t){this.#t=t}get length(){return this.#t.length}get byteLength(){return this.#t.reduce((t,{length:e})=>t+e,0)}at(t){return this.#t.at(t)}[Symbol.iterator](){return this.#t.values()}toArray(t,e){return this.#t.slice(t,e)}recycle(){}[Symbol.dispose](){}},x={done:!0,value:void 0},A=class{bytes=0;#t=new T;#e=new T;#s="open";get messages(){return this.#t.length}get cost(){return this.bytes+64*this.messages}put(t){for(let e of t)this.#t.pushBack(e),this.bytes+=e.length;for(;!this.#t.isEmpty()&&!this.#e.isEmpty();){let{want:t,resolve:e}=this.#e.popFront();e(this.#i(t))}}#i(t){if("batch"===t)return this.takeBatch();if("raw"===t)return this.takeRaw();let e=this.take();return"message"===t?e:{done:!1,value:e}}end(t){if("open"===this.#s){this.#s=t??"ended";for(let{want:e,resolve:s,reject:i}of this.#e)void 0!==t?i(t.error):s("result"===e?x:void 0);this.#e.clear()}}abort(t){"ended"===this.#s&&this.messages>0?this.#s={error:t}:this.end({error:t})}clear(){this.#t.clear(),this.bytes=0}take(){let t=this.#t.popFront();return this.bytes-=t?.length??0,t}takeBatch(){if(this.#t.isEmpty())return;let t=[...this.#t];return this.clear(),t}takeRaw(){let t=this.takeBatch();return t&&new $(t)}wait(t){let e=this.#s;return"object"==typeof e?Promise.reject(e.error):new Promise((s,i)=>{"ended"===e?s("result"===t?x:void 0):this.#e.pushBack({want:t,resolve:s,reject:i})})}},C=class{messages=0;bytes=0;discardedBytes=0;lastSeenAt=Date.now();inbox=new A;#t;#e;#s;#i;#r;#n;#o="reading";#h;constructor(t,e,s){let{framing:i,limits:r,lossIsEnd:n}=e;this.#t=t,this.#e=r,this.#s=n,this.#i=s,this.#r=i.decoder(),this.#n=new v(r.frameTimeout,()=>this.#a())}get ended(){return"ended"===this.#o}async run(){try{for(let t;void 0!==(t=await this.#d())&&!this.ended;)this.bytes+=t.length,this.lastSeenAt=Date.now(),"discarding"===this.#o?this.discardedBytes+=t.length:this.#l(t);if(this.ended)return;"reading"===this.#o&&this.#r.end(),this.stop(),this.#i.inputEnded(this.#t.abilities.ended)}catch(t){this.ended||this.#c(t)}}async#d(){return this.inbox.cost>=this.#e.maxUnreadBytes&&(this.#n.stop(),await new Promise(t=>this.#h=t),this.#h=void 0,this.#u(!0)),await this.#t.read()}#l(t){let e=[];try{this.#r.decode(t,e)}finally{this.messages+=e.length,this.inbox.put(e)}this.#u(e.length>0)}#u(t){0===this.#r.pendingBytes||"reading"!==this.#o?this.#n.stop():(t||!this.#n.running)&&this.#n.start()}#a(){let{pendingBytes:t}=this.#r;this.#c(function(t,e,s){return new d(\`Cannot receive message from \${t}: it was not finished within \${e} ms, \${s} bytes had arrived\`)}(this.#t.remote,this.#e.frameTimeout,t))}take(){return this.#f(this.inbox.take())}async takeBatch(){return this.#f(this.inbox.takeBatch())??await this.wait("batch")}async takeRaw(){return this.#f(this.inbox.takeRaw())??await this.wait("raw")}#f(t){return this.inbox.cost<=this.#e.maxUnreadBytes/2&&this.#h?.(),t}wait(t){return this.inbox.wait(t)}surface(){return!1}discard(){"reading"===this.#o&&(this.#o="discarding",this.discardedBytes+=this.#r.pendingBytes),this.discardedBytes+=this.inbox.bytes,this.inbox.clear(),this.inbox.end(),this.#n.clear(),this.#h?.()}stop(t){this.#o="ended",this.#n.clear();let e=this.#s&&t?.error instanceof s;this.inbox.end(e?void 0:t),this.#h?.()}#c(e){let i=function(e,i){return i instanceof t?i:new s(\`Cannot receive from \${e}: \${k(i)}\`,{cause:i})}(this.#t.remote,e);this.stop({error:i}),this.#i.inputFailed(i)}},B=new Uint8Array(0);function M(t){if(t instanceof Uint8Array)return t;if(0===t.length)return B;if(1===t.length)return t[0];let e=new Uint8Array(t.reduce((t,e)=>t+e.length,0)),s=0;for(let i of t)e.set(i,s),s+=i.length;return e}function R(){let t=Promise.withResolvers();return t.promise.catch(()=>{}),t}function S(t){let e=Promise.reject(t);return e.catch(()=>{}),e}var{setImmediate:P,clearImmediate:U}=void 0===globalThis.setImmediate?function(){let t=new Set,{port1:e,port2:s}=new MessageChannel,i=!1;return e.onmessage=()=>{i=!1;for(let e of[...t])if(t.delete(e))try{e.call()}catch(t){reportError(t)}},{setImmediate(e){let r={call:e};return t.add(r),i||s.postMessage(void 0),i=!0,r},clearImmediate:e=>t.delete(e)}}():globalThis;function I(t){return P(t)}var F=Promise.resolve(),L=class{messages=0;dropped=0;bytes=0;pendingBytes=0;framing;limits;#t;#e;#s=new T;#i;#r="idle";#n=-1;#o=0;#h=F;#d;#l;constructor(t,e,i){let{framing:r,limits:n}=e;this.#t=t,this.framing=r,this.limits=n,this.#e=i,this.#i=new v(n.writeTimeout,()=>this.#m(function(t,e){return new s(\`Cannot send to \${t}: it took nothing for \${e} ms\`)}(t.remote,n.writeTimeout)))}offer(t,e){if(!(t instanceof Uint8Array))throw new TypeError(\`Cannot send \${typeof t}: it must be a Uint8Array or a string\`);return this.offerFrame(this.framing.encode(t,e))}offerFrame(t){let e=!this.#f||this.#w(t.length);return e&&this.#u({frame:t,messages:1}),e}offerInPlace(t){this.offer(t)}pushEnd(t){this.#u({frame:t,messages:0})}#u(t){this.#s.pushBack(t),this.pendingBytes+=t.frame.length,this.#f?this.flush():"idle"===this.#r&&(this.#r="scheduled",(performance.now()-this.#n>=1?queueMicrotask:I)(()=>"scheduled"===this.#r&&this.flush()))}get isQuiet(){return"idle"===this.#r}get#a(){return this.pendingBytes+(this.framing.isApart?64*this.#s.length:0)}get#f(){return this.#a>=this.limits.highWaterMark}ready(){return this.#f?(this.#d??=R()).promise:F}flush(){"writing"!==this.#r&&"stopped"!==this.#r&&(this.#h=this.#c())}flushed(){return 0===this.pendingBytes||this.#g()?F:(this.flush(),(this.#l??=Promise.withResolvers()).promise)}settled(){return this.#h}stop(t){this.#g()||(this.#r="stopped",this.#i.clear(),this.#s.clear(),this.#d?.reject(t),this.#l?.resolve())}async#c(){this.#r="writing";try{for(;!this.#s.isEmpty();){let{frame:t,messages:e}=this.#p();for(this.#o=t.length;this.#o>0;){this.#n=this.#i.start();let e=await this.#t.write(t.subarray(-this.#o),!0);if(this.bytes+=e,this.pendingBytes-=e,this.#o-=e,this.#g())return}this.messages+=e,!this.#f&&(this.#d?.resolve(),this.#d=void 0)}}catch(t){return void(this.#g()||this.#m(function(t,e){return new s(\`Cannot send to \${t}: \${k(e)}\`,{cause:e})}(this.#t.remote,t)))}this.#i.stop(),this.#r="idle",this.#l?.resolve(),this.#l=void 0}#p(){let{frame:{length:t},messages:e}=this.#s.peekFront(),s=[this.#s.popFront().frame];for(;!this.framing.isApart&&!this.#s.isEmpty();){let i=this.#s.peekFront();if(t+=i.frame.length,t>65536)break;e+=i.messages,s.push(this.#s.popFront().frame)}return{frame:M(s),messages:e}}#g(){return"stopped"===this.#r}#w(t){let{slowConsumer:e,maxPendingBytes:s}=this.limits,i=()=>this.#a+t>s;if(!i())return!0;if("disconnect"===e)throw this.#m(function(t,e,s){return new r(\`Cannot send message to \${t}: \${e} bytes wait already, limit is \${s} bytes\`)}(this.#t.remote,this.pendingBytes,s));if("drop-newest"===e||this.#o+t>s)return this.dropped++,!1;for(;i();){let{frame:t,messages:e}=this.#s.popFront();this.pendingBytes-=t.length,this.dropped+=e}return!0}#m(t){return this.stop(t),this.#e.outputFailed(t),t}},O={name:"open"},D={name:"starting TLS"},N=[],W=class{user;receiver;sender;refusals=0;#t;#e;#s=O;#i;#r;#n;#o;#h;#d=N;#l;#u;constructor(t,e){this.#t=t,this.#e=e,this.sender=new L(t,e,this),this.receiver=new C(t,e,this,this.sender),this.#u=(e.framing,void e.limits),void 0!==e.signal&&(this.#l=function(t,e){let s=()=>e(t.reason);return t.addEventListener("abort",s,{once:!0}),t.aborted&&s(),()=>t.removeEventListener("abort",s)}(e.signal,t=>this.abort(t)))}get state(){let{name:t}=this.#s;return"closing"===t||"closed"===t?t:"open"}get closed(){return void 0===this.#n&&(this.#n=Promise.withResolvers(),void 0!==this.#o&&this.#n.resolve(this.#o)),this.#n.promise}whenClosed(t,e){if(void 0!==this.#o)return e.connectionClosed(t,this.#o);this.#h=t,this.#d=this.#d.concat(e)}measureRoundTrips(t){void 0!==this.#u&&(this.#u.times=t)}get signal(){return void 0===this.#r&&(this.#r=new AbortController,"closed"===this.#s.name&&this.#r.abort(this.#s.reason)),this.#r.signal}get isOpen(){return this.#s===O}beforeSending(){this.#s!==O&&this.#a(this.#s)}#a(t){if("peer ended"!==t.name)throw t.outputError??new e(\`Cannot send to \${this.#t.remote}: connection is \${t.name}\`);t.deadline.start()}startingTls(){if(this.#s!==O)throw new e(\`Cannot start TLS with \${this.#t.remote}: connection is \${this.#s.name}\`);this.#s=D}tlsStarted(){this.#s===D&&(this.#s=O)}refused(t){this.refusals++,"open"===this.state&&(this.#i??=t)}closeWrite(){let t=this.#s;if("closed"===t.name)return Promise.resolve();if(void 0!==t.farewell)return t.farewell.said;let e=j();return this.#s="cut off"===t.name?{...t,farewell:e}:{...t,name:"half-closed",farewell:e},e.said=this.#f(e)}async#f(t){let{peerEnd:e,options:s,outputError:i}=this.#s,r=this.#e.framing.encodeEnd?.(b(s,e?.info));if(void 0!==r&&void 0===i&&this.sender.pushEnd(r),await this.sender.flushed(),"closed"!==this.state){try{await this.#t.closeWrite(this.#s.options)}catch{}t.isSaid=!0,this.#c(this.#s)&&this.#v()}}#c({name:t,farewell:e,peerEnd:s}){return(void 0!==s||"closing"===t&&!this.#p)&&!0===e?.isSaid}get#p(){return!1!==this.#t.abilities.tellsEnd}close(t){let e=this.#s;if("open"!==this.state)return this.closed;if(this.#e.framing.encodeEnd?.(t),this.receiver.surface())return this.closed;e.deadline?.clear();let s=this.#g(()=>this.#w()),i=e.farewell??j();return this.#s={...e,name:"closing",options:t,farewell:i,deadline:s},this.receiver.discard(),this.#c(this.#s)?this.#v():void 0===e.farewell&&(i.said=this.#f(i)),this.closed}#g(t){let e=new v(this.#e.limits.closeTimeout,t);return e.start(),e}#w(){let{closeTimeout:t}=this.#e.limits,e=this.sender.pendingBytes>0?"read everything":"close";this.#v(new s(\`Cannot close connection to \${this.#t.remote} in order: it did not \${e} within \${t} ms\`))}abort(t){if("closed"===this.state)return;let s=t??new e(\`Cannot use connection to \${this.#t.remote}: it was aborted\`);this.receiver.inbox.abort(s),this.receiver.discard(),this.#v(s)}inputEnded(t){let e=this.#s;if("closed"===e.name)return;let s={info:t};if(void 0!==e.outputError||e.farewell?.isSaid||!this.#p)this.#s={...e,peerEnd:s},this.#v(e.outputError);else if("closing"===e.name)this.#s={...e,peerEnd:s};else{let t=this.#m();this.#s="half-closed"===e.name?{...e,peerEnd:s,deadline:t}:{name:"peer ended",peerEnd:s,deadline:t}}}#m(){let{halfOpenTimeout:t}=this.#e.limits,e=\`the peer ended, and nothing was sent for \${t} ms\`,s=new v(t,()=>this.close({reason:e}),{idle:!0});return s.start(),s}inputReplied(t){return"open"===this.#s.name?this.sender.answer(t):void 0}ask(t){return"open"===this.#s.name&&this.sender.offerRaw(t)}peerIsSilent(t){this.receiver.stop({error:t}),this.#v(t)}inputFailed(t){this.#v(t)}outputFailed(t){let e=this.#s;if("closed"!==e.name)if(t instanceof s&&void 0!==t.cause&&void 0===e.peerEnd&&"closing"!==e.name){let s=this.#g(()=>this.#v(t));this.#s={name:"cut off",outputError:t,farewell:e.farewell,deadline:s}}else this.#s={...e,outputError:t},this.#v(t)}#v(t){let s=this.#s;if("closed"===s.name)return;s.deadline?.clear(),this.#u?.stop(),this.#l?.();let i=t??this.#i,r=i??new e(\`Cannot use connection to \${this.#t.remote}: it is closed\`);this.#s={name:"closed",reason:r,outputError:s.outputError},this.receiver.stop(void 0===t?void 0:{error:t}),this.#y({error:t,reason:r,canTell:void 0===s.farewell},{...b(s.options,s.peerEnd?.info),...void 0===i?{}:{error:i}}),this.#r?.abort(r)}async#y(t,e){let{sender:s}=this,{framing:i}=this.#e;await async function(t){let{transport:e,sender:s,framing:i,error:r,reason:o,canTell:h}=t,a=h&&r instanceof n?i.encodeEnd?.({error:r}):void 0,l=void 0!==a&&await async function(t,e){t.pushEnd(e);let s=Promise.withResolvers(),i=y(1e3,s.resolve);return await Promise.race([t.flushed(),s.promise]),i.clear(),t.isQuiet}(s,a);s.stop(o),l&&!(r instanceof d)&&await void 0,e.close(r),await s.settled(),await Promise.resolve()}({transport:this.#t,sender:s,framing:i,...t});let r=s.pendingBytes;this.#o={clean:!("error"in e)&&0===r&&0===s.dropped,...e,undeliveredBytes:r,unreadBytes:this.receiver.discardedBytes},this.#n?.resolve(this.#o);for(let t of this.#d)t.connectionClosed(this.#h,this.#o);this.#d=N}};function j(){return{said:Promise.resolve(),isSaid:!1}}new Uint8Array(0);var G=16777216;function _(t){return m("maxMessageBytes",t,0,Number.MAX_SAFE_INTEGER)}function X(t=G){_(t);let e={name:"u32be",maxMessageBytes:t,keepsBoundaries:!0,withLimit:X,decoder:()=>new H(t),frameBytes:({length:t})=>4+t,encodeInto:(t,s,i)=>(s.set(e.encodeHeader(t),i),s.set(t,i+4),i+4+t.length),encodeHeader:({length:t})=>Uint8Array.of(t>>>24,t>>>16,t>>>8,t),encodeParts:t=>[e.encodeHeader(t),t],encode:t=>function(t,e){let s=new Uint8Array(t.frameBytes(e));return t.encodeInto(e,s,0),s}(e,t)};return e}var H=class{#t;#e=[];#s=0;#i=4;#r;constructor(t){this.#t=t}get pendingBytes(){return this.#s}decode(t,e=[]){if(void 0!==this.#r)throw this.#r;for(this.#e.push(t),this.#s+=t.length;this.#s>=this.#i;){let t=M(this.#e);this.#e=[t];let s=new DataView(t.buffer,t.byteOffset).getUint32(0);if(s>this.#t)throw this.#r=new o("receive",s,this.#t);let i=4+s;if(this.#i=i,t.length<i)break;e.push(t.subarray(4,i)),this.#e=t.length===i?[]:[t.subarray(i)],this.#s-=i,this.#i=4}return e}end(t=[]){if(this.#s>0){let t=4===this.#i?"header":"body";throw new a(this.#s,this.#i-this.#s,t)}return t}};function K(){return{encode:t=>t,decoder:()=>{}}}function V(t={}){let{fatal:e=!1}=t;return{encode:t=>t,decoder({keepsBoundaries:t}){let s=new TextDecoder("utf-8",{fatal:e,ignoreBOM:!0}),i=e=>{try{return s.decode(e,{stream:!t&&void 0!==e})}catch(t){throw new h("Cannot decode message: it is not UTF-8",{cause:t})}};return{decode:i,end:()=>t?void 0:i()||void 0}}}}function z(t,e,s){let i={...t};for(let r in t)i[r]=e[r]??t[r],s(r,i[r]);return i}var Q={maxMessageBytes:0,maxUnreadBytes:1048576,highWaterMark:65536,maxPendingBytes:8388608},Y={frameTimeout:3e4,writeTimeout:1e4,closeTimeout:5e3,halfOpenTimeout:3e4,pingInterval:3e4,pongTimeout:2e4};function q(t,e){m(t,e,"maxMessageBytes"===t?0:1,Number.MAX_SAFE_INTEGER)}var Z=class t{framing;format;limits;signal;lossIsEnd;#t;constructor(t,e,s,i,r=!1){this.framing=t,this.format=e,this.limits=s,this.signal=i,this.lossIsEnd=r}withFraming(e){if(void 0===e)return this;if(this.#t?.framing!==e){let{format:s,limits:i,signal:r,lossIsEnd:n}=this,o=tt(e,i.maxMessageBytes);this.#t={framing:e,settings:new t(o,s,i,r,n)}}return this.#t.settings}switchedTo(e){let{format:s,limits:i,signal:r,lossIsEnd:n}=this,o=tt(e,i.maxMessageBytes);return new t(o,s,i,r,n)}withLossAsEnd(){return new t(this.framing,this.format,this.limits,this.signal,!0)}};function J(t,e=16777216){if(t instanceof Z)return t;let{framing:s="u32be",format:i=K(),signal:r}=t,n=function(t,e){let{slowConsumer:s="disconnect"}=t,i=z({...Q,maxMessageBytes:e},t,q),r=z(Y,t,(t,e)=>w(t,e));if(!["disconnect","drop-newest","drop-oldest"].includes(s))throw new TypeError(\`Cannot use slowConsumer "\${s}": it must be "disconnect", "drop-newest" or "drop-oldest"\`);let{highWaterMark:n,maxPendingBytes:o}=i;if(n>o)throw new TypeError(\`Cannot use highWaterMark \${n} together with maxPendingBytes \${o}: the mark must not be above the limit\`);return{...i,...r,slowConsumer:s}}(t,e);return new Z(tt(s,n.maxMessageBytes),i,n,r)}function tt(t,e){return"string"==typeof t?function(t,{maxMessageBytes:e}={}){if("u32be"===t)return X(e);throw new TypeError(\`Cannot use framing "\${t}" in a page: a WebSocket message is a message\`)}(t).withLimit(e):t.maxMessageBytes<=e?t:t.withLimit(e)}var et=class{},st=new TextEncoder,it=new Uint8Array(4096);function rt(t){return 3*t.length>it.length?st.encode(t):it.subarray(0,st.encodeInto(t,it).written)}var nt=class{#t;#e;#s;#i;#r;#n;constructor(t,e,s){let{format:i,framing:r}=e;this.#t=t,this.#e=t.receiver,this.#s=t.sender,this.#i=i,this.#r=i.decoder(r),this.#n=s}decodeBy(t){this.#r=this.#i.decoder(t)}send(t){try{this.#o(t)}catch(t){return this.#h(t)}return this.#s.ready()}offer(t){try{return this.#o(t)}catch(t){return this.#t.refused(t),!1}}sendRaw(t){try{this.#t.beforeSending(),"string"==typeof t?this.#s.offer(rt(t),!0):this.#s.offer(t)}catch(t){return this.#h(t)}return this.#s.ready()}sendInPlace(t,e){try{this.#t.beforeSending(),this.#s.offerInPlace(t,e)}catch(t){return this.#h(t)}return this.#s.ready()}#o(t){this.#t.beforeSending();let e=this.#i;if(t instanceof et)return this.#s.offerFrame(t.frame(e,this.#s.framing));let s=e.encode(t);return"string"==typeof s?this.#s.offer(rt(s),!0):this.#s.offer(s)}#h(t){return this.#t.refused(t),S(t)}receive(){if(void 0===this.#r)return this.receiveRaw();let t=this.#e.take();return void 0!==t?this.#l(t):this.#d()}receiveRaw(){let t=this.#e.take();return void 0!==t?Promise.resolve(t):this.#e.wait("message")}async#d(){let t=await this.#e.wait("message");return void 0===t?this.#r?.end():await this.#l(t)}iterator(){let t=this.#e;return{next:void 0!==this.#r?()=>this.receive().then(ot):()=>{let e=t.take();return void 0!==e?Promise.resolve({done:!1,value:e}):t.wait("result")},return:()=>Promise.resolve({done:!0,value:void 0})}}async*batches(){for(;;){let t=await this.#e.takeBatch();if(void 0===t)break;if(void 0===this.#r){yield t;continue}let e=await Promise.allSettled(t.map(t=>this.#l(t))),s=e.find(t=>"rejected"===t.status),i=e.slice(0,void 0===s?e.length:e.indexOf(s));if(i.length>0&&(yield i.map(t=>t.value)),void 0!==s)throw s.reason}let t=this.#r?.end();void 0!==t&&(yield[t])}async*rawBatches(){for(let t;void 0!==(t=await this.#e.takeRaw());)yield t}async all(t){m("maxBytes",t,0,Number.MAX_SAFE_INTEGER);let e=[],s=0,i=0;for(let r;void 0!==(r=await this.#e.takeBatch());)for(let n of r){if(s+=n.length,i+=Math.max(n.length,64),s>t||i>Math.max(t,65536)){let i=new o("receive",s,t,\`\${e.length+1} messages together\`);throw this.#n(i),i}e.push(void 0===this.#r?n:await this.#l(n))}let r=this.#r?.end();return void 0!==r&&e.push(r),e}#l(t){return void 0===this.#r?Promise.resolve(t):this.#u(this.#r,t)}async#u(t,e){try{return await t.decode(e)}catch(t){throw this.#n(t),t}}};function ot(t){return void 0===t?{done:!0,value:void 0}:{done:!1,value:t}}var ht=class{constructor(t){return t}},at=class extends ht{#t=!0;static has(t){return#t in t}},dt=new Uint8Array(0);new at(dt);var lt=class{id=function(){return++f}();endpoint;data={};#t;#e;#s;#i;#r;#n=Date.now();constructor(t,e={},s=""){let i=J(e).withFraming(t.abilities.framing),r=new W(t,i);this.#t=t,this.#e=i,this.endpoint=s,this.#s=r,this.#i=r.sender,this.#r=new nt(r,i,t=>this.abort(t)),r.receiver.run()}get closed(){return this.#s.closed}whenClosed(t){this.#s.whenClosed(this,t)}measureRoundTrips(t){this.#s.measureRoundTrips(t)}get remote(){return this.#t.remote}get peer(){return this.#t.abilities.peer}get user(){return this.#s.user}identify(t){this.#s.user=t}get subprotocol(){return this.#t.abilities.subprotocol}get stranger(){return this.#t.abilities.stranger}get sender(){return this.#i}get state(){return this.#s.state}get framing(){return this.#e.framing}get stats(){return function({receiver:t,sender:e,refusals:s},i,r){return{messagesReceived:t.messages,messagesSent:e.messages,messagesDropped:e.dropped+s,messagesRefused:s,messagesMissed:i.abilities.dropped??0,bytesReceived:t.bytes,bytesSent:e.bytes,bufferedBytes:e.pendingBytes,unreadBytes:t.inbox.bytes,unreadMessages:t.inbox.messages,openedAt:r,lastSeenAt:t.lastSeenAt}}(this.#s,this.#t,this.#n)}get signal(){return this.#s.signal}send(t){return this.#r.send(t)}sendRaw(t){return this.#r.sendRaw(t)}sendInPlace(t,e){return this.#r.sendInPlace(t,e)}offer(t){return this.#r.offer(t)}switchFraming(t,e={}){this.#t,this.#s,this.#r,this.#e=function(){throw new TypeError("Cannot switch framing in a page: a WebSocket keeps its framing")}(this.#e)}startTls(t={}){return this.#s,this.#t,this.endpoint,Promise.reject(new TypeError("Cannot start TLS in a page: use wss://"))}receive(){return this.#r.receive()}receiveRaw(){return this.#r.receiveRaw()}[Symbol.asyncIterator](){return this.#r.iterator()}batches(){return this.#r.batches()}rawBatches(){return this.#r.rawBatches()}receiveAll(t={}){let{maxBytes:e=16777216}=t;return this.#r.all(e)}flush(){return this.#i.flushed()}closeWrite(){return this.#s.closeWrite()}close(t={}){return this.#s.close(t)}abort(t){this.#s.abort(t)}async[Symbol.asyncDispose](){await this.close()}},ct={ws:80,wss:443},ut=/(?:^|(?<=[?&]))(session|deflate)=([^&]*)&?/g;function ft(t){let{transport:e,hostname:s,port:i,path:r,session:n}=t,o=n?r.includes("?")?"&session=1":"?session=1":"";return\`\${e}://\${mt(s,i)}\${r}\${o}\`}function mt(t,e){return t.includes(":")?\`[\${t}]:\${e}\`:\`\${t}:\${e}\`}var wt=t=>class extends Error{name=t},gt={BrokenPipe:wt("BrokenPipe"),ConnectionReset:wt("ConnectionReset"),Interrupted:wt("Interrupted"),NotCapable:wt("NotCapable")},pt=1e3,vt=new TextEncoder,yt=new TextDecoder("utf-8",{fatal:!0,ignoreBOM:!0});function bt(t){return Number.isInteger(t)&&(t>=1e3&&t<=1003||t>=1007&&t<=1014||t>=3e3&&t<=4999)}function kt(t){return t instanceof o?1009:t instanceof h?1007:1002}var Et={frameBytes:t=>t.length,encodeInto:(t,e,s)=>(e.set(t,s),s+t.length),encodeParts:t=>[t],encode:t=>t.slice()};function Tt(t=G){return _(t),{name:"whole",maxMessageBytes:t,keepsBoundaries:!0,isApart:!0,withLimit:Tt,decoder:()=>new $t(t),...Et}}var $t=class{maxBytes;pendingBytes;constructor(t){this.maxBytes=t,this.pendingBytes=0}decode(t,e=[]){if(t.length>this.maxBytes)throw new o("receive",t.length,this.maxBytes);return e.push(t),e}end(t=[]){return t}},xt=new class t{name="websocket";keepsBoundaries=!0;isApart=!0;maxMessageBytes;constructor(t){this.maxMessageBytes=_(t)}withLimit(e){return new t(e)}decoder(){return Tt(this.maxMessageBytes).decoder()}frameBytes({length:t}){return t+1}encodeInto(t,e,s,i){return e[s]=i||function(t){return at.has(t)}(t)?1:0,e.set(t,s+1),s+1+t.length}encodeParts(t,e){return[this.encode(t,e)]}encode(t,e){let s=new Uint8Array(t.length+1);return this.encodeInto(t,s,0,e),s}encodeEnd(t){let e=function(t){let{error:e}=t,{code:s=(void 0===e?pt:kt(e)),reason:i=e?.message??""}=t;if(!bt(s))throw new RangeError(\`Cannot close with code \${s}: it must be 1000 to 1003, 1007 to 1014 or 3000 to 4999\`);let r=vt.encode(i),n=function(t){if(t.length<=123)return t.length;let e=123;for(;128==(192&t[e]);)e--;return e}(r),o=new Uint8Array(2+n);return o[0]=s>>>8,o[1]=s,o.set(r.subarray(0,n),2),o}(t),s=new Uint8Array(e.length+1);return s[0]=2,s.set(e,1),s}}(Number.MAX_SAFE_INTEGER),At=16777216,Ct=new TextEncoder,Bt=new TextDecoder("utf-8",{fatal:!0,ignoreBOM:!0}),Mt=class{remote;local;abilities;#t;#e;#s;#i;#r;#n;#o;#h;constructor(t,e,s){this.remote=e,this.local="",this.#e=new T,this.#s=0,this.#i="open",this.#t=t;let i=()=>this.#n;this.abilities={framing:xt,...s&&{subprotocol:s},get ended(){return i()}},t.binaryType="arraybuffer",t.addEventListener("message",({data:t})=>this.#c(t)),t.addEventListener("close",({code:t,reason:e})=>this.#p(t,e)),t.addEventListener("error",t=>{let{message:e=""}=t;this.#g(new gt.ConnectionReset(e||"the WebSocket failed"))})}read(){let t=this.#e.popFront();return void 0!==t?(this.#s-=t.length+64,Promise.resolve(t)):"ended"===this.#i?Promise.resolve(void 0):"open"!==this.#i?Promise.reject(this.#r):(this.#o=Promise.withResolvers(),this.#o.promise)}async write(t){this.#d();let e=t.subarray(1);if(2===t[0]){let{code:t,reason:s}=function(t){if(0===t.length)return{};if(1===t.length)throw new n("Cannot receive Close frame: it has one byte, half of a code");let e=t[0]<<8|t[1];if(!bt(e))throw new n(\`Cannot receive Close frame: code \${e} may not be sent\`);try{let s=yt.decode(t.subarray(2));return""===s?{code:e}:{code:e,reason:s}}catch(t){throw new h("Cannot receive Close frame: its reason is not UTF-8",{cause:t})}}(e);this.#f(t,s)}else this.#t.send(1===t[0]?function(t){try{return Bt.decode(t)}catch{return t.slice()}}(e):e.slice());return this.#l&&await this.#u(),t.length}closeWrite(){return Promise.resolve()}close(){"closed"!==this.#i&&(this.#w("closed",new gt.Interrupted("the connection was closed")),this.#e.clear(),this.#f())}#d(){if("failed"===this.#i||"closed"===this.#i)throw this.#r;if(this.#t.readyState===WebSocket.CLOSED&&"open"===this.#i)throw new gt.BrokenPipe("the WebSocket is closed")}get#l(){return this.#t.bufferedAmount>65536}#u(){let t=new p(()=>this.#a()),e=this.#h={...Promise.withResolvers(),timer:t,wait:1};return t.at(performance.now()+e.wait),e.promise}#a(){let t=this.#h;if(void 0!==t){if(this.#l&&"open"===this.#i)return t.wait=Math.min(2*t.wait,16),void t.timer.at(performance.now()+t.wait);this.#h=void 0,t.timer.clear(),"open"===this.#i||"ended"===this.#i?t.resolve():t.reject(this.#r)}}#f(t,e){if(!(this.#t.readyState>WebSocket.OPEN))try{this.#t.close(t,e)}catch{this.#t.close(3e3+t,e)}}#c(t){if("open"!==this.#i)return;let e="string"==typeof t?0===(s=Ct.encode(t)).length?dt:(at.has(s)||new at(s),s):new Uint8Array(t);var s;if(this.#s>At)return this.#f(1013,"what came was not read in time"),this.#g(new gt.Interrupted(\`more than \${At} bytes came and were not read; a WebSocket of the runtime cannot wait\`));let i=this.#o;this.#o=void 0,void 0!==i?i.resolve(e):(this.#e.pushBack(e),this.#s+=e.length+64),this.#a()}#p(t,e){if("open"===this.#i){if(1006===t||0===t)return this.#g(new gt.ConnectionReset(\`the WebSocket was lost (\${t})\`));this.#n=1005===t?{}:{code:t,...""!==e&&{reason:e}},this.#w("ended",void 0)}}#g(t){this.#w("failed",t)}#w(t,e){if("open"!==this.#i&&"closed"!==t)return;this.#i=t,this.#r=e;let s=this.#o;this.#o=void 0,"ended"===t?s?.resolve(void 0):s?.reject(e),this.#a()}},Rt={listen:()=>Promise.reject(new TypeError("Cannot listen in a page: it can only connect")),async connect({transport:t,hostname:e,port:s,path:i},r){!function({tls:t,proxy:e,source:s,web:i}){let r={tls:t,proxy:e,source:s,"web.headers":i?.headers};for(let[t,e]of Object.entries(r))if(void 0!==e)throw new TypeError(\`Cannot use \${t} in a page: its browser decides that\`)}(r);let{signal:n,web:{subprotocols:o=[]}={}}=r,h=mt(e,s),a=new WebSocket(\`\${t}://\${h}\${i}\`,[...o]);return await function(t,e){return new Promise((s,i)=>{let r=()=>{t.close(),i(e.reason)};e.addEventListener("abort",r,{once:!0});let n=t=>()=>{e.removeEventListener("abort",r),t()};t.onopen=n(s),t.onerror=n(()=>i(new Error("its WebSocket could not be opened; a page is not told why"))),e.aborted&&r()})}(a,n),new Mt(a,h,a.protocol)}},St="lengthwise-session";async function Pt(t,e,s,r=e.signal){let{connectTimeout:n=1e4,tls:o,proxy:h,source:a,token:d,web:l,through:c}=s;r?.throwIfAborted();let u=ft(t),f=new AbortController,m=y(n,()=>{let t=\`no answer within \${n} ms\`;f.abort(new i(\`Cannot connect to \${u}: \${t}\`))}),w=void 0===r?f.signal:AbortSignal.any([r,f.signal]);try{let s=await function(t,e){return new Promise((s,i)=>{let r=()=>{i(e.reason),t.then(t=>t.close(),()=>{})};e.addEventListener("abort",r,{once:!0}),t.then(s,i).finally(()=>e.removeEventListener("abort",r))})}(Promise.resolve(Rt).then(e=>e.connect(t,{signal:w,tls:o,proxy:h,source:a,web:l})),w),i=new lt(c?.(s)??s,e,u);return void 0!==d&&i.sendRaw(function(t){return t.replace(/^\\ufeff|[\\r\\n]+$/g,"")}(d)),i}catch(t){if(w.throwIfAborted(),E(t))throw t;let e=k(t);throw new i(\`Cannot connect to \${u}: \${e}\`,{cause:t})}finally{m.clear()}}new Uint8Array(16385);var Ut=[];function It(){let t=Ut;Ut=[];for(let e of t)e.scheduled&&e.flush()}function Ft(t={}){let{minDelay:e=500,maxDelay:s=3e4,maxAttempts:i=1/0,random:r=Math.random}=t;return w("minDelay",e,0),w("maxDelay",s,e),i!==1/0&&m("maxAttempts",i,1,Number.MAX_SAFE_INTEGER),({attempt:t})=>{if(!(t>=i))return Math.floor(r()*Math.min(s,e*2**(t-1)))}}var Lt=class{#t;#e;#s=0;#i=1/0;constructor(t,e=()=>performance.now()){this.#t=t,this.#e=e}get failures(){return this.#s}made(){this.#i=this.#e()}startAnew(){this.#s=0}failed(t){return this.#e()-this.#i>=5e3&&this.startAnew(),this.#i=1/0,this.#t({attempt:++this.#s,error:t})}};async function Ot(t,e){let s=new AbortController,i=function(t){let e=[[globalThis,"online"],[globalThis,"pageshow"]],{document:s}=globalThis,i=()=>"visible"===s.visibilityState&&t();void 0!==s&&e.push([s,"resume"]);let r=e.filter(([t])=>"addEventListener"in t);for(let[e,s]of r)e.addEventListener(s,t);return s?.addEventListener("visibilitychange",i),()=>{for(let[e,s]of r)e.removeEventListener(s,t);s?.removeEventListener("visibilitychange",i)}}(()=>s.abort());try{let i=void 0===e?[s.signal]:[e,s.signal];await function(t,{signal:e}={}){return new Promise((s,i)=>{if(e?.aborted)return i(e.reason);let r=()=>{clearTimeout(n),i(e.reason)},n=setTimeout(()=>{e?.removeEventListener("abort",r),s()},t);e?.addEventListener("abort",r,{once:!0})})}(t,{signal:AbortSignal.any(i)})}catch{}finally{i()}}function Dt(t){return Array.from(t,t=>t.toString(16).padStart(2,"0")).join("")}var Nt={VERSION:1,UNKNOWN:2,DENIED:3,FULL:4,CLOSING:5,TIMEOUT:6,MALFORMED:7,TYPE:8,UNEXPECTED:9,TOO_LARGE:10,GAP:11,ACKNOWLEDGED:12,CREDIT:13,ENDED:14,ABORTED:15,EXPIRED:16,STALE:17,TOKEN:18,UNAUTHORIZED:19,GONE:20},Wt=1280791376,jt="0".repeat(32),Gt=new TextEncoder,_t=new TextDecoder("utf-8",{fatal:!0,ignoreBOM:!0});function Xt(t){let e=t.getUint8(9),s=t.getUint32(10),i=zt(t,14);if(e>1)throw Jt(\`its flags are \${e}\`);if(0===e&&0!==s)throw Jt(\`it has code \${s} and says that it has none\`);return{...1===e?{code:s}:{},...""===i?{}:{reason:i}}}function Ht(t,e){let s=new Uint8Array(e);return s[0]=t,new DataView(s.buffer)}function Kt(t){return new Uint8Array(t.buffer,t.byteOffset,t.byteLength)}function Vt(t){let e=new Uint8Array(Math.min(1e3,3*t.length));return e.subarray(0,Gt.encodeInto(t,e).written)}function zt(t,e){let s=Kt(t).subarray(e);if(s.length>1e3)throw Jt(\`its text has \${s.length} bytes\`);try{return _t.decode(s)}catch{throw Jt("its text is not UTF-8")}}function Qt(t,e,s){t.setUint32(e,Math.floor(s/2**32)),t.setUint32(e+4,s>>>0)}function Yt(t,e,s=0){if(t.byteLength<s)throw Jt(\`it has \${t.byteLength} bytes\`);return qt(t.getUint32(e)*2**32+t.getUint32(e+4))}function qt(t){if(t>Number.MAX_SAFE_INTEGER)throw Jt("a number in it is above 2^53 - 1");return t}function Zt(t,e){if(t.byteLength!==e)throw Jt(\`it has \${t.byteLength} bytes and not \${e}\`)}function Jt(t){return new u(\`Cannot receive session frame: \${t}\`,Nt.MALFORMED)}var te=class{deadline=1/0;#t;#e=!1;constructor(t){this.#t=t}stop(){this.#e=!1,this.deadline=1/0}received(t){this.deadline===1/0&&(this.deadline=t+25)}timeout(t){t<this.deadline||(this.deadline=1/0,this.#e=!0)}next(t){if(this.#t.isNews&&(t||this.#e||this.#t.isMuchNews))return this.told(),function(t,e){let s=Ht(5,17);return Qt(s,1,t),Qt(s,9,e),Kt(s)}(this.#t.received,this.#t.limit)}told(){this.#t.tell(),this.stop()}},ee=class{reason;start(){}stop(){}tell(){throw new TypeError("Cannot drain session: only a server can")}told(t){this.reason=t}next(){}},se=class{deadline=1/0;#t;#e=!1;constructor(t){this.#t=t}start(t){this.deadline=t,this.#e=!1}stop(){this.deadline=1/0}isOver(t){return!(t<this.deadline||!(t-this.deadline<=1e3||this.#e)&&(this.#e=!0,this.deadline=t+this.#t,1))}};function ie(t){return new s(\`Cannot use carrier: \${t}\`)}function re(t){return new e(\`Cannot use carrier: another one, of \${t}, replaced it\`)}function ne(t){return new u(\`Cannot receive session frame: \${t}\`,Nt.UNEXPECTED)}var oe=class{isDue=!1;deadline=1/0;resumes=0;retentionTime;options;in;id;attempt=0;constructor(t,e,s){this.options=t,this.in=e,this.id=s,this.retentionTime=t.retentionTime}get patience(){return this.retentionTime}check(t){}start(t){this.isDue=!0,this.deadline=t+this.options.helloTimeout}stop(){this.isDue=!1,this.deadline=1/0}next(){this.isDue=!1;let{received:t,limit:e}=this.in,{retentionTime:s}=this.options;return function(t){let e=Ht(1,46);return e.setUint32(1,Wt),e.setUint8(5,1),Kt(e).set(function(t){if(!/^(?:[0-9a-f]{2})*$/i.test(t))throw new SyntaxError(\`Cannot read "\${t}": it is not hex\`);return Uint8Array.from(t.match(/../g)??[],t=>Number.parseInt(t,16))}(t.id??jt),6),Qt(e,22,t.received),Qt(e,30,t.limit),e.setUint32(38,t.retentionTime),e.setUint32(42,t.attempt),Kt(e)}({id:this.id,received:t,limit:e,retentionTime:s,attempt:++this.attempt})}farewell(){}agree(t){let e=2===t.type&&t.isResumed;if(e!==(void 0!==this.id)||t.id!==(this.id??t.id))throw ne("it is of another session");this.id=t.id,this.agreed(t,e)}agreed(t,e){this.deadline=1/0,e&&this.resumes++,this.retentionTime=Math.min(this.options.retentionTime,t.retentionTime)}confirm(){}isLate(t){return!(t<this.deadline||(this.deadline=1/0,0))}},he=class{roundTripTime;times;wantsPing=!1;deadline=1/0;#t;#e;#s="stopped";#i=0;#r=0;#n;constructor(t,e){this.#t=t,this.#e=e}start(t){this.received(t),this.wantsPing=!0,this.#n=void 0}stop(){this.#s="stopped",this.deadline=1/0,this.wantsPing=!1}received(t){this.#s="listening",this.#i=0,this.deadline=t+this.#t}ping(t){return this.wantsPing=!1,this.#n=t,this.#r=(this.#r+1)%2**32,this.#r}pong(t,e){if(t!==this.#r||void 0===this.#n)return;let s=e-this.#n;this.#n=void 0,this.times?.add(s),this.roundTripTime=void 0===this.roundTripTime?s:this.roundTripTime+.125*(s-this.roundTripTime)}isLost(t){return!(t<this.deadline||("asking"!==this.#s||t-this.deadline>.05*this.#e&&3!==this.#i++)&&(this.#s="asking",this.wantsPing=!0,this.deadline=t+this.#e,1))}},ae=8192,de=class{received=0;ended;#t;#e=0;#s=0;#i=0;#r=new T;#n;#o;#h=!1;constructor(t){this.#t=t}get isOver(){return void 0!==this.ended&&this.#r.isEmpty()}get limit(){return this.#e+this.#t}get isAcknowledged(){return this.received===this.#i}get isNews(){return!this.isAcknowledged||this.limit>this.#s}get isMuchNews(){let t=this.#t/4;return this.received-this.#i>=t||this.limit-this.#s>=t||void 0!==this.ended&&this.received>this.#i}tell(){this.#i=this.received,this.#s=this.limit}data(t,e){if(0===e.length)throw new u("Cannot receive session frame: it has no bytes of the stream",Nt.MALFORMED);this.#u(t);let s=t+e.length;if(void 0!==this.ended&&s>this.received-1)throw new u(\`Cannot receive byte \${s} of session: it ended after \${this.received-1}\`,Nt.ENDED);if(s>this.#s)throw new u(\`Cannot receive byte \${s} of session: limit is \${this.#s}\`,Nt.CREDIT);s<=this.received||(this.#a(t===this.received?e:e.subarray(this.received-t)),this.received=s)}end(t,e){if(this.#u(t),void 0===this.ended&&t===this.received)this.ended=e,this.received++;else if(void 0===this.ended||t!==this.received-1)throw new u(\`Cannot end session at byte \${t}: it went on to \${this.received}\`,Nt.ENDED)}takeKept(){let t=this.#h;return this.#h=!1,t}take(t){let e=this.#d()??this.#l(t);return void 0!==e?this.#e+=e.length:void 0!==t&&(this.#o={target:t,used:0}),e}#d(){let t=this.#o;if(void 0!==t&&0!==t.used)return this.#o=void 0,t.target.subarray(0,t.used)}#l(t){let e=this.#r.popFront();if(this.#r.isEmpty()&&(this.#n=void 0),void 0===e||void 0===t)return e;let s=e.subarray(t.length);s.length>0&&this.#r.pushFront(s);let i=e.length-s.length;return t.set(e.subarray(0,i)),t.subarray(0,i)}#u(t){if(t>this.received)throw new u(\`Cannot receive byte \${t} of session: \${this.received} were received before\`,Nt.GAP)}#a(t){let e=this.#f(t);if(0===e.length)return;if(this.#r.isEmpty()||e.length>=ae){let t=e.length<ae;return this.#h||=t,this.#n=void 0,void this.#r.pushBack(t?e:(s=e,s.slice()))}var s;let i=this.#r.peekBack(),r=void 0===this.#n?0:this.#n.length-i.length;if(void 0!==this.#n&&r>=e.length)return this.#n.set(e,i.length),this.#r.popBack(),void this.#r.pushBack(this.#n.subarray(0,i.length+e.length));this.#n=new Uint8Array(2*ae),this.#n.set(e),this.#r.pushBack(this.#n.subarray(0,e.length))}#f(t){let e=this.#o;if(void 0===e||!this.#r.isEmpty())return t;let s=t.subarray(0,e.target.length-e.used);return e.target.set(s,e.used),e.used+=s.length,t.subarray(s.length)}},le=class{link="detached";carrierState="keep";outcome;lastWord;isElsewhere=!1;attach(t){this.link="greeting",this.isElsewhere=t}greeted(){this.link="attached"}detach(){this.link="detached",this.carrierState="keep"}drop(t){this.carrierState={error:t}}closeCarrier(){this.carrierState="close"}close(t){void 0===this.outcome&&(this.outcome={kind:"closed"},this.lastWord=t,"greeting"===this.link&&this.drop(ie("the session is over")))}lose(t,e,s){void 0===this.outcome&&(this.outcome={kind:"lost",state:t,code:e,cause:s},"detached"!==this.link&&this.drop(ie("the session is over")))}abort(t,e,s){void 0===this.outcome&&(this.lastWord=function(t,e){return function(t,e,s){let i=Vt(s),r=Ht(9,3+i.length);return r.setUint16(1,e),Kt(r).set(i,3),Kt(r)}(0,t,e)}(t,e),this.lose(e,t,s),"attached"===this.link&&this.closeCarrier())}wasReset(t,e){this.lose(\`the peer ended it: \${e}\`,t),this.closeCarrier()}nextReset(){if("attached"!==this.link||"lost"!==this.outcome?.kind)return;let t=this.lastWord;return this.lastWord=void 0,t}},ce=class{#t=[0];get first(){return this.#t[0]}add(t){let e=this.#t.length-1;e>0&&t-this.#t[e-1]<16384?this.#t[e]=t:this.#t.push(t)}pass(t){let e=0;for(;e+1<this.#t.length&&this.#t[e+1]<=t;)e++;e>0&&this.#t.splice(0,e)}after(t){return this.#t.find(e=>e>=t)??1/0}},ue=65512,fe=class{written=0;acked=0;sent=0;end;waitsForAck=!1;kept=[];cursor=0;#t;#e=0;#s=0;#i=new ce;constructor(t){this.#t=t}get total(){return void 0===this.end?1/0:this.written+1}get isHalfFull(){return this.unacknowledgedBytes>=this.#t/2}get unacknowledgedBytes(){return this.written-Math.min(this.acked,this.written)}write(t,e,s){let i=this.written-Math.min(this.sent,this.written),r=Math.min(this.#t-this.unacknowledgedBytes,s?1/0:131072-i);if(r<Math.min(t.length,ue,Math.ceil(this.#t/2)))return 0;let n=Math.min(r,t.length);this.keep(t,n,e),e&&n===t.length&&this.#i.add(this.written);let o=this.kept.at(0);return void 0!==o&&this.written-this.#t>=o.base+o.used&&this.#o(),n}next(t){if(this.waitsForAck=!1,this.sent>=this.written)return this.#r();let e=this.wanted(t),s=Math.min(e,this.#s-this.sent);if(s<=0)return;if(s<Math.min(e,16384)&&this.sent>this.acked)return void(this.waitsForAck=this.sent-this.acked<(this.#s-this.acked)/3);let i=this.frame(s);return function(t,e){let s=Math.floor(e/4294967296);t[0]=4,t[1]=s>>>24,t[2]=s>>>16,t[3]=s>>>8,t[4]=s,t[5]=e>>>24,t[6]=e>>>16,t[7]=e>>>8,t[8]=e}(i,this.sent),this.sent+=s,this.#e=Math.max(this.#e,this.sent),i}#r(){if(!(void 0===this.end||this.sent>this.written))return this.sent=this.#e=this.total,function(t,e){let s=Vt(e.reason??""),i=Ht(8,14+s.length);return Qt(i,1,t),i.setUint8(9,void 0===e.code?0:1),i.setUint32(10,e.code??0),Kt(i).set(s,14),Kt(i)}(this.written,this.end)}acknowledge(t,e){if(this.#s=Math.max(this.#s,e),t>this.#e)throw this.#n(t);t<=this.acked||(this.acked=t,this.#o())}checkResume(t){if(t<this.acked||t>this.#e)throw this.#n(t)}#n(t){return new u(\`Cannot go on with session at byte \${t}: \${this.acked} were acknowledged, \${this.#e} were sent\`,Nt.ACKNOWLEDGED)}resume(t,e){this.checkResume(t),this.acknowledge(t,e),this.sent=t,this.cursor=0}#o(){this.#i.pass(this.acked);let t=Math.max(this.#i.first,this.written-this.#t);for(let e;void 0!==(e=this.kept[0])&&!(e.base+e.used>t);this.kept.shift())this.blocks?.recycle(e.memory),this.cursor=Math.max(0,this.cursor-1)}takeUnacknowledged(t,e){let{written:s}=this,i=this.kept.splice(0);i.push({memory:e,base:s,used:e.length});let r=this.#i.after(i[0].base),n=t.withLimit(Number.MAX_SAFE_INTEGER).decoder(),o=[];for(let{memory:t,base:e,used:s}of i)n.decode(t.slice(Math.max(0,r-e),s),o);let h=r;return o.filter(e=>(h+=t.frameBytes(e))>this.acked)}},me=class extends fe{blocks;keep(t,e){this.kept.push({memory:t.subarray(0,e),base:this.written,used:e}),this.written+=e}wanted(t){let e=Math.min(ue,this.written-this.sent);return t&&e<ue?0:e}frame(t){let e=new Uint8Array(9+t);for(let s=0;s<t;){let{memory:i,base:r}=this.kept[this.cursor],n=this.sent-r+s,o=i.subarray(n,n+t-s);e.set(o,9+s),s+=o.length,s<t&&this.cursor++}return e}hold(){return!1}},we=class{#t;#e;#s=!1;#i=-1;constructor(t){this.#t=t}get isAsked(){return void 0!==this.#e}stop(){this.#e=void 0,this.#s=!1,this.#i=-1}asked(t){this.#e=t}askForAck(){this.#s=!0}next(t){if(void 0!==this.#e){let t=this.#e;return this.#e=void 0,function(t){let e=Ht(7,5);return e.setUint32(1,t),Kt(e)}(t)}return this.#t.wantsPing?this.#r(t):void 0}nextAfterBytes({sent:t,written:e,waitsForAck:s},i){if((s||this.#s&&!(t<e))&&(t>=e&&(this.#s=!1),this.#i!==t))return this.#i=t,this.#r(i)}#r(t){return function(t){let e=Ht(6,5);return e.setUint32(1,t),Kt(e)}(this.#t.ping(t()))}},ge=class{in;out;heartbeat;#t;#e;#s;#i;#r;#n;#o=new le;#h=1/0;constructor(t,e,s){this.#t=e,this.out=new me(e.maxUnacknowledgedBytes),this.in=new de(e.window);let i=oe;this.#e=new i(e,this.in,s),this.#s=new te(this.in),this.heartbeat=new he(e.heartbeatInterval,e.heartbeatTimeout),this.#i=new we(this.heartbeat),this.#r=new ee(t),this.#n=new se(e.helloTimeout)}get isAttached(){return"attached"===this.#o.link}get carrierState(){return this.#o.carrierState}get outcome(){return this.#o.outcome}get lastWord(){return this.#o.lastWord}get drainReason(){return this.#r.reason}get resumes(){return this.#e.resumes}get retentionTime(){return this.#e.retentionTime}get isComplete(){return this.out.acked===this.out.total&&void 0!==this.in.ended}get progress(){return this.out.acked+this.in.received}get peerEnd(){return this.in.isOver?this.in.ended:void 0}get deadline(){if(void 0!==this.outcome)return 1/0;let t=Math.min(this.#n.deadline,this.heartbeat.deadline),{deadline:e}=this.#s;return Math.min(this.#e.deadline,this.#h,e,t)}attach(t,e,s=!1){void 0!==e&&(this.#e.check(e),this.out.checkResume(e.received)),this.detach(t),this.#o.attach(s),this.#e.start(t),void 0!==e&&this.#d(e,t)}detach(t,e=!1){let s=this.isAttached;this.#o.detach(),this.#e.stop(),this.#s.stop(),this.#i.stop(),this.heartbeat.stop(),this.#r.stop(),s&&void 0===this.outcome&&(e&&this.isComplete&&this.in.isAcknowledged?this.#o.close():this.#n.start(t+this.#e.patience))}receive(t,e){let{link:s,outcome:i,carrierState:r}=this.#o;if("detached"!==s&&void 0===i&&"object"!=typeof r){this.heartbeat.received(e);try{let i=function(t){if(t.length>65536)throw new u(\`Cannot receive session frame of \${t.length} bytes: limit is 65536 bytes\`,Nt.TOO_LARGE);if(0===t.length)throw Jt("it is empty");if(4===t[0])return function(t){if(t.length<10)throw Jt(\`it has \${t.length} bytes\`);return{type:4,offset:qt(((t[1]<<24|t[2]<<16|t[3]<<8|t[4])>>>0)*2**32+((t[5]<<24|t[6]<<16|t[7]<<8|t[8])>>>0)),bytes:t.subarray(9)}}(t);let e=new DataView(t.buffer,t.byteOffset,t.length),s=t[0];switch(s){case 5:return Zt(e,17),{type:s,received:Yt(e,1),limit:Yt(e,9)};case 6:case 7:return Zt(e,5),{type:s,token:e.getUint32(1)};case 8:return{type:s,offset:Yt(e,1,14),info:Xt(e)};case 1:return function(t){if(t.byteLength<6||t.getUint32(1)!==Wt)throw Jt("it is no HELLO");let e=t.getUint8(5);if(1!==e)throw new u(\`Cannot use version \${e} of the session protocol: version 1 is spoken here\`,Nt.VERSION);Zt(t,46);let s=Dt(Kt(t).subarray(6,22));return{type:1,id:s===jt?void 0:s,received:Yt(t,22),limit:Yt(t,30),retentionTime:t.getUint32(38),attempt:t.getUint32(42)}}(e);case 2:return function(t){Zt(t,39);let[e,s]=[t.getUint8(1),t.getUint8(2)];if(1!==e)throw new u(\`Cannot use version \${e} of the session protocol: version 1 is spoken here\`,Nt.VERSION);if(s>1)throw Jt(\`its flags are \${s}\`);return{type:2,isResumed:1===s,id:Dt(Kt(t).subarray(3,19)),received:Yt(t,19),limit:Yt(t,27),retentionTime:t.getUint32(35)}}(e);case 3:case 9:if(t.length<3)throw Jt(\`it has \${t.length} bytes\`);return{type:s,code:e.getUint16(1),text:zt(e,3)};case 10:return{type:s,text:zt(e,1)};default:throw new u(\`Cannot receive session frame of type \${s}: version 1 has none such\`,Nt.TYPE)}}(t);"greeting"===s?this.#l(i,e):this.#a(i,e)}catch(e){if(!(e instanceof u))throw e;"greeting"===s?this.#o.drop(function({code:t,message:e},s){let i=function(t){let e=(new TextDecoder).decode(t.subarray(0,200)).trim();return""===e||/[\\p{C}\\ufffd]/u.test(e)?"":\` "\${e}"\`}(s),r=""===i?e.replace(/^Cannot receive session frame: /,""):\`its first message is\${i}\`;return new u(\`Cannot use carrier: the server does not speak of sessions, \${r}\`,t)}(e,t)):this.#c(e)}}}write(t,e){let s=this.out.write(t,e,!this.isAttached);return 0===s&&this.out.isHalfFull&&this.askForAck(),s}end(t){this.out.end??=t}take(t){return this.in.take(t)}askForAck(){this.#i.askForAck()}drain(t){this.#r.tell(t)}abort(t,e,s){this.#o.abort(t,e,s)}lose(t,e){this.#o.lose(t,Nt.EXPIRED,e)}timeout(t){if(void 0===this.outcome){if(this.#s.timeout(t),this.#e.isLate(t)){let{helloTimeout:t}=this.#t;this.#o.drop(ie(\`no WELCOME came within \${t} ms\`))}if(this.heartbeat.isLost(t)){this.heartbeat.stop();let{heartbeatInterval:t,heartbeatTimeout:e}=this.#t,s=t+e;this.#o.drop(ie(\`the peer was silent for \${s} ms\`))}t>=this.#h?this.#g():this.#n.isOver(t)&&this.#p()}}poll(t,e=!1){let{link:s,outcome:i}=this.#o;if("detached"!==s){if(void 0!==i)return this.#o.nextReset();if(this.#e.isDue)return this.#s.told(),this.#e.next();if("greeting"!==s)return this.#s.next(this.#i.isAsked)??this.#i.next(t)??this.#r.next()??this.out.next(e)??this.#i.nextAfterBytes(this.out,t)}}#d(t,e){this.#e.agree(t),this.#o.greeted(),this.#n.stop(),this.heartbeat.start(e),this.#r.start();try{this.out.resume(t.received,t.limit)}catch(t){this.#c(t)}this.#f(e)}#l(t,e){switch(t.type){case 2:return this.#d(t,e);case 3:return this.#u(t.code,t.text);case 9:return this.#o.wasReset(t.code,t.text);default:throw ne("no WELCOME came before it")}}#u(t,e){let s=function(t,e,s){return new l(\`Cannot open session: the server refused it: \${e}\`,t,s?t!==Nt.GONE:function(t){return t===Nt.FULL||t===Nt.CLOSING||t===Nt.TIMEOUT||t===Nt.STALE}(t))}(t,e,this.#o.isElsewhere);this.isComplete?this.#o.close():s.isRetriable||this.#o.lose(\`the server refused it: \${e}\`,t,s),this.#o.drop(s)}#a(t,e){switch(this.#e.confirm(),t.type){case 4:return this.in.data(t.offset,t.bytes),this.#s.received(e);case 5:this.out.acknowledge(t.received,t.limit);break;case 6:return this.#i.asked(t.token);case 7:return this.heartbeat.pong(t.token,e);case 8:this.in.end(t.offset,t.info);break;case 9:return this.#o.wasReset(t.code,t.text);case 10:return this.#r.told(t.text);default:throw ne("the greeting is over")}this.#f(e)}#f(t){!this.isComplete||void 0!==this.outcome||(this.#h=Math.min(this.#h,t+5e3),this.#o.closeCarrier())}#c(t){this.#o.abort(t.code,t.message,t)}#p(){if(void 0!==this.in.ended&&this.out.acked===this.out.written)this.#g();else{let t=\`the peer stayed away for \${this.retentionTime} ms\`;this.#o.lose(t,Nt.EXPIRED)}}#g(){this.#o.close(this.#e.farewell())}};function pe(t,{writeTimeout:e,frameTimeout:s,closeTimeout:i}){return J({writeTimeout:e,frameTimeout:s,closeTimeout:i,maxMessageBytes:65536,highWaterMark:65521})}var ve=()=>performance.now(),ye=class{remote="";peer;user;sendsOnlyFull=!1;#t;#e;#s;#i;#r=0;#n;#o;#h;constructor(t,e){this.#t=t,this.#e=e,this.#s=new p(s=>{t.timeout(s),e.settle()})}get isIdle(){return 0===this.#r}attach(t,e,s=!1){this.#t.attach(performance.now(),e,s);let{remote:i}=t;this.#n?.reject(re(i));let r=this.#i,n=this.#n=R();return this.#i=t,this.#r++,this.remote=i,this.peer??=t.peer,this.user=t.user,r?.abort(re(i)),this.#d(t),this.#e.settle(),n.promise}async#d(t){try{for await(let e of t.rawBatches()){if(t!==this.#i)break;let s=performance.now();for(let t=0;t<e.length;t++)this.#t.receive(e.at(t),s);this.#e.settle(),this.#t.in.takeKept()||e.recycle()}}catch{}let{clean:e,error:s}=await t.close();this.#r--,t===this.#i&&this.#l(e,s),this.#e.closed()}#l(t,e){let{carrierState:i,isAttached:r}=this.#t,n="object"==typeof i?i.error:e??new s(\`Cannot go on with \${this.remote}: it closed the carrier\`);this.#i=void 0,this.#t.detach(performance.now(),t),this.#u(n),this.#e.settle(),r&&this.#e.detached(n)}settleGreeting(){let{isAttached:t,outcome:e}=this.#t;return!(void 0===this.#n||!t||"lost"===e?.kind||(this.#n.resolve(),this.#n=void 0,0))}#u(t){this.#n?.reject(t),this.#n=void 0}work(){let{carrierState:t}=this.#t;"object"==typeof t&&this.#i?.abort(t.error),this.pump(),this.#s.at(this.#t.deadline)}async pump(){let t=this.#i;if(void 0!==t&&t!==this.#o){this.#o=t;try{for(;;){let e=this.#t.poll(ve,this.sendsOnlyFull);if(void 0===e)break;let s=this.#a(t,e);if(this.#e.retryWrite(),await s,t!==this.#i)return}t.flush()}catch(e){t.abort(e)}finally{this.#o===t&&(this.#o=void 0)}"close"===this.#t.carrierState&&t.close(),this.#s.at(this.#t.deadline)}}#a(t,e){let{out:s}=this.#t;return s.hold(e)?t.sendInPlace(e,s.blocks):t.sendRaw(e)}end(t){let{outcome:e}=this.#t,s=this.#i,i="lost"===e?.kind;this.#u(i&&e.cause||t),i&&void 0!==s&&(this.#h=setTimeout(()=>s.abort(t),1e3))}stop(){this.#s.clear(),clearTimeout(this.#h)}},be="the session was aborted";var ke=class{#t={state:"connected"};#e=1;#s;get current(){return this.#t}get isFinal(){return"closed"===this.#t.state||"lost"===this.#t.state}show(t){this.isFinal||(this.#t=t,this.#e++,this.#s?.resolve(),this.#s=void 0)}async*watch(){for(let t=0;!this.isFinal||t<this.#e;)t===this.#e&&await(this.#s??=Promise.withResolvers()).promise,t=this.#e,yield this.#t}},Ee=class{#t;#e;#s;#i=[];get hasFlushers(){return this.#i.length>0}get hasWriter(){return void 0!==this.#e}get unwritten(){return this.#e?.chunk}read(){return this.#t=Promise.withResolvers(),this.#t.promise}deliver(t,e){let s=this.#t;if(void 0===s)return;let i=t();void 0===i&&!e()||(this.#t=void 0,s.resolve(i))}write(t,e){let s=R();return this.#e={chunk:t,endsMessage:e,taken:s},s.promise}retryWrite(t){let e=this.#e;if(void 0===e)return;this.#e=void 0;let s=t(e.chunk,e.endsMessage);s>0?e.taken.resolve(s):this.#e=e}end(){return this.#s??=R(),this.#s.promise}ended(){this.#s?.resolve()}acknowledged(t){let e=R();return this.#i.push({target:t,reached:e}),e.promise}received(t){0!==this.#i.length&&(this.#i=this.#i.filter(({target:e,reached:s})=>t<e()||(s.resolve(),!1)))}rejectAll(t){this.#t?.reject(t),this.#e?.taken.reject(t),this.#s?.reject(t);for(let{reached:e}of this.#i)e.reject(t);this.#t=this.#e=void 0,this.#i=[]}},Te=new Uint8Array(0),$e=class{local="";finished;board=new ke;abilities;onDetach;onOver;#t;#e;#s;#i;#r=new Ee;#n=(t,e)=>this.#u(t,e);#o="open";#h;constructor(t){this.#t=t;let e=this.#e=new ye(t,{settle:()=>this.#a(),retryWrite:()=>this.#r.retryWrite(this.#n),detached:t=>this.#d(t),closed:()=>this.#g()});this.abilities={blocks:t.out.blocks,chunks:void 0,get peer(){return e.peer},get ended(){return t.peerEnd}};let{promise:s,resolve:i}=Promise.withResolvers();this.finished=s,this.#s=i}get remote(){return this.#e.remote}get user(){return this.#e.user}get retentionTime(){return this.#t.retentionTime}get roundTripTime(){return this.#t.heartbeat.roundTripTime}measureRoundTrips(t){this.#t.heartbeat.times=t}get unacknowledgedBytes(){return this.#t.out.unacknowledgedBytes}get resumes(){return this.#t.resumes}get isOver(){return"open"!==this.#o}get isAttached(){return this.#t.isAttached}get loss(){return this.#h instanceof c?this.#h:void 0}get progress(){return this.#t.progress}get lastWord(){return this.#t.lastWord}useFraming(t){this.#i=t}attach(t,e,s){return this.#e.attach(t,e,s)}#d(t){"open"===this.#o&&(this.board.show({state:"reconnecting",error:t}),this.onDetach?.(t))}read(t){let e=this.#l(t?.(65536));return void 0!==e?Promise.resolve(e):void 0!==this.#t.peerEnd?Promise.resolve(void 0):"open"!==this.#o?Promise.reject(this.#h):this.#r.read()}#l(t){let e=this.#t.take(t);return void 0!==e&&this.#t.isAttached&&this.#e.pump(),e}write(t,e=!1){if("open"!==this.#o)return S(this.#h);let s=this.#u(t,e);return s>0||0===t.length?Promise.resolve(s):this.#r.write(t,e)}#u(t,e){let s=this.#t.write(t,e);return this.#r.hasFlushers&&this.#t.askForAck(),s>=16384&&!this.scheduled&&(this.#e.sendsOnlyFull=!0,1===Ut.push(this)&&I(It)),this.#e.pump(),s}get scheduled(){return this.#e.sendsOnlyFull}flush(){this.#e.sendsOnlyFull=!1,this.#e.pump()}acknowledged(t){if(this.#t.out.acked>=t())return Promise.resolve();if("open"!==this.#o)return S(this.#h);let e=this.#r.acknowledged(t);return this.#t.askForAck(),this.#e.pump(),e}closeWrite(t={}){return"open"!==this.#o?S(this.#h):(this.#t.end(t),this.#e.pump(),this.#r.end())}drain(t){"open"===this.#o&&(this.#t.drain(t),this.#e.pump(),this.#f())}lose(t,e){this.#t.lose(t,e),this.#a()}close(t){let s=this.#t;if(void 0!==t||!s.isComplete){let e=t instanceof n?t.message:be;s.abort(Nt.ABORTED,e,t)}this.#a();let i=t??new e("Cannot use session: it is closed");this.#h??=i,this.#r.rejectAll(i)}#a(){let t=this.#t;this.#e.settleGreeting()&&this.#f(),void 0!==t.drainReason&&"connected"===this.board.current.state&&this.#f(),this.#r.deliver(()=>t.take(),()=>void 0!==t.peerEnd),this.#r.retryWrite(this.#n),this.#r.received(t.out.acked),t.out.acked===t.out.total&&this.#r.ended(),void 0!==t.outcome&&"open"===this.#o&&this.#c(t.outcome),this.#e.work()}#f(){let{drainReason:t,isAttached:e}=this.#t;e&&(void 0===t?this.board.show({state:"connected"}):this.board.show({state:"draining",reason:t}))}#c(t){if(this.#o="over","closed"===t.kind){this.#r.ended();let t=this.#t.peerEnd?.reason;this.board.show({state:"closed",...void 0===t?{}:{reason:t}}),this.#h??=new e("Cannot use session: it is closed")}else{let{code:e}=t,s=this.#h??=this.#p(t),i=e===Nt.ABORTED&&void 0!==t.cause;this.board.show({state:i?"closed":"lost",error:s})}this.#r.rejectAll(this.#h),this.#e.end(this.#h),this.onOver?.(),this.#g()}#p(t){let e=this.#r.unwritten??Te,i=void 0===this.#i?[]:this.#t.out.takeUnacknowledged(this.#i,e);return function(t,e,i){let{code:r,cause:n}=t,o=\`Cannot go on with session to \${e}: \${function({state:t,cause:e}){return e instanceof u?\`the peer broke the protocol: \${k(e)}\`:e instanceof s&&t===be?k(e):t}(t)}\`;return new c(o,i,{cause:n,code:r})}(t,this.remote,i)}#g(){"over"!==this.#o||!this.#e.isIdle||(this.#o="finished",this.#e.stop(),this.#s())}},xe=class{#t;#e;#s;#i=new AbortController;#r=0;#n;constructor(t,e,s){this.#t=t,this.#e=e,this.#s=new Lt(s),t.onDetach=t=>{this.#o(t)},t.onOver=()=>this.#i.abort()}async greet(){let t=await this.#e(this.#i.signal);if(this.#t.isOver)throw t.abort(),await t.closed,new s(\`Cannot go on with \${t.remote}: the session is over\`);try{let e=void 0!==this.#n&&t.endpoint!==this.#n;await this.#t.attach(t,void 0,e)}catch(e){throw t.abort(e),e}this.#n??=t.endpoint,this.#s.made(),this.#r=this.#t.progress}async#o(t){try{await this.#h(t)}catch(t){this.#t.lose(\`its retry policy failed: \${k(t)}\`,t)}}async#h(t){let e=this.#t;e.progress>this.#r&&this.#s.startAnew();for(let s=t;!e.isOver;){let t=this.#s.failed(s),i=this.#s.failures;if(void 0===t)return e.lose(\`gave up after \${i} failures\`,s);if(e.board.show({state:"reconnecting",attempt:i,error:s}),await Ot(t,this.#i.signal),e.isOver)return;try{return await this.greet()}catch(t){if(e.isOver)return;if(!Ae(t))return e.lose(k(t),t);s=t}}}};function Ae(t){return t instanceof l?t.isRetriable:!(E(t)||t instanceof i&&t.cause instanceof gt.NotCapable)}var Ce=2**40,Be={maxUnacknowledgedBytes:8388608,window:1048576},Me={retentionTime:12e4,heartbeatInterval:25e3,heartbeatTimeout:2e4,helloTimeout:1e4};function Re(t={}){return{...z(Be,t,(t,e)=>{m(t,e,1,Ce)}),...z(Me,t,(t,e)=>w(t,e)),retry:t.retry??Ft()}}var Se=class extends lt{#t;#e;constructor(t,e={},s=""){let i=function(t,e){let{framing:s,format:i,limits:r,signal:n,lossIsEnd:o}=t,h=Math.min(r.writeTimeout+e,2147483647),a=Math.min(r.frameTimeout+e,2147483647),d={...r,writeTimeout:h,frameTimeout:a};return new Z(s,i,d,n,o)}(J(e),t.retentionTime),{framing:r}=i;if(void 0!==r.after)throw new TypeError(\`Cannot use framing \${r.name} for a session: it changes\`);t.useFraming(r),super(t,i,s),this.#t=t,this.#e=this.#s(super.closed)}get user(){return this.#t.user}get closed(){return this.#e}whenClosed(t){this.#e.then(e=>t.connectionClosed(this,e))}measureRoundTrips(t){this.#t.measureRoundTrips(t)}async#s(t){let e=await t;await this.#t.finished;let i=e.undeliveredBytes+this.#t.unacknowledgedBytes,{code:r,reason:n}=this.#t.abilities.ended??{},{loss:o}=this.#t,h=void 0!==e.error&&!(e.error instanceof s);return{...void 0===r?{}:{code:r},...void 0===n?{}:{reason:n},...e,...void 0===o||h?{}:{error:o},clean:e.clean&&0===i&&void 0===o,undeliveredBytes:i}}get stats(){let{unacknowledgedBytes:t,resumes:e,roundTripTime:s}=this.#t;return{...super.stats,unacknowledgedBytes:t,resumes:e,roundTripTime:s}}get status(){return this.#t.board.current}states(){return this.#t.board.watch()}flush(){let t=this.#i;return this.#t.acknowledged(()=>Math.min(t,this.#i))}get#i(){let{bytesSent:t,bufferedBytes:e}=super.stats;return t+e}drain(t=""){this.#t.drain(t)}switchFraming(){throw new TypeError(\`Cannot switch framing of \${this.remote}: a session keeps its framing\`)}startTls(){return Promise.reject(new TypeError(\`Cannot start TLS with \${this.remote}: a session needs a tls: endpoint\`))}close(t={}){return void 0!==t.code&&m("code",t.code,0,2**32-1),super.close(t),this.closed}};function Pe(t){let e=function(t,e){let{connectTimeout:s=1e4}=e;w("connectTimeout",s);let i=function(t){let e=URL.canParse(t)?new URL(t):void 0,s=e?.protocol.slice(0,-1);if(void 0===e||"ws"!==s&&"wss"!==s||""!==e.username){let e=t.replace(/\\/\\/.*@/,"//…@");throw new TypeError(\`Cannot use endpoint "\${e}" in a page: it has WebSockets only, ws://HOST/PATH and wss://HOST/PATH\`)}let i={},r=e.search.replace(ut,(e,s,r)=>{if(!/^[01]$/.test(r))throw new TypeError(\`Cannot use endpoint "\${t}": \${s} "\${r}" must be 0 or 1\`);return i[s]="1"===r,""}).replace(/[?&]$/,"");return{transport:s,hostname:e.hostname.replace(/^\\[|\\]$/g,""),port:Number(e.port||ct[s]),path:e.pathname+r,...i}}(t),r=function(t,e,{framing:s}){if(void 0!==s){let t="string"==typeof s?s:s.name;throw new TypeError(\`Cannot use framing "\${t}" in a page: a WebSocket message is a message\`)}}(0,0,e),n=function(t,e,s,i){let{session:r}=i;if(e.session??!!r)return{options:Re("object"==typeof r?r:{}),carrier:pe(0,i)}}(0,i,0,e);return{wanted:i,settings:J({...e,framing:void 0===n?r:"u32be"}),session:n}}(t.endpoint,t.options);return{...t,...e,name:ft(e.wanted)}}function Ue(t){if(1===t.length)return t[0];let e=t.map(({message:t})=>t.replace(/^Cannot connect to /,""));return new i(\`Cannot connect to any of \${t.length} endpoints: \${e.join("; ")}\`,{cause:new AggregateError(t)})}function Ie(t,e){let s=[...t];for(let t=s.length-1;t>0;t--){let i=Math.floor(e()*(t+1));[s[t],s[i]]=[s[i],s[t]]}return s}function Fe(t,e,s){let{name:r,session:n}=t,o=function(t,e){let s;return async r=>{let n=s?.road===t&&0===s.carrier.stats.messagesReceived,o=void 0===s?[t]:n?[...e,t]:[t,...e];void 0!==s&&e.length>0&&e.push(e.shift());let h=[];for(let t of o)try{let{wanted:e,session:i,options:n}=t,o=await Pt(e,i.carrier,n,r);return s={road:t,carrier:o},o}catch(t){if(!(t instanceof i))throw t;h.push(t)}throw Ue(h)}}(t,[...e]);return async function(t){let{dial:e,name:s="",session:r}=t,n=J(t.settings??{}),o=await async function(t,e,s,r){r?.throwIfAborted();let n=new $e(new ge("client",e)),o=new xe(n,t,e.retry),h=()=>n.lose("it was given up");r?.addEventListener("abort",h,{once:!0});try{return await o.greet(),n}catch(t){throw n.lose("it was never opened",t),await n.finished,r?.throwIfAborted(),t instanceof i||!(t instanceof Error)||E(t)?t:new i(\`Cannot open session to \${s}: \${k(t)}\`,{cause:t})}finally{r?.removeEventListener("abort",h)}}(e,Re(r),s,n.signal);return new Se(o,n,s)}({dial:o,settings:s,name:r,session:n.options})}async function Le(t,e,s){let[i,...r]=[t,...e].map(t=>Pe({endpoint:t,options:s}));return await Fe(i,r,i.settings)}var Oe=class{isSession;#t;#e;#s;constructor(t,e=Math.random){if(0===t.length)throw new TypeError("Cannot connect: there are no endpoints");if(t.length>64)throw new RangeError(\`Cannot connect to \${t.length} endpoints: limit is 64\`);this.#t=t.map(Pe),this.#e=e;let[s,...i]=this.#t;this.isSession=void 0!==s.session;let r=i.find(({session:t})=>void 0!==t!==this.isSession);if(void 0!==r)throw new TypeError(\`Cannot use "\${s.endpoint}" together with "\${r.endpoint}": only one of them has sessions\`)}async connect({lossIsEnd:t=!1}={}){let e=[];for(let s of this.#i())try{let e=await this.#r(s,t);return this.#s=s,s.options.telemetry?.connected(e,"client"),e}catch(t){if(!(t instanceof i))throw t;e.push(t)}throw Ue(e)}#i(){let t=Ie(this.#t,this.#e),e=this.#s;return void 0===e?t:[...t.filter(t=>t!==e),e]}async#r(t,e){let{wanted:s,session:i,options:r}=t,n=e?t.settings.withLossAsEnd():t.settings;if(void 0===i)return await Pt(s,n,r);let o=Ie(this.#t.filter(e=>e!==t),this.#e);return await Fe(t,o,n)}};async function De(t,e={}){return await function(t,e){return new Oe(("string"==typeof t?[t]:t).map(t=>({endpoint:t,options:e})))}(t,e).connect()}
return { Attempts: Lt, SESSION_SUBPROTOCOL: St, SessionCode: Nt, backoff: Ft, connect: De, openAt: Le, textFormat: V };
})();

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
/** The same over a session, which takes its time to notice that its network is gone, and goes on. */
const SESSION_REPLY_TIMEOUT = 60_000;
/** Silence after which the server is asked whether it is still there. */
const IDLE_TIMEOUT = 30_000;
/** For taking the name and the room from before an outage again. */
const RESTORE_TIMEOUT = 5_000;
/** Messages of one person this close together are shown under one name. */
const SAME_BREATH = 5 * 60_000;

// losses.ts

/** With this code the server closes if it wants a token, or another one (RFC 6455, section 7.4.1). */
const WANTS_TOKEN = 1008;

const LOSS_WORDS = {
  [SessionCode.UNKNOWN]: "the server was started again, or did not wait any longer",
  [SessionCode.DENIED]: "it belongs to somebody else",
  [SessionCode.FULL]: "the server is full",
  [SessionCode.CLOSING]: "the server is closing",
  [SessionCode.TIMEOUT]: "the server did not answer in time",
  [SessionCode.EXPIRED]: "it was away for too long",
  [SessionCode.TOKEN]: "this token is wrong",
  [SessionCode.GONE]: "its server is gone",
};

/** Words of the library that stand before those of the server. */
const BEFORE = /^Cannot open session: the server refused it: /;

/** What an error of a session says; empty where it says nothing that would help a person. */
function lossWords(error) {
  const code = codeOf(error);
  if (code === SessionCode.UNAUTHORIZED) return error.message.replace(BEFORE, "");
  return code === undefined ? "" : LOSS_WORDS[code] ?? "the server ended it";
}

/** Whether the server wants a token, or another one. */
function wantsToken(error) {
  const code = codeOf(error);
  return code === SessionCode.TOKEN || code === SessionCode.UNAUTHORIZED;
}

/** Whether this is the loss of a session that was open. */
function isLoss(error) {
  return error instanceof Error && "unacknowledged" in error;
}

/** The number of a refusal, or of what a loss was caused by. */
function codeOf(error) {
  if (!(error instanceof Error)) return undefined;
  const { code } = error;
  return codeOf(error.cause) ?? (typeof code === "number" ? code : undefined);
}

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

/** A connection, one after another for as long as it makes sense. */
class Link {
  #state = { kind: "left", by: "reader" };
  #user;
  #token;
  /** Connections that failed, or did not hold, one after another. */
  #attempts = new Attempts(backoff());
  #wasOpen = false;

  /** How it stands. */
  get state() {
    return this.#state;
  }

  /** Whether the last attempt failed. */
  get failing() {
    return this.#attempts.failures > 0;
  }

  /** Whether there is a connection that outlives its network. */
  get isSession() {
    return this.#socket?.isSession === true;
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
    const socket = this.#user.open({
      opened: () => socket.send("/json"),
      took: (text) => {
        if (socket !== this.#socket) return;
        if (this.#state.kind === "open") this.#state.heardAt = Date.now();
        // At once: timers come late in a page that nobody looks at, and so does the rest of it.
        if (text.startsWith(PING_EVENT)) socket.send("/pong");
        else this.#user?.take(text);
      },
      interrupted: (reason, until) => {
        if (socket === this.#socket) this.#interrupt(socket, reason, until);
      },
      resumed: () => {
        if (socket === this.#socket && this.#state.kind === "interrupted") this.#resume(socket);
      },
      forgotten: (reason) => {
        if (socket === this.#socket && this.#state.kind !== "leaving") {
          this.#user?.forgotten(reason);
        }
      },
      ended: (code, reason) => {
        if (socket !== this.#socket) return;
        this.#user?.drain();
        if (code === WANTS_TOKEN && this.#state.kind === "connecting") this.#refuse(reason);
        else this.#lose(reason);
      },
    }, this.#token);
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
    if (this.#state.kind === "interrupted") return this.#state.socket.hurry();
    this.#attempts.startAnew();
    this.connect();
  }

  /** Called when there is hope: the network is back, or the reader is. */
  hurry() {
    if (this.#state.kind === "waiting") this.connect();
    else if (this.#state.kind === "open" && this.#state.pingedAt === undefined) this.#ping();
  }

  /** The page is left, perhaps for good: the server need not wait for it. */
  part() {
    if (this.#socket !== undefined) this.#lose("");
  }

  /** Sends a line; one that cannot be sent is lost. */
  send(text) {
    this.#socket?.send(text);
  }

  /** The server has let us in, or said again that we are in. */
  welcome() {
    const socket = this.#socket;
    if (socket === undefined || this.#state.kind === "interrupted") return;
    this.#wasOpen = true;
    this.#attempts.made();
    this.#become({ kind: "open", socket, heardAt: Date.now(), pingedAt: undefined });
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
    const { heardAt, pingedAt, socket: { isSession } } = state;
    // A session finds that out by itself, and goes on.
    if (
      !isSession && pingedAt !== undefined && heardAt < pingedAt && now - pingedAt > REPLY_TIMEOUT
    ) {
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

  #interrupt(socket, reason, until) {
    const state = this.#state;
    if (state.kind !== "open" && state.kind !== "interrupted") return;
    const since = state.kind === "open" ? Date.now() : state.since;
    this.#become({ kind: "interrupted", socket, since, until, reason });
  }

  #resume(socket) {
    this.#become({ kind: "open", socket, heardAt: Date.now(), pingedAt: undefined });
    this.#user?.resumed();
  }

  /** The socket is closed, or as good as that. */
  #lose(reason) {
    const state = this.#state;
    this.#letGo();
    // Who was sent away comes back by its own decision only.
    if (state.kind === "leaving") {
      this.#user?.startAnew();
      return this.#become({ kind: "left", by: state.by });
    }
    // A server that takes and drops connections is not tried without pause.
    const delay = this.#attempts.failed(reason) ?? 0;
    const held = state.kind === "open" || state.kind === "interrupted";
    if (held && this.#attempts.failures === 1) this.#user?.startAnew();
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
    this.#user?.startAnew();
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

/** Attempts to get one's name back: about two minutes, as long as servers wait for a session. */
const MAX_TRIES = 8;

class Restore {
  /** The name that the reader chose, in this window or another. */
  chosen = storage.get("name", "everywhere") || undefined;
  /**
   * What gives the name at once to whoever has it, also where the connection that was lost still has the
   * name. It is of this window alone: another one with the same name must not end this one's connection.
   */
  key = takeKey();
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

  /** The window is left, perhaps to be loaded again. Who has the key has the name, so it is kept no longer. */
  keepKey() {
    storage.set("key", this.key ?? "");
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
    this.key = undefined;
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

/** A copy of this window must not have it, which would take the name away from this one. */
function takeKey() {
  const key = storage.get("key") || undefined;
  if (key !== undefined) storage.set("key", "");
  return key;
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

  /** How many are on their way. */
  get onTheirWay() {
    return this.#items.filter(({ delivery }) => delivery.kind === "sent").length;
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

  /** Doubts what has been on its way for longer than \`timeout\`. */
  doubtLate(now, timeout) {
    this.doubt(now - timeout);
  }

  /** What is on its way goes on only now. */
  sentAgain(now) {
    for (const item of this.#items) {
      if (item.delivery.kind === "sent") item.delivery = { kind: "sent", at: now };
    }
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

  /** Everything that may go at once has gone. */
  spend(now) {
    this.#left = 0;
    this.#since = now;
  }

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

/**
 * Sends what is waiting for this room, no faster than servers take it. What is on its way while there
 * is no network arrives at once afterwards, so that is kept small too.
 */
function flush() {
  clearTimeout(nextFlush);
  if (link.state.kind === "open" && restore.settled) {
    const now = Date.now();
    for (let item; (item = outbox.next(view.room)) !== undefined;) {
      if (outbox.onTheirWay >= BURST || !pace.take(now)) {
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

/** There is a network again, which takes what was sent meanwhile; the rest follows. */
function goOn() {
  const now = Date.now();
  outbox.sentAgain(now);
  pace.spend(now);
  flush();
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
function onNotice({ code, text, error, command, key }) {
  // An older server does not ask, and does not know the answer.
  if (code === "no-such-command" && command === "pong" && !typed.has("pong")) return;
  if (code === "key") {
    restore.key = key;
    if (!typed.delete("claim")) return;
  }
  const meaning = meaningOf(code);
  if (meaning === "sent away") link.leave("server");
  if (meaning === "room refused") giveUpRoom();
  if (meaning === "name refused" && restore.askedName !== undefined) return retryName(text);
  if (error) noteRefusal();
  notice(text, error ? "error" : "plain");
}

function askName(name) {
  restore.askName(name);
  link.send(restore.key === undefined ? \`/nick \${name}\` : \`/claim \${name} \${restore.key}\`);
}

/** After an outage the name may still belong to the connection that was lost. */
function retryName(text) {
  const name = restore.askedName;
  const turn = restore.pauseName((wanted) => {
    if (!link.isSession && link.state.kind !== "open") return;
    if (restore.chosen === wanted && !isMe(wanted)) askName(wanted);
  });
  if (turn === "first") notice(\`\${text} It is tried again for two minutes.\`, "error");
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
  placed: isSaid,
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

/** What was asked for is awaited from now on. */
function askedAgain(loading, now) {
  return "since" in loading ? { ...loading, since: now } : loading;
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

/** What was shown before it had a place in the history of all servers has one now. */
function onPlaced({ kind, ...rest }) {
  const message = { ...rest, type: kind };
  const early = shownKey({ ...message, id: 0 });
  const element = view.shown.get(early);
  if (element === undefined) return onMessage(message);
  view.shown.delete(early);
  view.shown.set(shownKey(message), element);
  element.dataset.id = String(message.id);
  if (message.room === view.room) see(message.id);
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
    // It gets its place in the history later.
    if (message.id === 0) delete element.dataset.id;
    view.shown.set(shownKey(message), element);
    confirm(message);
    fresh.push(element);
  }
  return fresh;
}

function isShown(message) {
  return view.shown.has(shownKey(message));
}

function shownKey({ id, time, provisional }) {
  return id === 0 && provisional !== undefined ? provisional : \`\${id}/\${dateOf(time).getTime()}\`;
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
    if (restore.chosen !== undefined) link.send("/claim");
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
  interrupted: ["Reconnecting", "connecting"],
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

/** An interruption that is shorter than this is not worth a banner, in milliseconds. */
const BLINK = 1_000;

/** Says in the page why there is no connection, and when the next attempt is. */
function showBanner() {
  const { state } = link;
  const trying = state.kind === "connecting";
  $("banner").hidden = !(state.kind === "waiting" || state.kind === "left" ||
    (trying && link.failing) ||
    (state.kind === "interrupted" && Date.now() - state.since >= BLINK));
  $("retry").hidden = trying;
  $("retry").textContent = state.kind === "left" ? "Join again" : "Try now";
  $("banner-text").textContent = bannerWords(state);
}

function bannerWords(state) {
  if (state.kind === "left") {
    return state.by === "server" ? "You were disconnected." : "You have left the chat.";
  }
  if (!("reason" in state)) return "";
  const what = link.wasOpen ? "The connection was lost" : "The server cannot be reached";
  const why = state.reason ? \`: \${state.reason}\` : "";
  const hint = navigator.onLine ? "" : "This device seems to be offline. ";
  const seconds = "until" in state ? Math.ceil((state.until - Date.now()) / 1000) : 0;
  const next = seconds <= 0 ? "Trying now…" : \`Next try in \${seconds} s.\`;
  const kept = state.kind === "interrupted" ? " What you write waits until then." : "";
  return \`\${what}\${why}. \${hint}\${next}\${kept}\`;
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
  const welcomed = kind === "open" || kind === "interrupted" || kind === "leaving";
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
    case "placed":
      return onPlaced(event);
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

// servers.ts

/** The server that the page came from, and others that have the same chat. */
class Servers {
  #own;
  #others;
  #random;
  /** The others that were not tried yet in this round. */
  #left = [];

  /** Takes their endpoints. The page's own may be among the others. */
  constructor(own, others, random = Math.random) {
    this.#own = own;
    this.#others = others.filter((other) => other !== own);
    this.#random = random;
  }

  /** The endpoint to try. A round begins with the page's own, and has the others in any order. */
  next() {
    if (this.#left.length === 0) {
      this.#left = [...this.#others];
      return this.#own;
    }
    const [next] = this.#left.splice(Math.floor(this.#random() * this.#left.length), 1);
    return next;
  }

  /** All but one. */
  except(endpoint) {
    return [this.#own, ...this.#others].filter((other) => other !== endpoint);
  }

  /** Begins a new round. */
  startAnew() {
    this.#left = [];
  }
}

// socket.ts

/** Connects to a server. */
function openSocket(
  { endpoint, others, isSession, token },
  user,
) {
  const aborter = new AbortController();
  const options = {
    format: textFormat(),
    connectTimeout: HELLO_TIMEOUT,
    signal: aborter.signal,
  };
  let send = (_) => {};
  let close = () => aborter.abort();
  run().catch((error) => user.ended(wantsToken(error) ? WANTS_TOKEN : undefined, lossWords(error)));
  return {
    isSession,
    send: (text) => send(text),
    // For what waits for the network.
    hurry: () => void (isSession && globalThis.dispatchEvent(new Event("online"))),
    close: () => close(),
  };

  async function run() {
    const connection = isSession ? await openSession() : await connect(endpoint, options);
    send = (text) => void connection.send(text);
    if (!isSession && token !== undefined) send(token);
    user.opened();
    await hear(connection);
  }

  async function openSession() {
    const wait = backoff();
    const session = await openAt(endpoint, others, {
      ...options,
      // It goes before all else on every connection that carries the session.
      ...(token !== undefined && { token }),
      web: { subprotocols: [SESSION_SUBPROTOCOL] },
      session: {
        heartbeatTimeout: REPLY_TIMEOUT,
        retry(failure) {
          const delay = wait(failure);
          user.interrupted(lossWords(failure.error), Date.now() + delay);
          return delay;
        },
      },
    });
    // In order: so the server takes what was sent, and waits no longer for this window.
    close = () => void session.close();
    watch(session);
    return session;
  }

  async function watch(session) {
    for await (const _ of session.states()) {
      const { state } = session.status;
      if (state === "connected" || state === "draining") user.resumed();
    }
  }

  async function hear(connection) {
    try {
      for await (const text of connection) user.took(text);
    } catch {
      // How it ended is told below.
    }
    const { code, reason = "", error } = await connection.close();
    if (isLoss(error)) user.forgotten(lossWords(error));
    user.ended(code, reason || lossWords(error));
  }
}

// main.ts

/** Where the page came from, and the other servers that it names. */
function namedServers() {
  const url = new URL(location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = url.search = "";
  return new Servers(url.href, meta("servers").split(" ").filter((endpoint) => endpoint !== ""));
}

/** What the server has written into the page. */
function meta(name) {
  return document.querySelector(\`meta[name=\${name}]\`).content;
}

/** The page is left, perhaps for good, or to be loaded again. */
function onLeave() {
  restore.keepKey();
  link.part();
}

/** The page is shown again as it was left. */
function onReturn({ persisted }) {
  if (!persisted) return;
  storage.set("key", "");
  link.hurry();
}

/** Once a second: what is late, and how long the next attempt is away. */
function tick() {
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
globalThis.addEventListener("pagehide", onLeave);
globalThis.addEventListener("pageshow", onReturn);
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
      \`The connection could not go on: \${reason}. What was said meanwhile is loaded, \` +
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
    </script>
  </body>
</html>
`;
