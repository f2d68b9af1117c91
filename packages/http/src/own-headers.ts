/** A response whose headers may be changed: those of `Response.redirect`, and of what `fetch` brought, may not. */
export function withOwnHeaders(response: Response): Response {
  try {
    response.headers.delete("Sluice-Nothing");
    return response;
  } catch {
    return new Response(response.body, {
      status: response.status,
      statusText: response.statusText,
      headers: new Headers(response.headers),
    });
  }
}
