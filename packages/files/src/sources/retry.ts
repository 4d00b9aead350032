import { throwIfAborted } from "./abort.ts";

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 10_000;
/** Statuses that say "not now": timeout, too many requests, and the gateway's. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/** Milliseconds to wait before a request is tried again; `undefined` where another try cannot help. Doubles each time, or is what the server asks for. */
export function retryDelay(answer: Response | { readonly error: unknown }, attempt: number): number | undefined {
  const doubled = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  if (!(answer instanceof Response)) return doubled;
  if (!PASSING.has(answer.status)) return undefined;
  const asked = Number(answer.headers.get("retry-after") ?? Number.NaN) * 1000;
  return Number.isFinite(asked) && asked >= 0 ? Math.min(asked, LONGEST_DELAY_MS) : doubled;
}

/** Errors: `AbortedError` as soon as the signal fires. */
export async function wait(ms: number, signal: AbortSignal | undefined, what: string): Promise<void> {
  throwIfAborted(signal, what);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
  });
  throwIfAborted(signal, what);
}
