/** `/auth/v1`: the public keys that tokens may be signed with. There are none: a local project signs with its secret. */

const NOT_FOUND = { code: 404, error_code: "not_found", msg: "There are only the public keys here" };

export function auth(_request: Request, path: string): Response {
  if (path === "/.well-known/jwks.json") return Response.json({ keys: [] });
  return Response.json(NOT_FOUND, { status: 404 });
}
