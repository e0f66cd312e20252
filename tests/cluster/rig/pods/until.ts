/** Waits until something is seen. */

export const PATIENCE_MS = 60_000;

/** Asks again until it is so; throws after a minute, with what `because` says and the last error. */
export async function until(what: string, claim: () => Promise<boolean>, because: () => string = () => ''): Promise<void> {
  let last: unknown = '';
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await new Promise((again) => setTimeout(again, 50))) {
    try {
      if (await claim()) return;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`never seen: ${what}. ${because()} ${last}`);
}
