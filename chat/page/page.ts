/**
 * The chat's window. Generated from page.html by generate.ts: change that one.
 *
 * @module
 */

/** What the Content-Security-Policy lets run: the page's own script. */
export const SCRIPT_HASH = "sha256-56lh7gqJm7+VlMSLhcQ9DeNim/YAWanObTh4hdQMZmM=";

/** What the Content-Security-Policy lets style: the page's own sheet. */
export const STYLE_HASH = "sha256-QUyE9HwCWFFvd5qb1VXV9mWb7UlB+roVQUGk7fYNkL4=";

/** What tells this page from another version of it. */
export const PAGE_TAG = "pTuFYW54bhY1GJPX";

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
    // Everything that people or the server say is put into the page as text, never as markup.

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
    /** Milliseconds. */
    const HELLO_TIMEOUT = 10_000;
    const REPLY_TIMEOUT = 10_000;
    const IDLE_TIMEOUT = 30_000;
    const RESTORE_TIMEOUT = 5_000;
    /** Messages sent at once, and the pause between further ones: servers drop what comes faster. */
    const BURST = 3;
    const PACE = 600;
    const MIN_RETRY_DELAY = 500;
    const MAX_RETRY_DELAY = 30_000;
    /** Messages of one person this close together are shown under one name. */
    const SAME_BREATH = 5 * 60_000;
    const LOBBY = "lobby";
    const PING = "still-there";
    const COMMANDS =
      "announce away ban help history ignore join kick leave me msg nick operator ping quit rooms search stats topic unban unignore who"
        .split(" ");

    const $ = (id) => document.getElementById(id);
    const [line, scroller, entries, side] = ["line", "scroller", "entries", "side"].map($);

    const storage = {
      /** Storage may be switched off; the page then forgets. */
      get(key, everywhere = false) {
        try {
          const kept = sessionStorage.getItem(\`lengthwise.\${key}\`);
          return kept ?? (everywhere ? localStorage.getItem(\`lengthwise.\${key}\`) : null);
        } catch {
          return null;
        }
      },
      set(key, value, everywhere = false) {
        try {
          sessionStorage.setItem(\`lengthwise.\${key}\`, value);
          if (everywhere) localStorage.setItem(\`lengthwise.\${key}\`, value);
        } catch {
          // Full or forbidden: the page works without.
        }
      },
      json(key, check) {
        try {
          const value = JSON.parse(this.get(key));
          return check(value) ? value : undefined;
        } catch {
          return undefined;
        }
      },
    };

    /** What is shown. */
    const view = {
      room: storage.get("room") ?? LOBBY,
      me: "",
      topic: "",
      /** People of this room, by the key of their name. */
      people: new Map(),
      /** Those that the server did not list. */
      unlisted: 0,
      rooms: [],
      /** The last id seen in each room. */
      seen: new Map(storage.json("seen", Array.isArray) ?? []),
      /** Messages that are shown, by id and time: a server without a file counts anew after a restart. */
      shown: new Map(),
      /** Private messages, which belong to no room. */
      tells: [],
      /** Whether the server has older messages than the first one here. */
      more: false,
      /** Whether the next history is the one that comes on entering a room. */
      entering: true,
      /** The history that was asked for, if any. */
      asked: undefined,
      /** Whether the newest message is in sight and should stay there. */
      atEnd: true,
      below: 0,
      missed: 0,
      markedNew: undefined,
    };

    /** The way to the server; state: connecting, open, waiting, refused, left. */
    const link = {
      state: "connecting",
      socket: undefined,
      token: undefined,
      attempts: 0,
      timer: undefined,
      retryAt: 0,
      reason: "",
      /** Lines that came before the welcome. */
      preamble: [],
      welcomed: false,
      openedAt: 0,
      heardAt: 0,
      pingedAt: 0,
      everOpen: false,
      sentAway: false,
      /** Whether the next list of rooms is the first of this connection. */
      firstRooms: true,
      /** The room in which the server put this member. */
      home: LOBBY,
      /** What is taken again after an outage: a name, a room. */
      restoring: { name: undefined, room: undefined },
      wantedName: storage.get("name", true) ?? undefined,
      nameTries: 0,
      nameTimer: undefined,
      restoreTimer: undefined,
    };

    /** What was said but not seen to arrive; state: waiting, sent, doubtful, refused. */
    const outbox = (storage.json("outbox", Array.isArray) ?? []).slice(0, MAX_KEPT);
    /** Commands typed here whose answer is to be shown. */
    const typed = new Set();
    let lastSent = "message";
    let keptOutbox;

    const keyOf = (name) => name.normalize("NFKC").toLowerCase();
    const textOf = (value) => {
      const text = String(value ?? "");
      return text.length > MAX_SHOWN
        ? \`\${text.slice(0, MAX_SHOWN)}… (\${text.length} characters)\`
        : text;
    };
    const isMe = (name) => keyOf(name) === keyOf(view.me);
    const roomLabel = (name) => name.startsWith("#") ? name : \`#\${name}\`;
    const plural = (count, one, many) => \`\${count} \${count === 1 ? one : many}\`;

    function make(tag, properties = {}, ...children) {
      const element = Object.assign(document.createElement(tag), properties);
      element.append(...children);
      return element;
    }

    // What came in is taken once per frame, and what it changes is drawn once after that: a busy room must
    // not cost a layout per message.

    const inbox = { texts: [], state: "idle", drawn: new Set(), frame: 0, timer: undefined };

    function take(text) {
      inbox.texts.push(text);
      if (inbox.state !== "idle") return;
      inbox.state = "waiting";
      inbox.frame = requestAnimationFrame(drain);
      // There are no frames while nobody looks.
      inbox.timer = setTimeout(drain, 100);
    }

    function drain() {
      cancelAnimationFrame(inbox.frame);
      clearTimeout(inbox.timer);
      inbox.state = "draining";
      try {
        for (const text of inbox.texts.splice(0)) hear(text);
      } finally {
        inbox.state = "idle";
        for (const draw of inbox.drawn) draw();
        inbox.drawn.clear();
        settle();
      }
    }

    /** Draws now, or after what is being taken. */
    function soon(draw) {
      if (inbox.state === "draining") inbox.drawn.add(draw);
      else draw();
    }

    const showRooms = () => soon(drawRooms);
    const showPeople = () => soon(drawPeople);
    const showTitle = () => soon(drawTitle);
    const showOutbox = () => soon(drawOutbox);

    // Entries of the log

    const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
    const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
    const both = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

    function dateOf(time) {
      const date = new Date(Number(time));
      return Number.isNaN(date.getTime()) ? new Date() : date;
    }

    function timeElement(date) {
      return make("time", {
        dateTime: date.toISOString(),
        title: both.format(date),
        textContent: clock.format(date),
      });
    }

    /** One of 24 hues, the same for a name wherever it is seen. */
    function hueOf(name) {
      let hash = 2166136261;
      for (const character of keyOf(name)) {
        hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
      }
      return ((hash >>> 8) % 24) * 15;
    }

    function nameElement(name) {
      const element = make("bdi", { className: "name", textContent: textOf(name) });
      element.style.setProperty("--hue", hueOf(name));
      return element;
    }

    /** Text with links to http and https, and the reader's own name marked. */
    function fillText(element, text, mine = false) {
      let end = 0;
      for (const found of text.matchAll(/\\bhttps?:\\/\\/[^\\s<>"'\`\\\\]+/giu)) {
        const address = found[0].replace(/[.,:;!?)\\]}*_~]+$/u, "");
        const url = URL.canParse(address) ? new URL(address) : undefined;
        // An address with a user name in front looks like another host than it leads to.
        if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) continue;
        fillMarked(element, text.slice(end, found.index), mine);
        element.append(make("a", {
          href: url.href,
          title: url.href,
          target: "_blank",
          rel: "noopener noreferrer",
          textContent: address,
        }));
        end = found.index + address.length;
      }
      fillMarked(element, text.slice(end), mine);
    }

    function fillMarked(element, text, mine) {
      const pattern = mine ? undefined : mentionPattern();
      let end = 0;
      for (const found of pattern ? text.matchAll(pattern) : []) {
        element.append(text.slice(end, found.index), make("mark", { textContent: found[0] }));
        end = found.index + found[0].length;
      }
      element.append(text.slice(end));
    }

    function mentionPattern() {
      if (view.me === "") return undefined;
      const name = view.me.replace(/[\\\\^$.*+?()[\\]{}|/]/g, "\\\\$&");
      try {
        return new RegExp(\`(?<![\\\\p{L}\\\\p{N}_-])\${name}(?![\\\\p{L}\\\\p{N}_-])\`, "giu");
      } catch {
        return undefined;
      }
    }

    function entry(kind, time, author = "") {
      const date = dateOf(time);
      const element = make("div", { className: \`entry \${kind}\` }, timeElement(date));
      element.dataset.time = date.getTime();
      element.dataset.author = \`\${kind} \${keyOf(author)}\`;
      return element;
    }

    function messageEntry({ type, id, name, text, time }) {
      const kind = type === "me" ? "me" : "say";
      const mine = isMe(name);
      const element = entry(kind, time, name);
      if (id !== undefined) element.dataset.id = id;
      const shown = make("span", { className: "text" });
      fillText(shown, textOf(text), mine);
      const colon = make("span", { className: "unseen", textContent: kind === "say" ? ": " : "" });
      element.append(make("div", {}, nameElement(name), colon, kind === "me" ? " " : "", shown));
      if (!mine && mentionPattern()?.test(textOf(text))) element.classList.add("mention");
      return element;
    }

    function tellEntry({ from, to, text, time }) {
      const mine = isMe(from);
      const element = entry("tell", time, \`\${from} \${to}\`);
      const shown = make("span", { className: "text" });
      fillText(shown, textOf(text), true);
      const who = mine
        ? make("span", { className: "who" }, "You, privately to ", nameElement(to))
        : make("span", { className: "who" }, nameElement(from), " privately to you");
      element.append(make("div", {}, who, make("span", { className: "unseen" }, ": "), shown));
      return element;
    }

    function noticeEntry(text, error) {
      const element = entry(error ? "notice error" : "notice", Date.now());
      const shown = make("span", { className: "text" });
      fillText(shown, textOf(text), true);
      element.append(make("div", {}, shown));
      return element;
    }

    /** Sets what depends on the entry before: the day, and whether the name is shown again. */
    function arrange(element) {
      if (!element) return;
      const before = element.previousElementSibling;
      const [time, last] = [element, before].map((one) => Number(one?.dataset.time ?? 0));
      const day = calendar.format(time);
      const newDay = before ? day !== calendar.format(last) : true;
      element.querySelector(".day")?.remove();
      if (newDay) element.prepend(make("div", { className: "day" }, day));
      const follows = !newDay && element.classList.contains("say") &&
        before.dataset.author === element.dataset.author && time - last < SAME_BREATH;
      element.classList.toggle("follows", follows);
    }

    /** Puts entries before another one, or at the end. */
    function insert(elements, before = null) {
      if (elements.length === 0) return;
      const fragment = document.createDocumentFragment();
      fragment.append(...elements);
      const moves = before !== null && !view.atEnd;
      const [height, top] = moves ? [scroller.scrollHeight, scroller.scrollTop] : [];
      entries.insertBefore(fragment, before);
      for (const element of elements) arrange(element);
      arrange(before);
      if (moves) scroller.scrollTop = top + scroller.scrollHeight - height;
      if (before === null && !view.atEnd) view.below += elements.length;
      trim();
      settle();
    }

    /** Drops the oldest entries above the limit, and keeps what is read where it is. */
    function trim() {
      const surplus = entries.childElementCount - MAX_ENTRIES;
      if (surplus <= 0) return;
      const [height, top] = view.atEnd ? [] : [scroller.scrollHeight, scroller.scrollTop];
      for (let i = 0; i < surplus; i++) {
        const { dataset } = entries.firstElementChild;
        view.shown.delete(\`\${dataset.id}/\${dataset.time}\`);
        if (dataset.id !== undefined) view.more = true;
        entries.firstElementChild.remove();
      }
      arrange(entries.firstElementChild);
      if (!view.atEnd) scroller.scrollTop = top - (height - scroller.scrollHeight);
    }

    /** Keeps the newest message in sight, unless the reader has scrolled up. */
    function settle() {
      if (inbox.state === "draining") return;
      if (!document.hidden && view.atEnd) scroller.scrollTop = scroller.scrollHeight;
      const full = entries.childElementCount >= MAX_ENTRIES;
      $("top").textContent = view.entering && view.shown.size === 0
        ? ""
        : full
        ? \`The newest \${MAX_ENTRIES} lines are shown. /search TEXT finds older ones.\`
        : view.more
        ? "Scroll up for older messages"
        : \`This is the beginning of \${roomLabel(view.room)}.\`;
      $("newer").hidden = view.atEnd;
      $("newer").textContent = view.below === 0 ? "To the newest" : \`\${view.below} new below\`;
      if (!document.hidden && scroller.scrollTop < 100) loadOlder();
    }

    /** Does something to the log that a screen reader should not read out, such as loading old messages. */
    function quietly(change) {
      entries.setAttribute("aria-live", "off");
      change();
      setTimeout(() => entries.setAttribute("aria-live", "polite"), 200);
    }

    function notice(text, error = false) {
      insert([noticeEntry(text, error)]);
    }

    // Messages and history

    const shownKey = ({ id, time }) => \`\${id}/\${dateOf(time).getTime()}\`;

    function isMessage(message) {
      return typeof message === "object" && message !== null && Number.isInteger(message.id) &&
        typeof message.name === "string" && typeof message.text === "string";
    }

    /** Entries for those messages that are not shown yet. */
    function freshEntries(messages) {
      const fresh = [];
      for (const message of messages) {
        if (view.shown.has(shownKey(message))) continue;
        const element = messageEntry(message);
        view.shown.set(shownKey(message), element);
        confirm(message);
        fresh.push(element);
      }
      return fresh;
    }

    function see(id) {
      if (id > (view.seen.get(view.room) ?? 0)) view.seen.set(view.room, id);
      soon(keepSeen);
    }

    function keepSeen() {
      storage.set("seen", JSON.stringify([...view.seen].slice(-MAX_LISTED)));
    }

    function onMessage(message) {
      if (!isMessage(message) || message.room !== view.room) return;
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

    function markNew(element) {
      view.markedNew?.classList.remove("first-new");
      view.markedNew = element;
      element?.classList.add("first-new");
    }

    function onHistory({ room, messages, more }) {
      if (room !== view.room || !Array.isArray(messages)) return;
      const all = messages.filter(isMessage);
      const asked = view.asked;
      if (view.entering) {
        view.entering = false;
        quietly(() => entered(all, more === true));
      } else if (asked && (all.length === 0 || all.at(-1).id < asked.before)) {
        view.asked = undefined;
        quietly(() => (asked.anchor ? fillGap : addOlder)(asked, all, more === true));
      } else {
        const fresh = freshEntries(all);
        const newest = all.length > 0 && all.at(-1).id > (firstId() ?? 0);
        insert(fresh, newest ? null : entries.firstElementChild);
      }
      settle();
    }

    /** The history that comes on entering a room, which is also what was missed in an outage. */
    function entered(all, more) {
      const again = view.shown.size > 0;
      const overlaps = all.some((message) => view.shown.has(shownKey(message)));
      const seen = view.seen.get(view.room) ?? Infinity;
      const fresh = freshEntries(all);
      if (!again) {
        view.more = more;
        const first = dateOf(all[0]?.time ?? 0).getTime();
        const tells = view.tells.filter(({ time }) => time >= first).map(tellEntry);
        const sorted = [...fresh, ...tells].sort((a, b) => a.dataset.time - b.dataset.time);
        insert(sorted, entries.firstElementChild);
      } else {
        insert(fresh);
        if (!overlaps && more && fresh.length > 0) askGap(all[0].id, fresh[0], 1);
        else if (!overlaps) forgetIds(fresh);
      }
      const unseen = all.findIndex((message) => message.id > seen && !isMe(message.name));
      if (unseen > 0 || (again && unseen === 0)) markNew(view.shown.get(shownKey(all[unseen])));
      if (all.length > 0) see(all.at(-1).id);
    }

    /** Asks for what lies between the messages shown before an outage and those after it. */
    function askGap(before, anchor, pages) {
      view.asked = { before, anchor, pages, at: Date.now() };
      send(\`/history \${PAGE * 2} before \${before}\`);
    }

    function fillGap({ anchor, pages }, all, more) {
      const overlaps = all.some((message) => view.shown.has(shownKey(message)));
      const fresh = freshEntries(all);
      insert(fresh, anchor);
      if (overlaps) return;
      if (more && fresh.length > 0 && pages < MAX_GAP_PAGES) {
        askGap(all[0].id, fresh[0], pages + 1);
      } else if (more) {
        // Too long an outage: the window begins after it, and scrolling up loads the rest.
        while (entries.firstElementChild !== (fresh[0] ?? anchor)) {
          const { dataset } = entries.firstElementChild;
          view.shown.delete(\`\${dataset.id}/\${dataset.time}\`);
          entries.firstElementChild.remove();
        }
        arrange(entries.firstElementChild);
        view.more = true;
      } else {
        forgetIds([...entries.children].slice([...entries.children].indexOf(fresh[0] ?? anchor)));
      }
    }

    /** The server no longer knows the messages above: they stay to be read, but no history is before them. */
    function forgetIds(kept) {
      const keep = new Set(kept);
      for (const element of entries.children) if (!keep.has(element)) delete element.dataset.id;
      view.more = false;
    }

    const firstId = () => {
      const first = entries.querySelector("[data-id]");
      return first ? Number(first.dataset.id) : undefined;
    };

    function loadOlder() {
      const before = firstId();
      if (link.state !== "open" || view.asked || view.entering || !view.more || before === undefined) {
        return;
      }
      if (entries.childElementCount >= MAX_ENTRIES) return;
      view.asked = { before, at: Date.now() };
      send(\`/history \${PAGE} before \${before}\`);
    }

    function addOlder(_asked, all, more) {
      const room = MAX_ENTRIES - entries.childElementCount;
      const fitting = all.slice(Math.max(0, all.length - room));
      const fresh = freshEntries(fitting);
      // A server that repeats itself must not be asked for ever.
      view.more = more && fresh.length > 0;
      insert(fresh, entries.firstElementChild);
    }

    function onFound({ room, query, messages }) {
      const all = (Array.isArray(messages) ? messages : []).filter(isMessage);
      const count = all.length === 0 ? "Nothing" : plural(all.length, "message", "messages");
      notice(\`\${count} found for “\${textOf(query)}” in \${roomLabel(textOf(room))}.\`);
      insert(all.map((message) => {
        const element = messageEntry({ ...message, id: undefined });
        element.classList.add("found");
        element.dataset.author = "found";
        element.querySelector("time").textContent = both.format(dateOf(message.time));
        element.querySelector("div").prepend(element.querySelector("time"), " ");
        element.prepend(make("time"));
        element.dataset.time = Date.now();
        return element;
      }));
    }

    // Rooms and people

    function enterRoom(name, topic) {
      const before = view.room;
      const same = keyOf(name) === keyOf(before);
      if (same) { for (const item of outbox) if (item.room === before) item.room = name; }
      link.restoring.room = undefined;
      view.room = name;
      view.entering = true;
      view.asked = undefined;
      view.topic = textOf(topic);
      if (!same) {
        view.people.clear();
        view.shown.clear();
        view.more = false;
        view.below = 0;
        view.atEnd = true;
        markNew(undefined);
        entries.replaceChildren();
      }
      storage.set("room", name);
      restored();
      showRooms();
      showPeople();
      showTitle();
      settle();
      flush();
    }

    function onWho({ room, members, more }) {
      if (room !== view.room || !Array.isArray(members)) return;
      view.people = new Map(
        members.filter((one) => typeof one?.name === "string").map((one) => [keyOf(one.name), one]),
      );
      view.unlisted = Number.isInteger(more) ? more : 0;
      showPeople();
      showRooms();
      if (typed.delete("who")) {
        const names = [...view.people.values()].map(({ name }) => name);
        const others = view.unlisted > 0 ? \` and \${view.unlisted} more\` : "";
        notice(\`\${names.length + view.unlisted} here: \${names.join(", ")}\${others}.\`);
      }
    }

    function onRooms({ rooms }) {
      if (!Array.isArray(rooms)) return;
      view.rooms = rooms.filter((room) => typeof room?.name === "string").slice(0, MAX_LISTED);
      const names = new Set(view.rooms.map(({ name }) => name));
      for (const name of view.seen.keys()) {
        if (!names.has(name) && name !== view.room) view.seen.delete(name);
      }
      for (const { name, last, topic } of view.rooms) {
        const seen = view.seen.get(name);
        if (name === view.room) view.topic = textOf(topic ?? view.topic);
        // A room is new to this window, or the server counts anew.
        else if (seen === undefined || (link.firstRooms && last < seen)) view.seen.set(name, last);
      }
      link.firstRooms = false;
      showRooms();
      showTitle();
      if (typed.delete("rooms")) {
        notice(
          view.rooms.map(({ name, members }) => \`\${roomLabel(name)} (\${members})\`).join(", ") ||
            "There are no rooms.",
        );
      }
    }

    const isUnread = ({ name, last }) => name !== view.room && last > (view.seen.get(name) ?? last);

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

    /** Brings a list up to date without touching what stays, so that the focus stays too. */
    function reconcile(list, items, update) {
      const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
      let place = list.firstElementChild;
      for (const item of items) {
        let child = old.get(item.name);
        if (child === undefined) {
          const parts = ["label", "tag", "count"].map((className) => make("span", { className }));
          child = make("li", {}, make("button", { type: "button" }, ...parts));
          child.dataset.key = item.name;
        } else old.delete(item.name);
        update(child.firstElementChild, item);
        if (child === place) place = place.nextElementSibling;
        else list.insertBefore(child, place);
      }
      for (const child of old.values()) child.remove();
    }

    function drawRooms() {
      const rooms = sortedRooms();
      reconcile($("rooms"), rooms, (button, room) => {
        const [label, tag, count] = button.children;
        label.textContent = roomLabel(room.name);
        label.dir = "auto";
        count.textContent = String(room.members ?? "");
        count.title = plural(room.members ?? 0, "person", "people");
        tag.textContent = isUnread(room) ? "new" : "";

        button.title = textOf(room.topic);
        button.classList.toggle("unread", isUnread(room));
        if (room.name === view.room) button.setAttribute("aria-current", "page");
        else button.removeAttribute("aria-current");
        button.onclick = () => goTo(room.name);
      });
      $("menu").classList.toggle("unread", rooms.some(isUnread));
      $("room").textContent = roomLabel(view.room);
      $("topic").textContent = view.topic;
      $("topic").title = view.topic;
      line.placeholder = \`Message \${roomLabel(view.room)}\`;
    }

    function drawPeople() {
      const people = [...view.people.values()].sort((a, b) => a.name.localeCompare(b.name));
      reconcile($("people"), people.slice(0, MAX_LISTED), (button, person) => {
        const [label, tag] = button.children;
        const marks = [
          person.operator && "operator",
          person.away !== undefined ? "away" : person.silent && "silent",
          isMe(person.name) && "you",
        ].filter(Boolean);
        label.replaceChildren(nameElement(person.name));
        tag.textContent = marks.join(", ");
        button.classList.toggle("away", person.away !== undefined || person.silent === true);
        button.title = person.away ? \`Away: \${textOf(person.away)}\` : "Write privately";
        button.onclick = () => writePrefix(\`/msg \${person.name} \`);
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

    function goTo(room) {
      closePanel();
      if (room !== view.room) command(\`/join \${room}\`);
      line.focus();
    }

    function step(by, unreadOnly) {
      const rooms = sortedRooms();
      const at = rooms.findIndex(({ name }) => name === view.room);
      for (let i = 1; i < rooms.length; i++) {
        const room = rooms[(at + by * i + rooms.length * i) % rooms.length];
        if (!unreadOnly || isUnread(room)) return goTo(room.name);
      }
    }

    function onCame({ type, room, name }) {
      if (room !== view.room || typeof name !== "string") return;
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

    function onNick({ from, to }) {
      if (typeof from !== "string" || typeof to !== "string") return;
      const person = view.people.get(keyOf(from));
      view.people.delete(keyOf(from));
      if (isMe(from)) {
        view.me = to;
        link.wantedName = /^guest-\\d+$/i.test(to) ? undefined : to;
        storage.set("name", link.wantedName ?? "", true);
        link.restoring.name = undefined;
        clearTimeout(link.nameTimer);
        notice(\`You are \${textOf(to)} now.\`);
      } else if (person) notice(\`\${textOf(from)} is now \${textOf(to)}.\`);
      if (person) view.people.set(keyOf(to), { ...person, name: to });
      showPeople();
      restored();
    }

    function onMarked(event) {
      const { type, name } = event;
      const person = typeof name === "string" ? view.people.get(keyOf(name)) : undefined;
      // Who has long said nothing is worth a mark in the list, not a line.
      if (type === "silent") {
        if (person) person.silent = event.silent === true;
      } else {
        const text = event.text === undefined ? undefined : textOf(event.text);
        if (person) person.away = text;
        const who = isMe(String(name)) ? "You are" : \`\${textOf(name)} is\`;
        notice(\`\${who} \${text === undefined ? "back." : \`away: \${text}\`}\`);
      }
      showPeople();
    }

    function onTopic({ room, name, text }) {
      if (room !== view.room) return;
      view.topic = textOf(text);
      showRooms();
      notice(view.topic ? \`\${name} set the topic: \${view.topic}\` : \`\${name} cleared the topic.\`);
    }

    function onTell(event) {
      const { from, to, text } = event;
      if ([from, to, text].some((value) => typeof value !== "string")) return;
      view.tells.push(event);
      if (view.tells.length > MAX_KEPT) view.tells.shift();
      if (document.hidden && !isMe(from)) view.missed++;
      insert([tellEntry(event)]);
      showTitle();
    }

    // The connection

    function connect() {
      clearTimeout(link.timer);
      const url = new URL(location.href);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      url.hash = url.search = "";
      const socket = new WebSocket(url);
      Object.assign(link, { socket, preamble: [], welcomed: false, heardAt: Date.now(), pingedAt: 0 });
      socket.binaryType = "arraybuffer";
      socket.onopen = () => {
        if (link.token !== undefined) socket.send(link.token);
        socket.send("/json");
      };
      socket.onmessage = ({ data }) => {
        if (socket !== link.socket) return;
        link.heardAt = Date.now();
        take(typeof data === "string" ? data : new TextDecoder().decode(data));
      };
      socket.onclose = ({ reason }) => {
        if (socket !== link.socket) return;
        drain();
        if (socket === link.socket) lose(reason);
      };
      link.timer = setTimeout(() => lose("the server does not answer"), HELLO_TIMEOUT);
      setState("connecting");
    }

    /** What the server says, in its own words until it has taken /json. */
    function hear(text) {
      let event;
      try {
        event = JSON.parse(text);
      } catch {
        // A plain line.
      }
      if (typeof event?.type !== "string") return hearLine(text);
      const act = ACTIONS[event.type];
      if (act && (link.welcomed || event.type === "welcome")) act(event);
    }

    function hearLine(text) {
      const plain = text.replace(/^\\* /, "").trimEnd();
      if (link.welcomed) return notice(plain);
      if (link.preamble.length === 0 && text.startsWith("* Cannot join")) return refuse(plain);
      if (link.preamble.length < MAX_KEPT) link.preamble.push(plain);
    }

    function onWelcome({ name, room }) {
      clearTimeout(link.timer);
      Object.assign(link, { welcomed: true, openedAt: Date.now(), reason: "", firstRooms: true });
      link.everOpen = true;
      link.sentAway = false;
      view.me = String(name);
      view.asked = undefined;
      view.entering = true;
      const wanted = link.wantedName;
      if (wanted && keyOf(wanted) !== keyOf(view.me)) {
        link.restoring.name = wanted;
        link.nameTries = 0;
        send(\`/nick \${wanted}\`);
      }
      if (room !== view.room) {
        link.restoring.room = view.room;
        link.home = room;
        send(\`/join \${view.room}\`);
      }
      clearTimeout(link.restoreTimer);
      link.restoreTimer = setTimeout(() => {
        link.restoring.name = undefined;
        giveUpRoom();
      }, RESTORE_TIMEOUT);
      setState("open");
      showPeople();
      restored();
    }

    /** The room from before cannot be joined: the page shows the one that the server chose. */
    function giveUpRoom() {
      if (link.restoring.room === undefined) return;
      link.restoring.room = undefined;
      enterRoom(link.home, "");
      send("/who");
      send(\`/history \${PAGE}\`);
    }

    /** Once name and room are as before, what was written meanwhile goes out. */
    function restored() {
      if (link.state === "open" && !link.restoring.name && !link.restoring.room) flush();
    }

    function onNotice({ text, error }) {
      if (typeof text !== "string") return;
      if (error && /^(You were (kicked|banned) by |Disconnected: )/.test(text)) link.sentAway = true;
      if (error && link.restoring.room !== undefined && /^Cannot (join|enter)/.test(text)) giveUpRoom();
      if (link.restoring.name !== undefined && /^Cannot (use|take) the name/.test(text)) {
        return retryName(text);
      }
      if (error && lastSent === "message") {
        const item = outbox.find(({ state }) => state === "sent");
        if (item) item.state = "refused";
        showOutbox();
      }
      notice(text, error === true);
    }

    /** After an outage the name may still belong to the connection that was lost. */
    function retryName(text) {
      const wanted = link.restoring.name;
      link.restoring.name = undefined;
      if (link.nameTries === 0) notice(\`\${text} It is tried again for a minute.\`, true);
      restored();
      if (link.nameTries++ >= 6) {
        return notice(\`The name \${wanted} stays taken: /nick chooses another.\`);
      }
      clearTimeout(link.nameTimer);
      link.nameTimer = setTimeout(() => {
        if (link.state !== "open" || link.wantedName !== wanted || isMe(wanted)) return;
        link.restoring.name = wanted;
        send(\`/nick \${wanted}\`);
      }, 1000 * 2 ** (link.nameTries - 1));
    }

    /** The server wants a token, or nobody. */
    function refuse(text) {
      close();
      setState("refused");
      // Without a token none can be wrong; that one is wanted is said above.
      $("ask-reason").textContent = link.token === undefined ? "" : textOf(text);
      $("ask-reason").hidden = link.token === undefined;
      $("token").value = "";
      $("token").focus();
    }

    /** Lets go of the socket; nothing more is heard from it. */
    function close() {
      clearTimeout(link.timer);
      clearTimeout(link.nameTimer);
      clearTimeout(link.restoreTimer);
      const { socket } = link;
      link.socket = undefined;
      inbox.texts.length = 0;
      link.restoring = { name: undefined, room: undefined };
      socket?.close();
      view.asked = undefined;
      for (const item of outbox) if (item.state === "sent") item.state = "doubtful";
    }

    function lose(reason) {
      const { welcomed, preamble, openedAt } = link;
      close();
      // Who was sent away comes back by its own decision only.
      if (link.state === "left" || link.sentAway) return setState("left");
      // A server that takes and drops connections must not be tried without pause.
      if (welcomed && Date.now() - openedAt > 5000) link.attempts = 0;
      const most = Math.min(MAX_RETRY_DELAY, MIN_RETRY_DELAY * 2 ** link.attempts++);
      const delay = Math.random() * most;
      link.reason = textOf(reason || (welcomed ? "" : preamble.at(-1))).replace(/\\.$/, "");
      link.retryAt = Date.now() + delay;
      link.timer = setTimeout(connect, delay);
      setState("waiting");
    }

    /** Called when there is hope: the network is back, or the reader is. */
    function hurry() {
      if (link.state === "waiting") connect();
      else if (link.state === "open" && link.pingedAt === 0) ping();
    }

    function ping() {
      link.pingedAt = Date.now();
      send(\`/ping \${PING}\`);
    }

    function onPong({ text }) {
      if (text !== PING) return notice(\`pong \${textOf(text)}\`.trim());
      if (link.pingedAt > 0) $("state").title = \`Answer in \${Date.now() - link.pingedAt} ms\`;
      link.pingedAt = 0;
    }

    function send(text) {
      if (link.socket?.readyState === WebSocket.OPEN) link.socket.send(text);
    }

    function setState(state) {
      link.state = state;
      const words = {
        connecting: link.everOpen ? "Reconnecting" : "Connecting",
        open: "Connected",
        waiting: "Not connected",
        refused: "Not admitted",
        left: "Not connected",
      };
      const box = $("state");
      if (box.textContent !== words[state]) box.textContent = words[state];
      box.dataset.state = state;
      const isRefused = state === "refused";
      const wasAsked = $("ask").contains(document.activeElement);
      $("ask").hidden = !isRefused;
      for (const element of [scroller, document.querySelector("footer"), $("new-room"), $("rename")]) {
        element.hidden = isRefused;
      }
      // The field that had the focus has gone, and what was typed there has been taken.
      if (!isRefused && wasAsked) line.focus();
      showBanner();
      showOutbox();
    }

    function showBanner() {
      const { state, reason, retryAt, everOpen } = link;
      $("banner").hidden = state !== "waiting" && state !== "left" &&
        !(state === "connecting" && link.attempts > 0);
      $("retry").hidden = state === "connecting";
      $("retry").textContent = state === "left" ? "Join again" : "Try now";
      const seconds = Math.ceil((retryAt - Date.now()) / 1000);
      const what = everOpen ? "The connection was lost" : "The server cannot be reached";
      $("banner-text").textContent = state === "left"
        ? link.sentAway ? "You were disconnected." : "You have left the chat."
        : \`\${what}\${reason ? \`: \${reason}\` : ""}. \${
          navigator.onLine ? "" : "This device seems to be offline. "
        }\${state === "connecting" || seconds <= 0 ? "Trying now…" : \`Next try in \${seconds} s.\`}\`;
    }

    setInterval(() => {
      const now = Date.now();
      if (link.state === "waiting") showBanner();
      if (view.asked && now - view.asked.at > REPLY_TIMEOUT) view.asked = undefined;
      if (link.state !== "open") return;
      if (link.pingedAt > 0 && link.heardAt < link.pingedAt && now - link.pingedAt > REPLY_TIMEOUT) {
        return lose("the server does not answer");
      }
      if (link.pingedAt > 0 && link.heardAt >= link.pingedAt + REPLY_TIMEOUT) link.pingedAt = 0;
      if (link.pingedAt === 0 && now - link.heardAt > IDLE_TIMEOUT) ping();
      for (const item of outbox) {
        if (item.state === "sent" && now - item.at > REPLY_TIMEOUT) item.state = "doubtful";
      }
      showOutbox();
    }, 1000);

    const ACTIONS = {
      __proto__: null,
      welcome: onWelcome,
      say: onMessage,
      me: onMessage,
      tell: onTell,
      join: onCame,
      leave: onCame,
      nick: onNick,
      away: onMarked,
      silent: onMarked,
      topic: onTopic,
      room: ({ name, topic }) => enterRoom(String(name), topic),
      who: onWho,
      rooms: onRooms,
      history: onHistory,
      found: onFound,
      pong: onPong,
      notice: onNotice,
    };

    // What is written

    const pace = { left: BURST, since: 0, timer: undefined };

    /** Sends what is waiting for this room, no faster than servers take it. */
    function flush() {
      const { state, restoring } = link;
      clearTimeout(pace.timer);
      const now = Date.now();
      const earned = Math.floor((now - pace.since) / PACE);
      if (earned > 0) {
        pace.left = Math.min(BURST, pace.left + earned);
        pace.since = now;
      }
      if (state === "open" && !restoring.name && !restoring.room) {
        for (const item of outbox) {
          if (item.state !== "waiting" || item.room !== view.room) continue;
          if (pace.left === 0) {
            pace.timer = setTimeout(flush, PACE);
            break;
          }
          pace.left--;
          item.state = "sent";
          item.at = now;
          lastSent = "message";
          send(item.text);
        }
      }
      showOutbox();
    }

    /** A message of one's own has come back, so it has arrived. */
    function confirm({ type, name, text }) {
      if (outbox.length === 0 || !(isMe(name) || name === link.wantedName)) return;
      const kind = type === "me" ? "me" : "say";
      const mine = outbox.filter((item) => item.state === "sent" || item.state === "doubtful");
      const same = mine.find((item) =>
        wordsOf(item.text).kind === kind && wordsOf(item.text).text === text
      );
      // The server may show characters differently; it answers in order.
      const item = same ??
        mine.find(({ state, text }) => state === "sent" && wordsOf(text).kind === kind);
      if (item) drop(item);
    }

    function wordsOf(text) {
      if (/^\\/me\\s/.test(text)) return { kind: "me", text: text.slice(4).trim() };
      return { kind: "say", text: text.replace(/^\\/\\//, "/") };
    }

    function drop(item) {
      outbox.splice(outbox.indexOf(item), 1);
      showOutbox();
    }

    function drawOutbox() {
      const kept = JSON.stringify(outbox.map(({ text, room, state }) => ({
        text,
        room,
        state: state === "sent" ? "doubtful" : state,
      })));
      if (kept !== keptOutbox) storage.set("outbox", keptOutbox = kept);
      // What arrives at once is not worth a line.
      const now = Date.now();
      const shown = outbox.filter(({ state, at }) => state !== "sent" || now - at > 1000);
      const list = $("outbox").firstElementChild;
      $("outbox").hidden = shown.length === 0;
      const state = JSON.stringify(
        shown.map((item) => [item.text, item.state, item.room === view.room]),
      );
      if (list.dataset.shown === state) return;
      list.dataset.shown = state;
      list.replaceChildren(...shown.map((item) => {
        const words = {
          waiting: item.room === view.room ? "Waiting" : \`Waiting for \${roomLabel(item.room)}\`,
          sent: "Sending",
          doubtful: "Perhaps not delivered",
          refused: "Not taken",
        };
        const text = make("span", { className: "text", textContent: textOf(item.text), dir: "auto" });
        const row = make("li", {}, make("span", {}, words[item.state]), text);
        if (item.state === "doubtful" || item.state === "refused") {
          row.append(make("button", {
            type: "button",
            textContent: "Send again",
            onclick: () => {
              item.state = "waiting";
              line.focus();
              flush();
            },
          }));
        }
        row.append(make("button", {
          type: "button",
          textContent: "Discard",
          onclick: () => {
            line.focus();
            drop(item);
          },
        }));
        return row;
      }));
      settle();
    }

    /** Sends a command; false when there is no connection. */
    function command(text) {
      const [name, argument] = /^\\/(\\S*)\\s*(.*)$/s.exec(text).slice(1);
      if (link.state !== "open") {
        notice(\`Not connected: /\${name} was not sent.\`, true);
        return false;
      }
      if (name === "quit") {
        // The server closes; that is no reason to come back.
        link.state = "left";
      }
      if (name === "nick") {
        clearTimeout(link.nameTimer);
        link.restoring.name = undefined;
        if (argument) link.wantedName = undefined;
      }
      typed.add(name);
      lastSent = "command";
      send(text);
      return true;
    }

    const lines = { sent: [], at: undefined, draft: "" };

    function submit() {
      const text = line.value.replace(/[\\r\\n]+/g, " ").trimEnd();
      if (text.trim() === "") return;
      if (text.length > MAX_LINE) return countLeft();
      const isCommand = text.startsWith("/") && !text.startsWith("//") && !/^\\/me\\s/.test(text);
      if (isCommand) {
        if (!command(text)) return;
      } else {
        if (outbox.length >= MAX_KEPT) return notice(\`\${MAX_KEPT} messages wait already.\`, true);
        outbox.push({ text, room: view.room, state: "waiting", at: Date.now() });
        flush();
      }
      // A token is not for others who look over a shoulder.
      if (lines.sent.at(-1) !== text && !text.startsWith("/operator ")) lines.sent.push(text);
      if (lines.sent.length > MAX_KEPT) lines.sent.shift();
      lines.at = undefined;
      line.value = "";
      view.atEnd = true;
      view.below = 0;
      countLeft();
      settle();
    }

    function countLeft() {
      const left = MAX_LINE - line.value.length;
      $("left").hidden = left > MAX_LINE / 10;
      $("left").textContent = left < 0
        ? \`\${-left} characters too long\`
        : \`\${plural(left, "character", "characters")} left\`;
      line.setAttribute("aria-invalid", String(left < 0));
    }

    function setLine(text, caret = text.length) {
      line.value = text;
      line.setSelectionRange(caret, caret);
      countLeft();
    }

    function writePrefix(text) {
      closePanel();
      setLine(text);
      line.focus();
    }

    function recall(by) {
      const { sent, at = sent.length } = lines;
      const next = at + by;
      if (next < 0 || next > sent.length || sent.length === 0) return;
      if (at === sent.length) lines.draft = line.value;
      lines.at = next;
      setLine(next === sent.length ? lines.draft : sent[next]);
    }

    let completion;

    function candidatesFor(before, word) {
      const start = before.length - word.length;
      const begins = (text) => text.toLowerCase().startsWith(word.toLowerCase()) && text !== word;
      if (start === 0 && word.startsWith("/")) {
        return COMMANDS.map((name) => \`/\${name}\`).filter(begins).map((text) => \`\${text} \`);
      }
      if (/^\\/join\\s+$/.test(before.slice(0, start))) {
        return sortedRooms().map(({ name }) => name).filter(begins);
      }
      const bare = keyOf(word.replace(/^@/, ""));
      if (bare === "") return [];
      const names = [...view.people.values()].map(({ name }) => name);
      return names.filter((name) => keyOf(name).startsWith(bare) && !isMe(name))
        .sort((a, b) => a.localeCompare(b))
        .map((name) => name + (start === 0 ? ": " : " "));
    }

    /** Completes the word before the caret; false when Tab should do what it does everywhere. */
    function complete() {
      if (completion?.value !== line.value) {
        const caret = line.selectionStart;
        if (caret !== line.selectionEnd) return false;
        const before = line.value.slice(0, caret);
        const word = /\\S+$/.exec(before)?.[0];
        if (word === undefined) return false;
        const all = candidatesFor(before, word);
        if (all.length === 0) return false;
        const head = before.slice(0, before.length - word.length);
        completion = { all, at: -1, head, tail: line.value.slice(caret), original: line.value, caret };
      }
      const { all, head, tail } = completion;
      // Past the last one Tab moves on: nobody is caught here.
      if (++completion.at >= all.length) {
        completion = undefined;
        return false;
      }
      const text = head + all[completion.at];
      setLine(text + tail, text.length);
      completion.value = line.value;
      $("hint").textContent = \`\${all[completion.at].trim()}, \${completion.at + 1} of \${all.length}\`;
      return true;
    }

    function escape() {
      if (side.classList.contains("open")) {
        closePanel();
        $("menu").focus();
      } else if (completion?.value === line.value) {
        setLine(completion.original, completion.caret);
        completion = undefined;
      } else if (lines.at !== undefined && lines.at < lines.sent.length) {
        lines.at = undefined;
        setLine(lines.draft);
      } else toEnd();
    }

    function toEnd() {
      view.atEnd = true;
      view.below = 0;
      settle();
    }

    function openPanel() {
      side.classList.add("open");
      $("shade").hidden = false;
      $("menu").setAttribute("aria-expanded", "true");
      document.querySelector("main").inert = true;
      (side.querySelector("[aria-current]") ?? $("new-room")).focus();
    }

    function closePanel() {
      side.classList.remove("open");
      $("shade").hidden = true;
      $("menu").setAttribute("aria-expanded", "false");
      document.querySelector("main").inert = false;
    }

    // What the reader does

    $("form").onsubmit = (event) => {
      event.preventDefault();
      submit();
      line.focus();
    };
    $("ask").onsubmit = (event) => {
      event.preventDefault();
      link.token = $("token").value || undefined;
      connect();
    };
    line.oninput = () => {
      completion = undefined;
      countLeft();
    };
    line.onpaste = (event) => {
      const text = event.clipboardData?.getData("text") ?? "";
      if (!/[\\r\\n]/.test(text)) return;
      // The field would join the lines without a space.
      event.preventDefault();
      const joined = text.trim().replace(/\\s*[\\r\\n]+\\s*/g, " ");
      line.setRangeText(joined, line.selectionStart, line.selectionEnd, "end");
      countLeft();
    };
    line.onkeydown = (event) => {
      if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
      const { key, shiftKey } = event;
      if (key === "Tab" && !shiftKey && complete()) event.preventDefault();
      else if (key === "ArrowUp" || key === "ArrowDown") {
        event.preventDefault();
        recall(key === "ArrowUp" ? -1 : 1);
      } else if (key === "PageUp" || key === "PageDown") {
        event.preventDefault();
        scroller.scrollBy({ top: (key === "PageUp" ? -0.9 : 0.9) * scroller.clientHeight });
      }
    };
    document.onkeydown = (event) => {
      if (event.isComposing || $("help").open) return;
      const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
      if (altKey && !ctrlKey && (key === "ArrowUp" || key === "ArrowDown")) {
        event.preventDefault();
        step(key === "ArrowUp" ? -1 : 1, shiftKey);
      } else if ((ctrlKey || metaKey) && key === "/") {
        event.preventDefault();
        $("help").showModal();
      } else if (key === "Escape") escape();
    };
    $("help-button").onclick = () => $("help").showModal();
    $("help-close").onclick = () => $("help").close();
    $("new-room").onclick = () => writePrefix("/join ");
    $("rename").onclick = () => writePrefix("/nick ");
    $("menu").onclick = () => side.classList.contains("open") ? closePanel() : openPanel();
    $("shade").onclick = closePanel;
    $("newer").onclick = () => {
      toEnd();
      line.focus();
    };
    $("retry").onclick = () => {
      link.attempts = 0;
      connect();
      line.focus();
    };
    matchMedia("(max-width: 46rem)").onchange = closePanel;

    let lastTop = 0;
    scroller.onscroll = () => {
      const { scrollTop, scrollHeight, clientHeight } = scroller;
      if (scrollHeight - scrollTop - clientHeight < 40) {
        view.atEnd = true;
        view.below = 0;
      } else if (scrollTop < lastTop) view.atEnd = false;
      lastTop = scrollTop;
      settle();
      if (scrollTop < 300 && !view.atEnd) loadOlder();
    };
    new ResizeObserver(() => settle()).observe(scroller);

    globalThis.addEventListener("online", hurry);
    globalThis.addEventListener("offline", showBanner);
    document.onvisibilitychange = () => {
      if (document.hidden) {
        markNew(undefined);
        return;
      }
      view.missed = 0;
      showTitle();
      drain();
      hurry();
    };
    // On phones the keyboard covers the page; the visible part is what counts.
    globalThis.visualViewport?.addEventListener("resize", () => {
      const { height, scale } = globalThis.visualViewport;
      if (scale === 1) document.documentElement.style.setProperty("--height", \`\${height}px\`);
    });

    for (const item of outbox) item.at = 0;
    showRooms();
    showPeople();
    showTitle();
    connect();
    // Not where that would bring up a keyboard on the screen.
    if (!matchMedia("(pointer: coarse)").matches) line.focus();
    </script>
  </body>
</html>
`;
