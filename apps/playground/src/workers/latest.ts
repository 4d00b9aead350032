import { createEffect, createSignal, on, onCleanup, untrack, type Accessor } from "solid-js";
import { owed } from "../shell/owed.ts";

export interface Latest<T> {
  /** The newest result; it stays while the next is computed. */
  readonly value: Accessor<T | undefined>;
  readonly busy: Accessor<boolean>;
  readonly error: Accessor<unknown>;
  /** Computes the newest input once more, after an error. */
  again(): void;
}

/** Runs `compute` whenever its input changes. One runs at a time and only the newest input waits, so that dragging a slider never piles up work. */
export function useLatest<I, T>(input: Accessor<I>, compute: (input: I) => Promise<T>): Latest<T> {
  const [value, setValue] = createSignal<T>();
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<unknown>();
  let waiting: { input: I } | undefined;
  let gone = false;
  onCleanup(() => (gone = true));
  async function drain(): Promise<void> {
    if (busy()) return;
    setBusy(true);
    while (waiting !== undefined && !gone) {
      const { input } = waiting;
      waiting = undefined;
      try {
        const result = await compute(input);
        if (gone) return;
        setValue(() => result);
        setError(undefined);
      } catch (failure) {
        if (gone) return;
        setError(failure);
      }
    }
    setBusy(false);
  }
  const run = (current: I): void => {
    waiting = { input: current };
    void owed(drain());
  };
  createEffect(on(input, run));
  return { value, busy, error, again: () => run(untrack(input)) };
}
