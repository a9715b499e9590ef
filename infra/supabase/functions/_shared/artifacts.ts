/** Fetching a version's files: whole, in time, no larger than said, and with the hash that was promised. */

import { ReleaseError } from "./release_error.ts";

const LARGEST_MANIFEST = 1 << 20;

export interface ArtifactServer {
  /** Where the versions' folders lie side by side. */
  readonly url: string;
  readonly timeoutMilliseconds: number;
}

export interface Expected {
  readonly sha256: string;
  /** In bytes; null where it is not known beforehand. */
  readonly size: number | null;
}

/** The bytes of one file of a version; raises ReleaseError unless they are exactly what is expected. */
export async function fetchArtifact(
  server: ArtifactServer,
  modelVersion: string,
  path: string,
  expected: Expected,
): Promise<Uint8Array> {
  const bytes = await fetched(server, modelVersion, path, expected.size ?? LARGEST_MANIFEST);
  if (expected.size !== null && bytes.length !== expected.size) {
    throw new ReleaseError(`${path} has ${bytes.length} bytes and not ${expected.size}`, false);
  }
  if (await sha256(bytes) !== expected.sha256) {
    // A cache or a proxy may be at fault, so another try may help.
    throw new ReleaseError(`${path} is not the file that was released`, false);
  }
  return bytes;
}

async function fetched(
  server: ArtifactServer,
  modelVersion: string,
  path: string,
  most: number,
): Promise<Uint8Array> {
  const address = `${server.url}/${encodeURIComponent(modelVersion)}/${
    path.split("/").map(encodeURIComponent).join("/")
  }`;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(server.timeoutMilliseconds) });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new ReleaseError(`${path}: the artifact server answers ${response.status}`, false);
    }
    return await upTo(response.body, most, path);
  } catch (error) {
    if (error instanceof ReleaseError) throw error;
    // No connection, one that broke off, or no answer in time.
    throw new ReleaseError(`${path}: the artifact server does not answer as it should`, false);
  }
}

/** Read a body that must not be larger than it said it would be. */
async function upTo(body: ReadableStream<Uint8Array>, most: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(most);
  let size = 0;
  for await (const chunk of body) {
    if (size + chunk.length > most) throw new ReleaseError(`${path} is larger than ${most} bytes`, false);
    bytes.set(chunk, size);
    size += chunk.length;
  }
  return bytes.subarray(0, size);
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
