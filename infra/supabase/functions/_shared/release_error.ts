/** A release that must not be served. */

export class ReleaseError extends Error {
  override readonly name = "ReleaseError";

  /**
   * @param what what is wrong with it, in words for a log
   * @param lasting false where another try may help, as when a server did not answer
   */
  constructor(what: string, readonly lasting = true) {
    super(what);
  }
}
