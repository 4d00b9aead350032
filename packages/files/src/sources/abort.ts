import { AbortedError } from "@statespace/core";

/** Errors: {@link AbortedError} if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new AbortedError(`${what}: aborted`, { cause: signal.reason });
}

/** The same failure as {@link AbortedError} if the signal is what caused it, else unchanged. */
export function asAborted(error: unknown, signal: AbortSignal | undefined, what: string): unknown {
  return signal?.aborted && !(error instanceof AbortedError)
    ? new AbortedError(`${what}: aborted`, { cause: error })
    : error;
}
