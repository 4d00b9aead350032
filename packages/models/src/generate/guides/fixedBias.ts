import type { TokenGuide } from "./tokenGuide.ts";

/** Adds the same to the same tokens each time. */
export function fixedBias(logitBias: Readonly<Record<number, number>>): TokenGuide {
  const entries = Object.entries(logitBias).map(([id, value]) => [Number(id), value] as const);
  return {
    guide: (bias) => {
      for (const [id, value] of entries) bias[id]! += value;
    },
  };
}
