/** Work after the answer: the platform is told to wait for it where it can be told. */

export type Later = (work: () => Promise<void>) => void;

interface EdgeRuntime {
  waitUntil(promise: Promise<unknown>): void;
}

/** Start work that nobody waits for. It reports its own failures; one that it lets through is reported here. */
export function later(failed: (error: unknown) => void): Later {
  return (work) => {
    const done = Promise.resolve().then(work).catch(failed);
    (globalThis as { EdgeRuntime?: EdgeRuntime }).EdgeRuntime?.waitUntil(done);
  };
}
