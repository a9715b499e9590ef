/** Errors that a caller is told: a status, a code that programs match, and what went wrong in words. */

export type Status = 400 | 401 | 403 | 404 | 405 | 413 | 429 | 500 | 503;

/** What is answered instead of a result. Its text is shown to callers, so it never names anything internal. */
export class HttpError extends Error {
  override readonly name = "HttpError";

  constructor(
    readonly status: Status,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** 503: something that the function needs does not answer; worth another try in some seconds. */
export function unavailable(code: string, message: string, retryAfterSeconds = 1): HttpError {
  return new HttpError(503, code, message, { "retry-after": String(Math.max(1, Math.ceil(retryAfterSeconds))) });
}
