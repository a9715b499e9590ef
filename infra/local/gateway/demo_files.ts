/** The demo's own files, sent with a policy that keeps the page to this server. */

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const NAME = /^[a-z_]+\.(html|css|js|svg)$/;

/** Send a file of the folder; null where there is none of that name. */
export async function demoFile(folder: URL, name: string): Promise<Response | null> {
  const ending = NAME.exec(name)?.[1];
  if (ending === undefined) return null;
  try {
    return new Response(await Deno.readFile(new URL(name, folder)), {
      headers: {
        "content-type": TYPES[ending] ?? "",
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
      },
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
