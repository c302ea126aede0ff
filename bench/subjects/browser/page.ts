/** What a web page does: Deno's WebSocket as client, whatever the server is, with text messages. */

import { answer, say, timesOf } from "../answer.mjs";

/** How to talk to a server. */
export interface Talk {
  readonly port: number;
  /** Socket.IO has a protocol of its own inside of the WebSocket's messages. */
  readonly isSocketIo: boolean;
  /** Bytes of a message. */
  readonly size: number;
}

interface Socket {
  readonly message: string;
  readonly socket: WebSocket;
  /** Called for each answer. */
  onAnswer(): void;
  close(): Promise<void>;
}

async function open({ port, isSocketIo, size }: Talk): Promise<Socket> {
  const path = isSocketIo ? "socket.io/?EIO=4&transport=websocket" : "";
  const socket = new WebSocket(`ws://127.0.0.1:${port}/${path}`);
  const text = "a".repeat(size);
  const opened = Promise.withResolvers<void>();
  const open: Socket = {
    socket,
    message: isSocketIo ? `42["echo","${text}"]` : text,
    onAnswer() {},
    async close() {
      const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
      socket.close();
      await closed;
    },
  };
  socket.onerror = (error) => opened.reject(error);
  if (!isSocketIo) socket.onopen = () => opened.resolve();
  socket.onmessage = isSocketIo
    ? ({ data }: MessageEvent<string>) => {
      // Engine.IO's 0 opens, 2 is a ping and 4 a message; Socket.IO's 0 connects, and 2 is an event.
      if (data.startsWith("42")) open.onAnswer();
      else if (data.startsWith("40")) opened.resolve();
      else if (data === "2") socket.send("3");
      else if (data.startsWith("0")) socket.send("40");
    }
    : () => open.onAnswer();
  await opened.promise;
  return open;
}

answer({
  /** The times of so many messages there and back, one after the other. */
  async roundTrip({ count, ...talk }: Talk & { count: number }) {
    const page = await open(talk);
    const times = await timesOf(count, () =>
      new Promise<void>((resolve) => {
        page.onAnswer = resolve;
        page.socket.send(page.message);
      }));
    await page.close();
    return times;
  },

  /** How many messages per second come back, with so many under way. */
  async echo({ window, duration, ...talk }: Talk & { window: number; duration: number }) {
    const page = await open(talk);
    const start = performance.now();
    let messages = 0;
    let under = window;
    await new Promise<void>((resolve) => {
      page.onAnswer = () => {
        messages++;
        if (performance.now() - start < duration) page.socket.send(page.message);
        else if (--under === 0) resolve();
      };
      for (let i = 0; i < window; i++) page.socket.send(page.message);
    });
    const seconds = (performance.now() - start) / 1000;
    await page.close();
    return messages / seconds;
  },
});
say({});
