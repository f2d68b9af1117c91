// What a request says it sends and takes (RFC 9110 sections 8.3 and 12.5.1), as far as MCP asks for it.

/** Whether an `Accept` header takes this type. Without the header anything is taken; MCP clients must send it. */
export function accepts(header: string | null, type: string): boolean {
  if (header === null) return false;
  const group = `${type.slice(0, type.indexOf("/"))}/*`;
  return header.split(",").some((range) => {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    if (name !== type && name !== group && name !== "*/*") return false;
    return !parameters.some((one) => /^q=0(\.0*)?$/.test(one));
  });
}

/** Whether a `Content-Type` is JSON in UTF-8, which is the only encoding MCP has. */
export function isJson(header: string | null): boolean {
  const { type, charset } = mediaType(header);
  return type === "application/json" && (charset === undefined || charset === "utf-8" || charset === "utf8");
}

/** The type without its parameters, in lower case; empty where there is none. */
export function mediaType(header: string | null): { readonly type: string; readonly charset?: string } {
  const [type = "", ...parameters] = (header ?? "").split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((one) => one.startsWith("charset="))?.slice("charset=".length);
  return charset === undefined ? { type } : { type, charset: charset.replace(/^"(.*)"$/, "$1") };
}
