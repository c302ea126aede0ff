/**
 * The chat's window. Generated from browser/ by generate.ts: change what is there.
 *
 * @module
 */

/** What the Content-Security-Policy lets run: the page's own script. */
export const SCRIPT_HASH = "sha256-+FQKxMk/sJBjGXlTzSxDMSODnj4ChsnlbDrnDyWe/Tc=";

/** What the Content-Security-Policy lets style: the page's own sheet. */
export const STYLE_HASH = "sha256-4zwdmSScmW0a3CJ71/15OGrUsou9XMQNYb5vRRkiEDY=";

/** What tells this page from another version of it. */
export const PAGE_TAG = "irqUMfTG0bOocD7/";

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

const { Attempts, backoff, connect, textFormat } = (() => {
var e=class extends Error{constructor(e,t){super(e,t),this.name=new.target.name}},t=class extends e{},s=class extends e{},i=class extends s{},r=class extends e{},n=class extends e{},o=class extends n{size;limit;constructor(e,t,s,i){super(\`Cannot \${e} message of \${t} bytes: limit is \${s} bytes\${i?\` (\${i})\`:""}\`),this.size=t,this.limit=s}},a=class extends n{},h=class extends n{},l=0;function d(e,t,s,i){if(!Number.isSafeInteger(t)||t<s||t>i)throw new RangeError(\`Cannot use \${e} \${t}: it must be an integer from \${s} to \${i}\`);return t}function c(e,t,s=1){return d(e,t,s,2147483647)}var u=new class{#e=new Map;add(e,t){let s=Math.max(0,Math.min(t-performance.now(),2147483647));return this.#e.set(e,setTimeout(()=>{this.#e.delete(e),e.ring(performance.now())},s)),t}delete(e){clearTimeout(this.#e.get(e)),this.#e.delete(e)}},f=class{holds;#e;#t;#s;#i=1/0;#r=1/0;#n=0;#o=0;constructor(e,t={}){let{idle:s=!1,patient:i=!1,grain:r=1}=t;this.#e=e,this.#t=i,this.#s=r,this.holds=!s}get due(){return this.#i}at(e){this.#i=e,e<this.#r-this.#s&&this.#a(e)}clear(){this.#r!==1/0&&u.delete(this,this.#r),this.#i=this.#r=1/0,this.#n=this.#o=0}#a(e,t=this.#s){this.#r!==1/0&&u.delete(this,this.#r),this.#r=u.add(this,Math.max(e,performance.now()),t)}ring(e){let t=e-this.#r;if(this.#r=1/0,this.#i===1/0)return;let s=Math.max(this.#i,this.#n);e<s?this.#a(s):this.#t&&this.#o<(t>20?3:1)?(this.#o++,this.#n=e+Math.min(Math.max(t,1),1e4),this.#a(this.#n,1)):(this.#o=0,this.#i=1/0,this.#e(e))}},m=class extends f{#e;constructor(e,t,s={}){var i;super(t,{patient:!0,grain:(i=e,i<1e4?1:1e3),...s}),this.#e=e}get running(){return this.due!==1/0}start(){let e=performance.now();return this.at(e+this.#e),e}stop(){this.at(1/0)}};function p(e,t){let s=new m(e,()=>t());return s.start(),s}function w(e,t){let{code:s=t?.code,reason:i=t?.reason}=e??{};return{...void 0===s?{}:{code:s},...void 0===i?{}:{reason:i}}}function g(e){return e instanceof Error?e.message:String(e)}var y=class{#e;#t=0;constructor(e=[]){this.#e=[...e]}get length(){return this.#e.length-this.#t}isEmpty(){return 0===this.length}pushBack(e){return this.#e.push(e),this.length}pushFront(e){return this.#e.splice(0,this.#t,e),this.#t=0,this.length}popFront(){if(this.isEmpty())return;let e=this.#e[this.#t];return this.#e[this.#t++]=void 0,2*this.#t>=this.#e.length&&(this.#e.splice(0,this.#t),this.#t=0),e}popBack(){return this.isEmpty()?void 0:this.#e.pop()}peekFront(){return this.#e[this.#t]}peekBack(){return this.isEmpty()?void 0:this.#e.at(-1)}removeFirst(e){this.#e.splice(0,this.#t),this.#t=0;let t=this.#e.findIndex(e);return t<0?void 0:this.#e.splice(t,1)[0]}clear(){this.#e=[],this.#t=0}[Symbol.iterator](){return this.#e.slice(this.#t).values()}},v=class{#e;constructor(e){this.#e=e}get length(){return this.#e.length}get byteLength(){return this.#e.reduce((e,{length:t})=>e+t,0)}at(e){return this.#e.at(e)}[Symbol.iterator](){return this.#e.values()}toArray(e,t){return this.#e.slice(e,t)}recycle(){}[Symbol.dispose](){}},b={done:!0,value:void 0},E=class{bytes=0;#e=new y;#t=new y;#s="open";get messages(){return this.#e.length}get cost(){return this.bytes+64*this.messages}put(e){for(let t of e)this.#e.pushBack(t),this.bytes+=t.length;for(;!this.#e.isEmpty()&&!this.#t.isEmpty();){let{want:e,resolve:t}=this.#t.popFront();t(this.#i(e))}}#i(e){if("batch"===e)return this.takeBatch();if("raw"===e)return this.takeRaw();let t=this.take();return"message"===e?t:{done:!1,value:t}}end(e){if("open"===this.#s){this.#s=e??"ended";for(let{want:t,resolve:s,reject:i}of this.#t)void 0!==e?i(e.error):s("result"===t?b:void 0);this.#t.clear()}}abort(e){"ended"===this.#s&&this.messages>0?this.#s={error:e}:this.end({error:e})}clear(){this.#e.clear(),this.bytes=0}take(){let e=this.#e.popFront();return this.bytes-=e?.length??0,e}takeBatch(){if(this.#e.isEmpty())return;let e=[...this.#e];return this.clear(),e}takeRaw(){let e=this.takeBatch();return e&&new v(e)}wait(e){let t=this.#s;return"object"==typeof t?Promise.reject(t.error):new Promise((s,i)=>{"ended"===t?s("result"===e?b:void 0):this.#t.pushBack({want:e,resolve:s,reject:i})})}},x=class{messages=0;bytes=0;discardedBytes=0;lastSeenAt=Date.now();inbox=new E;#e;#t;#s;#i;#r;#n;#o="reading";#a;constructor(e,t,s){let{framing:i,limits:r,lossIsEnd:n}=t;this.#e=e,this.#t=r,this.#s=n,this.#i=s,this.#r=i.decoder(),this.#n=new m(r.frameTimeout,()=>this.#h())}get ended(){return"ended"===this.#o}async run(){try{for(let e;void 0!==(e=await this.#l())&&!this.ended;)this.bytes+=e.length,this.lastSeenAt=Date.now(),"discarding"===this.#o?this.discardedBytes+=e.length:this.#d(e);if(this.ended)return;"reading"===this.#o&&this.#r.end(),this.stop(),this.#i.inputEnded(this.#e.abilities.ended)}catch(e){this.ended||this.#c(e)}}async#l(){return this.inbox.cost>=this.#t.maxUnreadBytes&&(this.#n.stop(),await new Promise(e=>this.#a=e),this.#a=void 0,this.#u(!0)),await this.#e.read()}#d(e){let t=[];try{this.#r.decode(e,t)}finally{this.messages+=t.length,this.inbox.put(t)}this.#u(t.length>0)}#u(e){0===this.#r.pendingBytes||"reading"!==this.#o?this.#n.stop():(e||!this.#n.running)&&this.#n.start()}#h(){let{pendingBytes:e}=this.#r;this.#c(function(e,t,s){return new h(\`Cannot receive message from \${e}: it was not finished within \${t} ms, \${s} bytes had arrived\`)}(this.#e.remote,this.#t.frameTimeout,e))}take(){return this.#f(this.inbox.take())}async takeBatch(){return this.#f(this.inbox.takeBatch())??await this.wait("batch")}async takeRaw(){return this.#f(this.inbox.takeRaw())??await this.wait("raw")}#f(e){return this.inbox.cost<=this.#t.maxUnreadBytes/2&&this.#a?.(),e}wait(e){return this.inbox.wait(e)}surface(){return!1}discard(){"reading"===this.#o&&(this.#o="discarding",this.discardedBytes+=this.#r.pendingBytes),this.discardedBytes+=this.inbox.bytes,this.inbox.clear(),this.inbox.end(),this.#n.clear(),this.#a?.()}stop(e){this.#o="ended",this.#n.clear();let t=this.#s&&e?.error instanceof s;this.inbox.end(t?void 0:e),this.#a?.()}#c(t){let i=function(t,i){return i instanceof e?i:new s(\`Cannot receive from \${t}: \${g(i)}\`,{cause:i})}(this.#e.remote,t);this.stop({error:i}),this.#i.inputFailed(i)}},B=new Uint8Array(0);function $(e){if(e instanceof Uint8Array)return e;if(0===e.length)return B;if(1===e.length)return e[0];let t=new Uint8Array(e.reduce((e,t)=>e+t.length,0)),s=0;for(let i of e)t.set(i,s),s+=i.length;return t}var{setImmediate:T,clearImmediate:k}=void 0===globalThis.setImmediate?function(){let e=new Set,{port1:t,port2:s}=new MessageChannel,i=!1;return t.onmessage=()=>{i=!1;for(let t of[...e])if(e.delete(t))try{t.call()}catch(e){reportError(e)}},{setImmediate(t){let r={call:t};return e.add(r),i||s.postMessage(void 0),i=!0,r},clearImmediate:t=>e.delete(t)}}():globalThis;function C(e){return T(e)}var S=Promise.resolve(),A=class{messages=0;dropped=0;bytes=0;pendingBytes=0;framing;limits;#e;#t;#s=new y;#i;#r="idle";#n=-1;#o=0;#a=S;#l;#d;constructor(e,t,i){let{framing:r,limits:n}=t;this.#e=e,this.framing=r,this.limits=n,this.#t=i,this.#i=new m(n.writeTimeout,()=>this.#m(function(e,t){return new s(\`Cannot send to \${e}: it took nothing for \${t} ms\`)}(e.remote,n.writeTimeout)))}offer(e,t){if(!(e instanceof Uint8Array))throw new TypeError(\`Cannot send \${typeof e}: it must be a Uint8Array or a string\`);return this.offerFrame(this.framing.encode(e,t))}offerFrame(e){let t=!this.#f||this.#p(e.length);return t&&this.#u({frame:e,messages:1}),t}offerInPlace(e){this.offer(e)}pushEnd(e){this.#u({frame:e,messages:0})}#u(e){this.#s.pushBack(e),this.pendingBytes+=e.frame.length,this.#f?this.flush():"idle"===this.#r&&(this.#r="scheduled",(performance.now()-this.#n>=1?queueMicrotask:C)(()=>"scheduled"===this.#r&&this.flush()))}get isQuiet(){return"idle"===this.#r}get#h(){return this.pendingBytes+(this.framing.isApart?64*this.#s.length:0)}get#f(){return this.#h>=this.limits.highWaterMark}ready(){return this.#f?(this.#l??=function(){let e=Promise.withResolvers();return e.promise.catch(()=>{}),e}()).promise:S}flush(){"writing"!==this.#r&&"stopped"!==this.#r&&(this.#a=this.#c())}flushed(){return 0===this.pendingBytes||this.#w()?S:(this.flush(),(this.#d??=Promise.withResolvers()).promise)}settled(){return this.#a}stop(e){this.#w()||(this.#r="stopped",this.#i.clear(),this.#s.clear(),this.#l?.reject(e),this.#d?.resolve())}async#c(){this.#r="writing";try{for(;!this.#s.isEmpty();){let{frame:e,messages:t}=this.#g();for(this.#o=e.length;this.#o>0;){this.#n=this.#i.start();let t=await this.#e.write(e.subarray(-this.#o),!0);if(this.bytes+=t,this.pendingBytes-=t,this.#o-=t,this.#w())return}this.messages+=t,!this.#f&&(this.#l?.resolve(),this.#l=void 0)}}catch(e){return void(this.#w()||this.#m(function(e,t){return new s(\`Cannot send to \${e}: \${g(t)}\`,{cause:t})}(this.#e.remote,e)))}this.#i.stop(),this.#r="idle",this.#d?.resolve(),this.#d=void 0}#g(){let{frame:{length:e},messages:t}=this.#s.peekFront(),s=[this.#s.popFront().frame];for(;!this.framing.isApart&&!this.#s.isEmpty();){let i=this.#s.peekFront();if(e+=i.frame.length,e>65536)break;t+=i.messages,s.push(this.#s.popFront().frame)}return{frame:$(s),messages:t}}#w(){return"stopped"===this.#r}#p(e){let{slowConsumer:t,maxPendingBytes:s}=this.limits,i=()=>this.#h+e>s;if(!i())return!0;if("disconnect"===t)throw this.#m(function(e,t,s){return new r(\`Cannot send message to \${e}: \${t} bytes wait already, limit is \${s} bytes\`)}(this.#e.remote,this.pendingBytes,s));if("drop-newest"===t||this.#o+e>s)return this.dropped++,!1;for(;i();){let{frame:e,messages:t}=this.#s.popFront();this.pendingBytes-=e.length,this.dropped+=t}return!0}#m(e){return this.stop(e),this.#t.outputFailed(e),e}},P={name:"open"},M={name:"starting TLS"},R=[],I=class{user;receiver;sender;refusals=0;#e;#t;#s=P;#i;#r;#n;#o;#a;#l=R;#d;#u;constructor(e,t){this.#e=e,this.#t=t,this.sender=new A(e,t,this),this.receiver=new x(e,t,this,this.sender),this.#u=(t.framing,void t.limits),void 0!==t.signal&&(this.#d=function(e,t){let s=()=>t(e.reason);return e.addEventListener("abort",s,{once:!0}),e.aborted&&s(),()=>e.removeEventListener("abort",s)}(t.signal,e=>this.abort(e)))}get state(){let{name:e}=this.#s;return"closing"===e||"closed"===e?e:"open"}get closed(){return void 0===this.#n&&(this.#n=Promise.withResolvers(),void 0!==this.#o&&this.#n.resolve(this.#o)),this.#n.promise}whenClosed(e,t){if(void 0!==this.#o)return t.connectionClosed(e,this.#o);this.#a=e,this.#l=this.#l.concat(t)}measureRoundTrips(e){void 0!==this.#u&&(this.#u.times=e)}get signal(){return void 0===this.#r&&(this.#r=new AbortController,"closed"===this.#s.name&&this.#r.abort(this.#s.reason)),this.#r.signal}get isOpen(){return this.#s===P}beforeSending(){this.#s!==P&&this.#h(this.#s)}#h(e){if("peer ended"!==e.name)throw e.outputError??new t(\`Cannot send to \${this.#e.remote}: connection is \${e.name}\`);e.deadline.start()}startingTls(){if(this.#s!==P)throw new t(\`Cannot start TLS with \${this.#e.remote}: connection is \${this.#s.name}\`);this.#s=M}tlsStarted(){this.#s===M&&(this.#s=P)}refused(e){this.refusals++,"open"===this.state&&(this.#i??=e)}closeWrite(){let e=this.#s;if("closed"===e.name)return Promise.resolve();if(void 0!==e.farewell)return e.farewell.said;let t=F();return this.#s="cut off"===e.name?{...e,farewell:t}:{...e,name:"half-closed",farewell:t},t.said=this.#f(t)}async#f(e){let{peerEnd:t,options:s,outputError:i}=this.#s,r=this.#t.framing.encodeEnd?.(w(s,t?.info));if(void 0!==r&&void 0===i&&this.sender.pushEnd(r),await this.sender.flushed(),"closed"!==this.state){try{await this.#e.closeWrite(this.#s.options)}catch{}e.isSaid=!0,this.#c(this.#s)&&this.#y()}}#c({name:e,farewell:t,peerEnd:s}){return(void 0!==s||"closing"===e&&!this.#g)&&!0===t?.isSaid}get#g(){return!1!==this.#e.abilities.tellsEnd}close(e){let t=this.#s;if("open"!==this.state)return this.closed;if(this.#t.framing.encodeEnd?.(e),this.receiver.surface())return this.closed;t.deadline?.clear();let s=this.#w(()=>this.#p()),i=t.farewell??F();return this.#s={...t,name:"closing",options:e,farewell:i,deadline:s},this.receiver.discard(),this.#c(this.#s)?this.#y():void 0===t.farewell&&(i.said=this.#f(i)),this.closed}#w(e){let t=new m(this.#t.limits.closeTimeout,e);return t.start(),t}#p(){let{closeTimeout:e}=this.#t.limits,t=this.sender.pendingBytes>0?"read everything":"close";this.#y(new s(\`Cannot close connection to \${this.#e.remote} in order: it did not \${t} within \${e} ms\`))}abort(e){if("closed"===this.state)return;let s=e??new t(\`Cannot use connection to \${this.#e.remote}: it was aborted\`);this.receiver.inbox.abort(s),this.receiver.discard(),this.#y(s)}inputEnded(e){let t=this.#s;if("closed"===t.name)return;let s={info:e};if(void 0!==t.outputError||t.farewell?.isSaid||!this.#g)this.#s={...t,peerEnd:s},this.#y(t.outputError);else if("closing"===t.name)this.#s={...t,peerEnd:s};else{let e=this.#m();this.#s="half-closed"===t.name?{...t,peerEnd:s,deadline:e}:{name:"peer ended",peerEnd:s,deadline:e}}}#m(){let{halfOpenTimeout:e}=this.#t.limits,t=\`the peer ended, and nothing was sent for \${e} ms\`,s=new m(e,()=>this.close({reason:t}),{idle:!0});return s.start(),s}inputReplied(e){return"open"===this.#s.name?this.sender.answer(e):void 0}ask(e){return"open"===this.#s.name&&this.sender.offerRaw(e)}peerIsSilent(e){this.receiver.stop({error:e}),this.#y(e)}inputFailed(e){this.#y(e)}outputFailed(e){let t=this.#s;if("closed"!==t.name)if(e instanceof s&&void 0!==e.cause&&void 0===t.peerEnd&&"closing"!==t.name){let s=this.#w(()=>this.#y(e));this.#s={name:"cut off",outputError:e,farewell:t.farewell,deadline:s}}else this.#s={...t,outputError:e},this.#y(e)}#y(e){let s=this.#s;if("closed"===s.name)return;s.deadline?.clear(),this.#u?.stop(),this.#d?.();let i=e??this.#i,r=i??new t(\`Cannot use connection to \${this.#e.remote}: it is closed\`);this.#s={name:"closed",reason:r,outputError:s.outputError},this.receiver.stop(void 0===e?void 0:{error:e}),this.#v({error:e,reason:r,canTell:void 0===s.farewell},{...w(s.options,s.peerEnd?.info),...void 0===i?{}:{error:i}}),this.#r?.abort(r)}async#v(e,t){let{sender:s}=this,{framing:i}=this.#t;await async function(e){let{transport:t,sender:s,framing:i,error:r,reason:o,canTell:a}=e,l=a&&r instanceof n?i.encodeEnd?.({error:r}):void 0,d=void 0!==l&&await async function(e,t){e.pushEnd(t);let s=Promise.withResolvers(),i=p(1e3,s.resolve);return await Promise.race([e.flushed(),s.promise]),i.clear(),e.isQuiet}(s,l);s.stop(o),d&&!(r instanceof h)&&await void 0,t.close(r),await s.settled(),await Promise.resolve()}({transport:this.#e,sender:s,framing:i,...e});let r=s.pendingBytes;this.#o={clean:!("error"in t)&&0===r&&0===s.dropped,...t,undeliveredBytes:r,unreadBytes:this.receiver.discardedBytes},this.#n?.resolve(this.#o);for(let e of this.#l)e.connectionClosed(this.#a,this.#o);this.#l=R}};function F(){return{said:Promise.resolve(),isSaid:!1}}var L={frameBytes:e=>e.length,encodeInto:(e,t,s)=>(t.set(e,s),s+e.length),encodeParts:e=>[e],encode:e=>e.slice()};function U(e){return d("maxMessageBytes",e,0,Number.MAX_SAFE_INTEGER)}function W(e=16777216){return U(e),{name:"whole",maxMessageBytes:e,keepsBoundaries:!0,isApart:!0,withLimit:W,decoder:()=>new N(e),...L}}new Uint8Array(0);var N=class{maxBytes;pendingBytes;constructor(e){this.maxBytes=e,this.pendingBytes=0}decode(e,t=[]){if(e.length>this.maxBytes)throw new o("receive",e.length,this.maxBytes);return t.push(e),t}end(e=[]){return e}};function j(){return{encode:e=>e,decoder:()=>{}}}function D(e={}){let{fatal:t=!1}=e;return{encode:e=>e,decoder({keepsBoundaries:e}){let s=new TextDecoder("utf-8",{fatal:t,ignoreBOM:!0}),i=t=>{try{return s.decode(t,{stream:!e&&void 0!==t})}catch(e){throw new a("Cannot decode message: it is not UTF-8",{cause:e})}};return{decode:i,end:()=>e?void 0:i()||void 0}}}}function O(e,t,s){let i={...e};for(let r in e)i[r]=t[r]??e[r],s(r,i[r]);return i}var _={maxMessageBytes:0,maxUnreadBytes:1048576,highWaterMark:65536,maxPendingBytes:8388608},G={frameTimeout:3e4,writeTimeout:1e4,closeTimeout:5e3,halfOpenTimeout:3e4,pingInterval:3e4,pongTimeout:2e4};function X(e,t){d(e,t,"maxMessageBytes"===e?0:1,Number.MAX_SAFE_INTEGER)}var H=class e{framing;format;limits;signal;lossIsEnd;#e;constructor(e,t,s,i,r=!1){this.framing=e,this.format=t,this.limits=s,this.signal=i,this.lossIsEnd=r}withFraming(t){if(void 0===t)return this;if(this.#e?.framing!==t){let{format:s,limits:i,signal:r,lossIsEnd:n}=this,o=Q(t,i.maxMessageBytes);this.#e={framing:t,settings:new e(o,s,i,r,n)}}return this.#e.settings}switchedTo(t){let{format:s,limits:i,signal:r,lossIsEnd:n}=this,o=Q(t,i.maxMessageBytes);return new e(o,s,i,r,n)}withLossAsEnd(){return new e(this.framing,this.format,this.limits,this.signal,!0)}};function z(e,t=16777216){if(e instanceof H)return e;let{framing:s="u32be",format:i=j(),signal:r}=e,n=function(e,t){let{slowConsumer:s="disconnect"}=e,i=O({..._,maxMessageBytes:t},e,X),r=O(G,e,(e,t)=>c(e,t));if(!["disconnect","drop-newest","drop-oldest"].includes(s))throw new TypeError(\`Cannot use slowConsumer "\${s}": it must be "disconnect", "drop-newest" or "drop-oldest"\`);let{highWaterMark:n,maxPendingBytes:o}=i;if(n>o)throw new TypeError(\`Cannot use highWaterMark \${n} together with maxPendingBytes \${o}: the mark must not be above the limit\`);return{...i,...r,slowConsumer:s}}(e,t);return new H(Q(s,n.maxMessageBytes),i,n,r)}function Q(e,t){return"string"==typeof e?W().withLimit(t):e.maxMessageBytes<=t?e:e.withLimit(t)}var q=class{},J=new TextEncoder,K=new Uint8Array(4096);function V(e){return 3*e.length>K.length?J.encode(e):K.subarray(0,J.encodeInto(e,K).written)}var Y=class{#e;#t;#s;#i;#r;#n;constructor(e,t,s){let{format:i,framing:r}=t;this.#e=e,this.#t=e.receiver,this.#s=e.sender,this.#i=i,this.#r=i.decoder(r),this.#n=s}decodeBy(e){this.#r=this.#i.decoder(e)}send(e){try{this.#o(e)}catch(e){return this.#a(e)}return this.#s.ready()}offer(e){try{return this.#o(e)}catch(e){return this.#e.refused(e),!1}}sendRaw(e){try{this.#e.beforeSending(),"string"==typeof e?this.#s.offer(V(e),!0):this.#s.offer(e)}catch(e){return this.#a(e)}return this.#s.ready()}sendInPlace(e,t){try{this.#e.beforeSending(),this.#s.offerInPlace(e,t)}catch(e){return this.#a(e)}return this.#s.ready()}#o(e){this.#e.beforeSending();let t=this.#i;if(e instanceof q)return this.#s.offerFrame(e.frame(t,this.#s.framing));let s=t.encode(e);return"string"==typeof s?this.#s.offer(V(s),!0):this.#s.offer(s)}#a(e){return this.#e.refused(e),function(e){let t=Promise.reject(e);return t.catch(()=>{}),t}(e)}receive(){if(void 0===this.#r)return this.receiveRaw();let e=this.#t.take();return void 0!==e?this.#d(e):this.#l()}receiveRaw(){let e=this.#t.take();return void 0!==e?Promise.resolve(e):this.#t.wait("message")}async#l(){let e=await this.#t.wait("message");return void 0===e?this.#r?.end():await this.#d(e)}iterator(){let e=this.#t;return{next:void 0!==this.#r?()=>this.receive().then(Z):()=>{let t=e.take();return void 0!==t?Promise.resolve({done:!1,value:t}):e.wait("result")},return:()=>Promise.resolve({done:!0,value:void 0})}}async*batches(){for(;;){let e=await this.#t.takeBatch();if(void 0===e)break;if(void 0===this.#r){yield e;continue}let t=await Promise.allSettled(e.map(e=>this.#d(e))),s=t.find(e=>"rejected"===e.status),i=t.slice(0,void 0===s?t.length:t.indexOf(s));if(i.length>0&&(yield i.map(e=>e.value)),void 0!==s)throw s.reason}let e=this.#r?.end();void 0!==e&&(yield[e])}async*rawBatches(){for(let e;void 0!==(e=await this.#t.takeRaw());)yield e}async all(e){d("maxBytes",e,0,Number.MAX_SAFE_INTEGER);let t=[],s=0,i=0;for(let r;void 0!==(r=await this.#t.takeBatch());)for(let n of r){if(s+=n.length,i+=Math.max(n.length,64),s>e||i>Math.max(e,65536)){let i=new o("receive",s,e,\`\${t.length+1} messages together\`);throw this.#n(i),i}t.push(void 0===this.#r?n:await this.#d(n))}let r=this.#r?.end();return void 0!==r&&t.push(r),t}#d(e){return void 0===this.#r?Promise.resolve(e):this.#u(this.#r,e)}async#u(e,t){try{return await e.decode(t)}catch(e){throw this.#n(e),e}}};function Z(e){return void 0===e?{done:!0,value:void 0}:{done:!1,value:e}}var ee=class{constructor(e){return e}},te=class extends ee{#e=!0;static has(e){return#e in e}},se=new Uint8Array(0);new te(se);var ie=class{id=function(){return++l}();endpoint;data={};#e;#t;#s;#i;#r;#n=Date.now();constructor(e,t={},s=""){let i=z(t).withFraming(e.abilities.framing),r=new I(e,i);this.#e=e,this.#t=i,this.endpoint=s,this.#s=r,this.#i=r.sender,this.#r=new Y(r,i,e=>this.abort(e)),r.receiver.run()}get closed(){return this.#s.closed}whenClosed(e){this.#s.whenClosed(this,e)}measureRoundTrips(e){this.#s.measureRoundTrips(e)}get remote(){return this.#e.remote}get peer(){return this.#e.abilities.peer}get user(){return this.#s.user}identify(e){this.#s.user=e}get subprotocol(){return this.#e.abilities.subprotocol}get stranger(){return this.#e.abilities.stranger}get sender(){return this.#i}get state(){return this.#s.state}get framing(){return this.#t.framing}get stats(){return function({receiver:e,sender:t,refusals:s},i,r){return{messagesReceived:e.messages,messagesSent:t.messages,messagesDropped:t.dropped+s,messagesRefused:s,messagesMissed:i.abilities.dropped??0,bytesReceived:e.bytes,bytesSent:t.bytes,bufferedBytes:t.pendingBytes,unreadBytes:e.inbox.bytes,unreadMessages:e.inbox.messages,openedAt:r,lastSeenAt:e.lastSeenAt}}(this.#s,this.#e,this.#n)}get signal(){return this.#s.signal}send(e){return this.#r.send(e)}sendRaw(e){return this.#r.sendRaw(e)}sendInPlace(e,t){return this.#r.sendInPlace(e,t)}offer(e){return this.#r.offer(e)}switchFraming(e,t={}){this.#e,this.#s,this.#r,this.#t=function(){throw new TypeError("Cannot switch framing in a page: a WebSocket keeps its framing")}(this.#t)}startTls(e={}){return this.#s,this.#e,this.endpoint,Promise.reject(new TypeError("Cannot start TLS in a page: use wss://"))}receive(){return this.#r.receive()}receiveRaw(){return this.#r.receiveRaw()}[Symbol.asyncIterator](){return this.#r.iterator()}batches(){return this.#r.batches()}rawBatches(){return this.#r.rawBatches()}receiveAll(e={}){let{maxBytes:t=16777216}=e;return this.#r.all(t)}flush(){return this.#i.flushed()}closeWrite(){return this.#s.closeWrite()}close(e={}){return this.#s.close(e)}abort(e){this.#s.abort(e)}async[Symbol.asyncDispose](){await this.close()}},re={ws:80,wss:443},ne=/(?:^|(?<=[?&]))(session|deflate)=([^&]*)&?/g;function oe(e){let{transport:t,hostname:s,port:i,path:r,session:n}=e,o=n?r.includes("?")?"&session=1":"?session=1":"";return\`\${t}://\${ae(s,i)}\${r}\${o}\`}function ae(e,t){return e.includes(":")?\`[\${e}]:\${t}\`:\`\${e}:\${t}\`}var he=e=>class extends Error{name=e},le={BrokenPipe:he("BrokenPipe"),ConnectionReset:he("ConnectionReset"),Interrupted:he("Interrupted"),NotCapable:he("NotCapable")},de=1e3,ce=new TextEncoder,ue=new TextDecoder("utf-8",{fatal:!0,ignoreBOM:!0});function fe(e){return Number.isInteger(e)&&(e>=1e3&&e<=1003||e>=1007&&e<=1014||e>=3e3&&e<=4999)}function me(e){return e instanceof o?1009:e instanceof a?1007:1002}var pe=new class e{name="websocket";keepsBoundaries=!0;isApart=!0;maxMessageBytes;constructor(e){this.maxMessageBytes=U(e)}withLimit(t){return new e(t)}decoder(){return W(this.maxMessageBytes).decoder()}frameBytes({length:e}){return e+1}encodeInto(e,t,s,i){return t[s]=i||function(e){return te.has(e)}(e)?1:0,t.set(e,s+1),s+1+e.length}encodeParts(e,t){return[this.encode(e,t)]}encode(e,t){let s=new Uint8Array(e.length+1);return this.encodeInto(e,s,0,t),s}encodeEnd(e){let t=function(e){let{error:t}=e,{code:s=(void 0===t?de:me(t)),reason:i=t?.message??""}=e;if(!fe(s))throw new RangeError(\`Cannot close with code \${s}: it must be 1000 to 1003, 1007 to 1014 or 3000 to 4999\`);let r=ce.encode(i),n=function(e){if(e.length<=123)return e.length;let t=123;for(;128==(192&e[t]);)t--;return t}(r),o=new Uint8Array(2+n);return o[0]=s>>>8,o[1]=s,o.set(r.subarray(0,n),2),o}(e),s=new Uint8Array(t.length+1);return s[0]=2,s.set(t,1),s}}(Number.MAX_SAFE_INTEGER),we=16777216,ge=new TextEncoder,ye=new TextDecoder("utf-8",{fatal:!0,ignoreBOM:!0}),ve=class{remote;local;abilities;#e;#t;#s;#i;#r;#n;#o;#a;constructor(e,t,s){this.remote=t,this.local="",this.#t=new y,this.#s=0,this.#i="open",this.#e=e;let i=()=>this.#n;this.abilities={framing:pe,...s&&{subprotocol:s},get ended(){return i()}},e.binaryType="arraybuffer",e.addEventListener("message",({data:e})=>this.#c(e)),e.addEventListener("close",({code:e,reason:t})=>this.#g(e,t)),e.addEventListener("error",e=>{let{message:t=""}=e;this.#w(new le.ConnectionReset(t||"the WebSocket failed"))})}read(){let e=this.#t.popFront();return void 0!==e?(this.#s-=e.length+64,Promise.resolve(e)):"ended"===this.#i?Promise.resolve(void 0):"open"!==this.#i?Promise.reject(this.#r):(this.#o=Promise.withResolvers(),this.#o.promise)}async write(e){this.#l();let t=e.subarray(1);if(2===e[0]){let{code:e,reason:s}=function(e){if(0===e.length)return{};if(1===e.length)throw new n("Cannot receive Close frame: it has one byte, half of a code");let t=e[0]<<8|e[1];if(!fe(t))throw new n(\`Cannot receive Close frame: code \${t} may not be sent\`);try{let s=ue.decode(e.subarray(2));return""===s?{code:t}:{code:t,reason:s}}catch(e){throw new a("Cannot receive Close frame: its reason is not UTF-8",{cause:e})}}(t);this.#f(e,s)}else this.#e.send(1===e[0]?function(e){try{return ye.decode(e)}catch{return e.slice()}}(t):t.slice());return this.#d&&await this.#u(),e.length}closeWrite(){return Promise.resolve()}close(){"closed"!==this.#i&&(this.#p("closed",new le.Interrupted("the connection was closed")),this.#t.clear(),this.#f())}#l(){if("failed"===this.#i||"closed"===this.#i)throw this.#r;if(this.#e.readyState===WebSocket.CLOSED&&"open"===this.#i)throw new le.BrokenPipe("the WebSocket is closed")}get#d(){return this.#e.bufferedAmount>65536}#u(){let e=new f(()=>this.#h()),t=this.#a={...Promise.withResolvers(),timer:e,wait:1};return e.at(performance.now()+t.wait),t.promise}#h(){let e=this.#a;if(void 0!==e){if(this.#d&&"open"===this.#i)return e.wait=Math.min(2*e.wait,16),void e.timer.at(performance.now()+e.wait);this.#a=void 0,e.timer.clear(),"open"===this.#i||"ended"===this.#i?e.resolve():e.reject(this.#r)}}#f(e,t){if(!(this.#e.readyState>WebSocket.OPEN))try{this.#e.close(e,t)}catch{this.#e.close(3e3+e,t)}}#c(e){if("open"!==this.#i)return;let t="string"==typeof e?0===(s=ge.encode(e)).length?se:(te.has(s)||new te(s),s):new Uint8Array(e);var s;if(this.#s>we)return this.#f(1013,"what came was not read in time"),this.#w(new le.Interrupted(\`more than \${we} bytes came and were not read; a WebSocket of the runtime cannot wait\`));let i=this.#o;this.#o=void 0,void 0!==i?i.resolve(t):(this.#t.pushBack(t),this.#s+=t.length+64),this.#h()}#g(e,t){if("open"===this.#i){if(1006===e||0===e)return this.#w(new le.ConnectionReset(\`the WebSocket was lost (\${e})\`));this.#n=1005===e?{}:{code:e,...""!==t&&{reason:t}},this.#p("ended",void 0)}}#w(e){this.#p("failed",e)}#p(e,t){if("open"!==this.#i&&"closed"!==e)return;this.#i=e,this.#r=t;let s=this.#o;this.#o=void 0,"ended"===e?s?.resolve(void 0):s?.reject(t),this.#h()}},be={listen:()=>Promise.reject(new TypeError("Cannot listen in a page: it can only connect")),async connect({transport:e,hostname:t,port:s,path:i},r){!function({tls:e,proxy:t,source:s,web:i}){let r={tls:e,proxy:t,source:s,"web.headers":i?.headers};for(let[e,t]of Object.entries(r))if(void 0!==t)throw new TypeError(\`Cannot use \${e} in a page: its browser decides that\`)}(r);let{signal:n,web:{subprotocols:o=[]}={}}=r,a=ae(t,s),h=new WebSocket(\`\${e}://\${a}\${i}\`,[...o]);return await function(e,t){return new Promise((s,i)=>{let r=()=>{e.close(),i(t.reason)};t.addEventListener("abort",r,{once:!0});let n=e=>()=>{t.removeEventListener("abort",r),e()};e.onopen=n(s),e.onerror=n(()=>i(new Error("its WebSocket could not be opened; a page is not told why"))),t.aborted&&r()})}(h,n),new ve(h,a,h.protocol)}};function Ee(e){let t=function(e,t){let{connectTimeout:s=1e4}=t;c("connectTimeout",s);let i=function(e){let t=URL.canParse(e)?new URL(e):void 0,s=t?.protocol.slice(0,-1);if(void 0===t||"ws"!==s&&"wss"!==s||""!==t.username){let t=e.replace(/\\/\\/.*@/,"//…@");throw new TypeError(\`Cannot use endpoint "\${t}" in a page: it has WebSockets only, ws://HOST/PATH and wss://HOST/PATH\`)}let i={},r=t.search.replace(ne,(t,s,r)=>{if(!/^[01]$/.test(r))throw new TypeError(\`Cannot use endpoint "\${e}": \${s} "\${r}" must be 0 or 1\`);return i[s]="1"===r,""}).replace(/[?&]$/,"");return{transport:s,hostname:t.hostname.replace(/^\\[|\\]$/g,""),port:Number(t.port||re[s]),path:t.pathname+r,...i}}(e),r=function(e,t,{framing:s}){if(void 0!==s){let e="string"==typeof s?s:s.name;throw new TypeError(\`Cannot use framing "\${e}" in a page: a WebSocket message is a message\`)}}(0,0,t),n=function(e,t,s,i){if(t.session??i.session)throw new TypeError(\`Cannot open session to "\${e}": /lengthwise.js has sessions\`)}(e,i,0,t);return{wanted:i,settings:z({...t,framing:void 0===n?r:"u32be"}),session:n}}(e.endpoint,e.options);return{...e,...t,name:oe(t.wanted)}}function xe(e,t){let s=[...e];for(let e=s.length-1;e>0;e--){let i=Math.floor(t()*(e+1));[s[e],s[i]]=[s[i],s[e]]}return s}new Uint8Array(16385);var Be=class{isSession;#e;#t;#s;constructor(e,t=Math.random){if(0===e.length)throw new TypeError("Cannot connect: there are no endpoints");if(e.length>64)throw new RangeError(\`Cannot connect to \${e.length} endpoints: limit is 64\`);this.#e=e.map(Ee),this.#t=t;let[s,...i]=this.#e;this.isSession=void 0!==s.session;let r=i.find(({session:e})=>void 0!==e!==this.isSession);if(void 0!==r)throw new TypeError(\`Cannot use "\${s.endpoint}" together with "\${r.endpoint}": only one of them has sessions\`)}async connect({lossIsEnd:e=!1}={}){let t=[];for(let s of this.#i())try{let t=await this.#r(s,e);return this.#s=s,s.options.telemetry?.connected(t,"client"),t}catch(e){if(!(e instanceof i))throw e;t.push(e)}throw function(e){if(1===e.length)return e[0];let t=e.map(({message:e})=>e.replace(/^Cannot connect to /,""));return new i(\`Cannot connect to any of \${e.length} endpoints: \${t.join("; ")}\`,{cause:new AggregateError(e)})}(t)}#i(){let e=xe(this.#e,this.#t),t=this.#s;return void 0===t?e:[...e.filter(e=>e!==t),t]}async#r(e,t){let{wanted:s,session:r,options:n}=e,o=t?e.settings.withLossAsEnd():e.settings;return void 0===r?await async function(e,t,s,r=t.signal){let{connectTimeout:n=1e4,tls:o,proxy:a,source:h,token:l,web:d,through:c}=s;r?.throwIfAborted();let u=oe(e),f=new AbortController,m=p(n,()=>{let e=\`no answer within \${n} ms\`;f.abort(new i(\`Cannot connect to \${u}: \${e}\`))}),w=void 0===r?f.signal:AbortSignal.any([r,f.signal]);try{let s=await function(e,t){return new Promise((s,i)=>{let r=()=>{i(t.reason),e.then(e=>e.close(),()=>{})};t.addEventListener("abort",r,{once:!0}),e.then(s,i).finally(()=>t.removeEventListener("abort",r))})}(Promise.resolve(be).then(t=>t.connect(e,{signal:w,tls:o,proxy:a,source:h,web:d})),w),i=new ie(c?.(s)??s,t,u);return void 0!==l&&i.sendRaw(function(e){return e.replace(/^\\ufeff|[\\r\\n]+$/g,"")}(l)),i}catch(e){if(w.throwIfAborted(),function(e){return e instanceof TypeError||e instanceof RangeError}(e))throw e;let t=g(e);throw new i(\`Cannot connect to \${u}: \${t}\`,{cause:e})}finally{m.clear()}}(s,o,n):(xe(this.#e.filter(t=>t!==e),this.#t),await void 0)}};function $e(e={}){let{minDelay:t=500,maxDelay:s=3e4,maxAttempts:i=1/0,random:r=Math.random}=e;return c("minDelay",t,0),c("maxDelay",s,t),i!==1/0&&d("maxAttempts",i,1,Number.MAX_SAFE_INTEGER),({attempt:e})=>{if(!(e>=i))return Math.floor(r()*Math.min(s,t*2**(e-1)))}}var Te=class{#e;#t;#s=0;#i=1/0;constructor(e,t=()=>performance.now()){this.#e=e,this.#t=t}get failures(){return this.#s}made(){this.#i=this.#t()}startAnew(){this.#s=0}failed(e){return this.#t()-this.#i>=5e3&&this.startAnew(),this.#i=1/0,this.#e({attempt:++this.#s,error:e})}};async function ke(e,t={}){return await function(e,t){return new Be(("string"==typeof e?[e]:e).map(e=>({endpoint:e,options:t})))}(e,t).connect()}
return { Attempts: Te, backoff: $e, connect: ke, textFormat: D };
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
/** Silence after which the server is asked whether it is still there. */
const IDLE_TIMEOUT = 30_000;
/** For taking the name and the room from before an outage again. */
const RESTORE_TIMEOUT = 5_000;
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
      opened: () => {
        if (this.#token !== undefined) socket.send(this.#token);
        socket.send("/json");
      },
      took: (text) => {
        if (socket !== this.#socket) return;
        if (this.#state.kind === "open") this.#state.heardAt = Date.now();
        // At once: timers come late in a page that nobody looks at, and so does the rest of it.
        if (text.startsWith(PING_EVENT)) socket.send("/pong");
        else this.#user?.take(text);
      },
      ended: (code, reason) => {
        if (socket !== this.#socket) return;
        this.#user?.drain();
        if (code === WANTS_TOKEN && this.#state.kind === "connecting") this.#refuse(reason);
        else this.#lose(reason);
      },
    });
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
    this.#attempts.startAnew();
    this.connect();
  }

  /** Called when there is hope: the network is back, or the reader is. */
  hurry() {
    if (this.#state.kind === "waiting") this.connect();
    else if (this.#state.kind === "open" && this.#state.pingedAt === undefined) this.#ping();
  }

  /** Sends a line; one that cannot be sent is lost. */
  send(text) {
    this.#socket?.send(text);
  }

  /** The server has let us in, or said again that we are in. */
  welcome() {
    const socket = this.#socket;
    if (socket === undefined) return;
    const now = Date.now();
    this.#wasOpen = true;
    this.#attempts.made();
    this.#become({ kind: "open", socket, heardAt: now, pingedAt: undefined });
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
    if (state.kind === "leaving") {
      this.#user?.startAnew();
      return this.#become({ kind: "left", by: state.by });
    }
    // A server that takes and drops connections is not tried without pause.
    const delay = this.#attempts.failed(reason) ?? 0;
    if (state.kind === "open" && this.#attempts.failures === 1) this.#user?.startAnew();
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

/** Attempts to get one's name back: about a minute. */
const MAX_TRIES = 7;

class Restore {
  /** The name that the reader chose, in this window or another. */
  chosen = storage.get("name", "everywhere") || undefined;
  /**
   * What gives the name at once to whoever has it, also where the connection that was lost still has the
   * name. It is of this window alone: another one with the same name must not end this one's connection.
   */
  key;
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

  /** Begins a new round. */
  startAnew() {
    this.#left = [];
  }
}

// socket.ts

/** Connects to a server. */
function openSocket(endpoint, user) {
  const aborter = new AbortController();
  const opening = connect(endpoint, {
    format: textFormat(),
    connectTimeout: HELLO_TIMEOUT,
    signal: aborter.signal,
  });
  let send = (_) => {};
  run().catch(() => user.ended(undefined, ""));
  return { send: (text) => send(text), close: () => aborter.abort() };

  async function run() {
    const connection = await opening;
    send = (text) => void connection.send(text);
    user.opened();
    try {
      for await (const text of connection) user.took(text);
    } catch {
      // How it ended is told below.
    }
    const { code, reason = "" } = await connection.close();
    user.ended(code, reason);
  }
}

// main.ts

/** Where the page came from, and the other servers that it names. */
function namedServers() {
  const url = new URL(location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = url.search = "";
  const { content } = document.querySelector("meta[name=servers]");
  return new Servers(url.href, content.split(" ").filter((endpoint) => endpoint !== ""));
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
    </script>
  </body>
</html>
`;
