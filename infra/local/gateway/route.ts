/** What a route of the gateway is, and finding the one that a request is for. */

/** Answers a request; `path` is what follows the route's prefix, with its slash. */
export type Answering = (request: Request, path: string) => Response | Promise<Response>;

export interface Route {
  /** The path up to a slash or its end, such as `/rest/v1`. */
  readonly prefix: string;
  readonly answer: Answering;
}

/** Make the handler of a table of routes, whose prefixes do not begin one another. */
export function router(routes: readonly Route[]): (request: Request) => Response | Promise<Response> {
  return (request) => {
    const { pathname } = new URL(request.url);
    for (const { prefix, answer } of routes) {
      if (pathname === prefix || pathname.startsWith(`${prefix}/`)) {
        return answer(request, pathname.slice(prefix.length));
      }
    }
    return Response.json({ message: "no Route matched with those values" }, { status: 404 });
  };
}
