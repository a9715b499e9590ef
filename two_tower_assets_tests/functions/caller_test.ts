import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { type Caller, identifier, requireOwn } from "../../infra/supabase/functions/_shared/caller.ts";
import { HttpError } from "../../infra/supabase/functions/_shared/http_error.ts";
import { Server } from "./testing.ts";

const SECRET = "a-shared-secret-of-at-least-32-characters";
const USER = "0a0a0a0a-0000-4000-8000-00000000000a";
const SERVER_KEYS = ["legacy-service-role-key", "sb_secret_one", "sb_secret_two"];
const NOW = Math.floor(Date.now() / 1000);
const CLAIMS = {
  sub: USER,
  role: "authenticated",
  aud: "authenticated",
  exp: NOW + 3600,
  iss: "https://here/auth/v1",
};

const es256 = await generateKeyPair("ES256", { extractable: true });
const rs256 = await generateKeyPair("RS256", { extractable: true });
const foreign = await generateKeyPair("ES256", { extractable: true });

class KeyServer extends Server {
  constructor(answer?: (request: Request) => Response | Promise<Response>) {
    super(async (request) => {
      if (answer !== undefined) return await answer(request);
      strictEqual(new URL(request.url).pathname, "/auth/v1/.well-known/jwks.json");
      const keys = [
        { ...await exportJWK(es256.publicKey), kid: "es", alg: "ES256", use: "sig" },
        { ...await exportJWK(rs256.publicKey), kid: "rs", alg: "RS256", use: "sig" },
      ];
      return Response.json({ keys });
    });
  }
}

/** Claims that may be there without a value, which JSON leaves out. */
type Claims = Record<string, unknown>;
type Key = CryptoKey | Uint8Array;

function signed(claims: JWTPayload, key: Key, alg: string, kid?: string): Promise<string> {
  return new SignJWT(claims).setProtectedHeader(kid === undefined ? { alg } : { alg, kid }).sign(key);
}

const shared = new TextEncoder().encode(SECRET);
const es = (claims: Claims) => signed(claims as JWTPayload, es256.privateKey, "ES256", "es");
const hs = (claims: Claims) => signed(claims as JWTPayload, shared, "HS256");
const encode = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("=", "");

async function asks(
  keys: Server,
  headers: Record<string, string>,
  more: { jwtSecret?: string | null; jwtIssuer?: string } = {},
): Promise<string | number> {
  const identify = identifier({
    supabaseUrl: keys.url,
    serverKeys: SERVER_KEYS,
    jwtSecret: SECRET,
    jwtIssuer: null,
    ...more,
  }, 300);
  try {
    return described(await identify(new Request("http://here/", { headers })));
  } catch (error) {
    ok(error instanceof HttpError, String(error));
    return error.status;
  }
}

function described(caller: Caller): string {
  return caller.kind === "server" ? "server" : caller.userId;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const MATRIX: Record<
  string,
  [headers: () => Promise<Record<string, string>> | Record<string, string>, outcome: string | number]
> = {
  "no header": [() => ({}), 401],
  "an empty bearer": [() => ({ authorization: "Bearer " }), 401],
  "basic authentication": [() => ({ authorization: "Basic YTpi" }), 401],
  "a legacy service key": [() => bearer("legacy-service-role-key"), "server"],
  "a secret key as bearer": [() => bearer("sb_secret_two"), "server"],
  "a secret key as apikey alone": [() => ({ apikey: "sb_secret_one" }), "server"],
  "a secret key as both": [() => ({ apikey: "sb_secret_one", ...bearer("sb_secret_one") }), "server"],
  "an unknown secret key": [() => bearer("sb_secret_three"), 401],
  "a part of a secret key": [() => bearer("sb_secret_on"), 401],
  "a publishable key": [() => bearer("sb_publishable_x"), 401],
  "a publishable key as apikey alone": [() => ({ apikey: "sb_publishable_x" }), 401],
  "a user's ES256 token": [async () => bearer(await es(CLAIMS)), USER],
  "a user's RS256 token": [async () => bearer(await signed(CLAIMS, rs256.privateKey, "RS256", "rs")), USER],
  "a user's HS256 token": [async () => bearer(await hs(CLAIMS)), USER],
  "a user's token beside a publishable key": [
    async () => ({ apikey: "sb_publishable_x", ...bearer(await es(CLAIMS)) }),
    USER,
  ],
  "a user's token beside a secret key": [
    async () => ({ apikey: "sb_secret_one", ...bearer(await es(CLAIMS)) }),
    USER,
  ],
  "bearer in small letters": [async () => ({ authorization: `bearer ${await es(CLAIMS)}` }), USER],
  "several audiences": [async () => bearer(await es({ ...CLAIMS, aud: ["x", "authenticated"] })), USER],
  "a user id in capitals": [async () => bearer(await es({ ...CLAIMS, sub: USER.toUpperCase() })), USER],
  "a service role token, ES256": [async () => bearer(await es({ role: "service_role", exp: NOW + 60 })), "server"],
  "a service role token, HS256": [async () => bearer(await hs({ role: "service_role", exp: NOW + 60 })), "server"],
  "the anon key": [async () => bearer(await hs({ role: "anon", exp: NOW + 60 })), 401],
  "another role": [async () => bearer(await es({ ...CLAIMS, role: "postgres" })), 403],
  "no role": [async () => bearer(await es({ ...CLAIMS, role: undefined })), 403],
  "expired": [async () => bearer(await es({ ...CLAIMS, exp: NOW - 60 })), 401],
  "expired, HS256": [async () => bearer(await hs({ ...CLAIMS, exp: NOW - 60 })), 401],
  "without an end": [async () => bearer(await es({ ...CLAIMS, exp: undefined })), 401],
  "not valid yet": [async () => bearer(await es({ ...CLAIMS, nbf: NOW + 600 })), 401],
  "another audience": [async () => bearer(await es({ ...CLAIMS, aud: "elsewhere" })), 401],
  "no audience": [async () => bearer(await es({ ...CLAIMS, aud: undefined })), 401],
  "no user": [async () => bearer(await es({ ...CLAIMS, sub: undefined })), 401],
  "a user that is no UUID": [async () => bearer(await es({ ...CLAIMS, sub: "me" })), 401],
  "another project's key": [async () => bearer(await signed(CLAIMS, foreign.privateKey, "ES256", "es")), 401],
  "an unknown key id": [async () => bearer(await signed(CLAIMS, foreign.privateKey, "ES256", "no")), 401],
  "another secret": [
    async () => bearer(await signed(CLAIMS, new TextEncoder().encode("x".repeat(40)), "HS256")),
    401,
  ],
  "the public key as a shared secret": [
    async () =>
      bearer(
        await signed(CLAIMS, new TextEncoder().encode(JSON.stringify(await exportJWK(es256.publicKey))), "HS256"),
      ),
    401,
  ],
  "alg none": [() => bearer(`${encode({ alg: "none" })}.${encode(CLAIMS)}.`), 401],
  "alg HS512": [async () => bearer(await signed(CLAIMS, new Uint8Array(64), "HS512")), 401],
  "claims changed after signing": [
    async () => bearer((await es(CLAIMS)).replace(/\.[^.]+\./, `.${encode({ ...CLAIMS, role: "service_role" })}.`)),
    401,
  ],
  "no JWT at all": [() => bearer("abc"), 401],
  "three dots": [() => bearer("a.b.c"), 401],
};

for (const [name, [headers, outcome]] of Object.entries(MATRIX)) {
  Deno.test(`token: ${name} → ${outcome}`, async () => {
    await using keys = new KeyServer();
    strictEqual(await asks(keys, await headers()), outcome);
  });
}

Deno.test("without a shared secret no HS256 token is accepted, and the right issuer can be asked for", async () => {
  await using keys = new KeyServer();
  strictEqual(await asks(keys, bearer(await hs(CLAIMS)), { jwtSecret: null }), 401);
  strictEqual(await asks(keys, bearer(await es(CLAIMS)), { jwtIssuer: "https://here/auth/v1" }), USER);
  strictEqual(await asks(keys, bearer(await es(CLAIMS)), { jwtIssuer: "https://there/auth/v1" }), 401);
});

const NO_KEYS: Record<string, () => Response | Promise<Response>> = {
  "an error": () => new Response("", { status: 500 }),
  "an HTML page": () => new Response("<html>"),
  "JSON of another kind": () => Response.json({ keys: 7 }),
};

for (const [name, answer] of Object.entries(NO_KEYS)) {
  Deno.test(`a key server that answers ${name} is 503, not the caller's fault; keys for servers still count`, async () => {
    await using keys = new KeyServer(answer);
    strictEqual(await asks(keys, bearer(await es(CLAIMS))), 503);
    strictEqual(await asks(keys, bearer("sb_secret_one")), "server");
    strictEqual(await asks(keys, bearer(await hs(CLAIMS))), USER);
  });
}

Deno.test("a key server that is slow or not there is 503", async () => {
  let answer: (response: Response) => void = () => {};
  await using slow = new KeyServer(() => new Promise((resolve) => answer = resolve));
  strictEqual(await asks(slow, bearer(await es(CLAIMS))), 503);
  answer(new Response());
  const gone = new KeyServer();
  await gone[Symbol.asyncDispose]();
  strictEqual(await asks(gone, bearer(await es(CLAIMS))), 503);
});

Deno.test("a signed-in user may ask for themselves alone, a server for anyone", () => {
  requireOwn({ kind: "user", userId: USER }, USER);
  requireOwn({ kind: "server" }, USER);
  try {
    requireOwn({ kind: "user", userId: USER }, USER.replace("a", "b"));
    ok(false);
  } catch (error) {
    ok(error instanceof HttpError);
    deepStrictEqual([error.status, error.code], [403, "not_your_user"]);
  }
});
