import { Rng } from "@statespace/core";

/** Draws of one text, each of a list. */
export interface Draw {
  of<T>(list: readonly T[]): T;
  /** Two different ones. */
  two<T>(list: readonly T[]): readonly [T, T];
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
}

function drawing(rng: Rng): Draw {
  const of = <T>(list: readonly T[]): T => list[rng.integer(list.length)]!;
  return {
    of,
    two: (list) => {
      const first = of(list);
      return [first, of(list.filter((each) => each !== first))];
    },
    between: (low, high) => low + rng.integer(high - low + 1),
  };
}

/**
 * Little stories, a line each, until they are so many characters: language that is easy enough for a model that learns for a minute, with
 * things to remember from one sentence to the next (names, colours, numbers).
 * @param stories each tells one; all are told equally often
 */
export function tellStories(stories: readonly ((draw: Draw) => string)[], characters: number, seed: number): string {
  const draw = drawing(new Rng(seed));
  const lines: string[] = [];
  for (let length = 0; length < characters; length += lines.at(-1)!.length + 1) lines.push(draw.of(stories)(draw));
  return `${lines.join("\n")}\n`;
}
