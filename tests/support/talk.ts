/** The client at a terminal, in a chat. */

import { Chat } from "../../chat.ts";
import { connect, type Connection, listen, type Server, text } from "../../mod.ts";

/** The client's script. */
export const CLIENT = new URL("../../client.ts", import.meta.url).pathname;

/** A chat. */
export function openChat(endpoint = "tcp://127.0.0.1:0"): Promise<Server<string>> {
  const chat = new Chat({ operatorToken: "open sesame" });
  return listen(endpoint, { format: text() }, (connection) => chat.serve(connection));
}

/** Whether a row shows the prompt of a chat with a round-trip time, and this typed behind it. */
export function prompts(row: string | undefined, typed = ""): boolean {
  const prompt = /^\[\S+ \d+(\.\d)? ms\] \S+> ?(.*)$/.exec(row ?? "");
  return prompt !== null && prompt[2] === typed;
}

/** What is beside the times in the margin. */
export function said({ rows }: { readonly rows: readonly string[] }): string[] {
  return rows.map((row) => row.replace(/^\d\d:\d\d /, ""));
}

/** Someone else in the chat, called so. */
export async function join(server: Server<string>, name: string): Promise<Connection<string>> {
  const member = await connect(server.endpoints[0], { format: text() });
  await member.send(`/nick ${name}`);
  for await (const line of member) if (line.endsWith(` is now ${name}.`)) break;
  return member;
}
