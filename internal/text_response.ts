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

/** The answer to OPTIONS, with which load balancers ask whether a server is there (RFC 9110, 9.3.7). */
export function optionsResponse(): Response {
  return new Response(null, { status: 204, headers: { Allow: "GET, HEAD, OPTIONS" } });
}
