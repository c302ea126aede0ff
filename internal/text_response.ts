/** HTTP responses in plain text. */

/** Makes a response in plain text. */
export function textResponse(
  status: number,
  text: string,
  fields: Readonly<Record<string, string>> = {},
): Response {
  const headers = {
    "Content-Type": "text/plain; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    ...fields,
  };
  return new Response(`${text}\n`, { status, headers });
}
