/** Tokens of the demo's users, signed with the local project's secret as a sign-in would have them signed. */

import { SignJWT } from "jose";

const ISSUER = "two-tower-local";
const AUDIENCE = "authenticated";

/** Sign a token that PostgREST and the functions take as `userId` who has signed in. Times are in seconds. */
export async function userToken(
  secret: string,
  userId: string,
  issuedAt: number,
  lifetime: number,
): Promise<{ token: string; expiresAt: number }> {
  const expiresAt = issuedAt + lifetime;
  const token = await new SignJWT({ role: "authenticated" })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(new TextEncoder().encode(secret));
  return { token, expiresAt };
}
