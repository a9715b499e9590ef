/** `/storage/v1`: the public bucket's files, read from the folder that releases are published to. Read-only: publishing
 * writes the folder itself. */

import type { Answering } from "./route.ts";

const PUBLIC = "/object/public/";
const VERSION = /^\d{8}T\d{6}Z-[0-9a-f]{7}$/;
/** As publishing stores them: a version's files never change, and `current/` follows what is live. */
const NEVER_CHANGES = "public, max-age=31536000, immutable";
const CHANGES = "public, max-age=60";
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  json: "application/json",
  parquet: "application/vnd.apache.parquet",
  wasm: "application/wasm",
};

export function storage(folder: string | null, bucket: string): Answering {
  return async (request, path) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return refused(400, "405", "MethodNotAllowed", "This storage is read-only: publishing writes its folder");
    }
    const segments = segmentsOf(path);
    if (segments === null || folder === null) return refused(400, "404", "not_found", "Object not found");
    if (segments[0] !== bucket) return refused(400, "404", "Bucket not found", "Bucket not found");
    return await fileAnswer(request, `${folder}/${segments.slice(1).join("/")}`, segments);
  };
}

/** Bucket and path, or null for what is no public object's address: no part of it climbs, or is half-written. */
function segmentsOf(path: string): readonly string[] | null {
  if (!path.startsWith(PUBLIC)) return null;
  try {
    const segments = path.slice(PUBLIC.length).split("/").map(decodeURIComponent);
    const plain = (segment: string): boolean => /^[^./\\\0][^/\\\0]*$/.test(segment);
    return segments.length > 1 && segments.every(plain) ? segments : null;
  } catch {
    return null; // malformed percent signs
  }
}

async function fileAnswer(request: Request, file: string, segments: readonly string[]): Promise<Response> {
  let opened: Deno.FsFile;
  try {
    opened = await Deno.open(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return missing();
    throw error;
  }
  const found = await opened.stat();
  const etag = `"${found.size.toString(16)}-${(found.mtime?.getTime() ?? 0).toString(16)}-${found.ino ?? 0}"`;
  const headers = new Headers({
    etag,
    "cache-control": segments.some((segment) => VERSION.test(segment)) ? NEVER_CHANGES : CHANGES,
    "content-type": TYPES[file.split(".").at(-1) ?? ""] ?? "application/octet-stream",
    "content-length": String(found.size),
    "access-control-allow-origin": "*",
  });
  if (found.isFile && request.method === "GET" && request.headers.get("if-none-match") !== etag) {
    return new Response(opened.readable, { headers });
  }
  opened.close();
  if (!found.isFile) return missing();
  if (request.method === "HEAD") return new Response(null, { headers });
  headers.delete("content-length");
  return new Response(null, { status: 304, headers });
}

function missing(): Response {
  return refused(400, "404", "not_found", "Object not found");
}

/** The real server's form: what went wrong is in the body, whatever the status. */
function refused(status: number, statusCode: string, error: string, message: string): Response {
  return Response.json({ statusCode, error, message }, { status });
}
