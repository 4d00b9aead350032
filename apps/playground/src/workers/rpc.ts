/**
 * Calls into workers: one typed input, one typed output, events on the way, and a signal to stop.
 * Errors travel with their names, so that a page can say in words what happened.
 */

import { isFetchFailure } from "./fetchFailure.ts";

/** What a worker's function is handed beside its input. */
export interface CallContext<Event = never> {
  readonly signal: AbortSignal;
  emit(event: Event): void;
}

// eslint-disable-next-line typescript/no-explicit-any
export type Api = Record<string, (input: any, context: CallContext<any>) => unknown>;

/** What a page says to a worker; each call belongs to a room, whose state nobody else sees. */
export type Request = CallRequest | { readonly abort: number } | { readonly close: number };
export interface CallRequest {
  readonly id: number;
  readonly room: number;
  readonly part: string;
  readonly method: string;
  readonly input: unknown;
}
export type Reply =
  | { readonly id: number; readonly event: unknown }
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

/** An error that happened in a worker. */
export class RemoteError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Code that is on its way: that it cannot be fetched is the network's fault, and is named so, since to the language it is a TypeError like any slip. */
export async function fetched<T>(code: Promise<T>): Promise<T> {
  try {
    return await code;
  } catch (error) {
    throw isFetchFailure(error) ? new RemoteError("ChunkError", (error as Error).message) : error;
  }
}

/** Lets messages in (a stop, a new call) between two pieces of work. */
export function breathe(): Promise<void> {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port2.addEventListener("message", () => {
      port1.close();
      done();
    });
    port2.start();
    port1.postMessage(0);
  });
}

/** Waits, and lets messages in meanwhile. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.max(0, milliseconds)));
}
