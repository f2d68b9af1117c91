/** A refusal as programs and people read it: JSON, and nothing of the request in it. */
export function refuse(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error: message }, { status, headers: { ...headers, "cache-control": "no-store" } });
}
