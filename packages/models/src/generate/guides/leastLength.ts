import type { TokenGuide } from "./tokenGuide.ts";

/** Forbids the tokens that end a text until it has so many new tokens, and so many in all. */
export function leastLength(minNewTokens: number, minLength: number, eosTokenIds: readonly number[]): TokenGuide {
  return {
    guide: (bias, { ids, made }) => {
      if (made >= minNewTokens && ids.length >= minLength) return;
      for (const id of eosTokenIds) if (id < bias.length) bias[id] = Number.NEGATIVE_INFINITY;
    },
  };
}
