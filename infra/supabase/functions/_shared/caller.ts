/** Who is asking: a server with a service key, or a signed-in user with a token that the project has signed. */

import {
  createRemoteJWKSet,
  customFetch,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from "jose";
import { Secrets } from "./constant_time.ts";
import type { Environment } from "./environment.ts";
import { isUuid } from "./fields.ts";
import { HttpError, unavailable } from "./http_error.ts";

export type Caller = { readonly kind: "server" } | { readonly kind: "user"; readonly userId: string };

export type Identify = (request: Request) => Promise<Caller>;

const ASYMMETRIC = ["ES256", "RS256", "EdDSA", "ES384", "ES512", "RS384", "RS512", "PS256"];
const SYMMETRIC = ["HS256"];
const AUDIENCE = "authenticated";
const CLOCK_TOLERANCE_SECONDS = 5;

type Settings = Pick<Environment, "supabaseUrl" | "serverKeys" | "jwtSecret" | "jwtIssuer">;

/** Make the check of a deployment. Public keys are fetched when a token needs them, and kept. */
export function identifier(settings: Settings, timeoutMilliseconds = 3000): Identify {
  const secrets = new Secrets(settings.serverKeys);
  const secret = settings.jwtSecret === null ? null : new TextEncoder().encode(settings.jwtSecret);
  const published = createRemoteJWKSet(new URL(`${settings.supabaseUrl}/auth/v1/.well-known/jwks.json`), {
    timeoutDuration: timeoutMilliseconds,
    [customFetch]: fetchKeys,
  });
  return async (request) => {
    const token = bearer(request);
    const apiKey = request.headers.get("apikey");
    if (token === null || token === apiKey) {
      if (apiKey !== null && await secrets.has(apiKey)) return { kind: "server" };
    } else if (await secrets.has(token)) {
      return { kind: "server" };
    }
    if (token === null) throw unauthorized("There is no bearer token");
    if (token.startsWith("sb_")) throw unauthorized("The key is not one of this project's secret keys");
    return await callerOf(token, secret, published, settings.jwtIssuer);
  };
}

/** Refuse a signed-in user who asks for another one. */
export function requireOwn(caller: Caller, userId: string): void {
  if (caller.kind === "user" && caller.userId !== userId) {
    throw new HttpError(403, "not_your_user", "A signed-in user may ask only for themselves");
  }
}

function bearer(request: Request): string | null {
  return /^Bearer +([^\s]+)$/i.exec(request.headers.get("authorization")?.trim() ?? "")?.[1] ?? null;
}

async function callerOf(
  token: string,
  secret: Uint8Array | null,
  published: JWTVerifyGetKey,
  issuer: string | null,
): Promise<Caller> {
  const claims = await verified(token, secret, published);
  switch (claims["role"]) {
    case "service_role":
      return { kind: "server" };
    case "authenticated":
      return { kind: "user", userId: userOf(claims, issuer) };
    case "anon":
      throw unauthorized("The key names no user: sign in and send the user's token");
    default:
      throw new HttpError(403, "role_not_allowed", "The token's role may not ask");
  }
}

async function verified(token: string, secret: Uint8Array | null, published: JWTVerifyGetKey): Promise<JWTPayload> {
  try {
    // Each kind of key admits its own algorithms only: a public key is never taken for a shared secret.
    const options = { clockTolerance: CLOCK_TOLERANCE_SECONDS, requiredClaims: ["exp"] };
    if (decodeProtectedHeader(token).alg !== "HS256") {
      return (await jwtVerify(token, published, { ...options, algorithms: ASYMMETRIC })).payload;
    }
    if (secret === null) throw unauthorized("Tokens that are signed with a shared secret are not accepted here");
    return (await jwtVerify(token, secret, { ...options, algorithms: SYMMETRIC })).payload;
  } catch (error) {
    throw refusal(error);
  }
}

function userOf(claims: JWTPayload, issuer: string | null): string {
  const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  if (!audiences.includes(AUDIENCE)) throw unauthorized("The token is for another audience");
  if (issuer !== null && claims.iss !== issuer) throw unauthorized("The token is of another issuer");
  if (!isUuid(claims.sub)) throw unauthorized("The token names no user");
  return claims.sub.toLowerCase();
}

function refusal(error: unknown): unknown {
  if (error instanceof HttpError) return error;
  if (error instanceof errors.JWTExpired) return unauthorized("The token has expired");
  if (error instanceof errors.JWKSNoMatchingKey) return unauthorized("The token is signed by another project");
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return keysUnavailable();
  if (error instanceof errors.JOSEError || error instanceof TypeError) {
    return unauthorized("The token is not one that this project has signed");
  }
  return error;
}

/** Fetch the key set; whatever is wrong with it is nothing that the caller's token could help. */
async function fetchKeys(url: string, options: RequestInit): Promise<Response> {
  let text: string;
  try {
    const response = await fetch(url, options);
    text = await response.text();
    if (response.status !== 200) throw keysUnavailable();
    JSON.parse(text);
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") throw error;
    throw keysUnavailable();
  }
  return new Response(text);
}

function keysUnavailable(): HttpError {
  return unavailable("auth_unavailable", "The keys that tokens are signed with cannot be read now");
}

function unauthorized(message: string): HttpError {
  return new HttpError(401, "unauthorized", message, { "www-authenticate": "Bearer" });
}
