import type { TokenGuide } from "./tokenGuide.ts";

/** Forbids a token that would end a run of `size` tokens which stood in the text already, prompt included. */
export function noRepeatNgram(size: number): TokenGuide {
  /** What followed a run of size - 1 tokens. */
  const followers = new Map<string, Set<number>>();
  let known = 0;
  return {
    guide: (bias, { ids }) => {
      for (let end = Math.max(known, size - 1); end < ids.length; end++) {
        const run = ids.slice(end - size + 1, end).join();
        const set = followers.get(run) ?? new Set();
        followers.set(run, set.add(ids[end]!));
      }
      known = Math.max(known, ids.length);
      if (ids.length < size - 1) return;
      const last = size === 1 ? "" : ids.slice(1 - size).join();
      for (const id of followers.get(last) ?? []) bias[id] = Number.NEGATIVE_INFINITY;
    },
  };
}
