/** An affine step x -> a x + b: what one token does to the state. Doing two in a row is again one. */
export interface Step {
  readonly a: number;
  readonly b: number;
}

/** First `left`, then `right`. Associative, which is all that a parallel scan needs. */
export function combine(left: Step, right: Step): Step {
  return { a: right.a * left.a, b: right.a * left.b + right.b };
}

export const ALGORITHMS = ["sequential", "tree", "chunked"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export type Phase = "walk" | "up" | "down" | "inside" | "carry" | "apply";

/** Combinations that may run at the same time: element `to` becomes (element `from`, then element `to`). */
export interface Round {
  readonly phase: Phase;
  readonly pairs: readonly { readonly from: number; readonly to: number }[];
}

/** Which combinations an algorithm makes for l elements (a power of two), round by round. */
export function roundsOf(algorithm: Algorithm, l: number, chunk: number): Round[] {
  if (algorithm === "sequential")
    return Array.from({ length: l - 1 }, (_, i) => ({ phase: "walk", pairs: [{ from: i, to: i + 1 }] }));
  return algorithm === "tree" ? treeRounds(l) : chunkedRounds(l, chunk);
}

/** Up the tree and down again (Blelloch 1990, in the inclusive form of Brent and Kung): 2 log2 l - 1 rounds, fewer than 2 l combinations. */
function treeRounds(l: number): Round[] {
  const rounds: Round[] = [];
  for (let s = 1; s < l; s *= 2) rounds.push({ phase: "up", pairs: everyPair(2 * s - 1, l, s) });
  for (let s = l / 4; s >= 1; s /= 2) rounds.push({ phase: "down", pairs: everyPair(3 * s - 1, l, s) });
  return rounds;
}

function everyPair(first: number, l: number, s: number): Round["pairs"] {
  const pairs = [];
  for (let to = first; to < l; to += 2 * s) pairs.push({ from: to - s, to });
  return pairs;
}

/** Each chunk walks by itself, the chunks' ends pass their sums on, and every chunk takes in what came before it. */
function chunkedRounds(l: number, chunk: number): Round[] {
  const starts = Array.from({ length: l / chunk }, (_, c) => c * chunk);
  const inside = Array.from({ length: chunk - 1 }, (_, i): Round => ({
    phase: "inside",
    pairs: starts.map((start) => ({ from: start + i, to: start + i + 1 })),
  }));
  const carry = starts
    .slice(1)
    .map((start): Round => ({ phase: "carry", pairs: [{ from: start - 1, to: start + chunk - 1 }] }));
  const apply: Round = {
    phase: "apply",
    pairs: starts
      .slice(1)
      .flatMap((start) => Array.from({ length: chunk - 1 }, (_, i) => ({ from: start - 1, to: start + i }))),
  };
  return [...inside, ...carry, apply];
}

/** The elements before the first round and after each. Within a round every element is read before any is written. */
export function play(steps: readonly Step[], rounds: readonly Round[]): Step[][] {
  const history: Step[][] = [[...steps]];
  for (const { pairs } of rounds) {
    const before = history.at(-1)!;
    const after = [...before];
    for (const { from, to } of pairs) after[to] = combine(before[from]!, before[to]!);
    history.push(after);
  }
  return history;
}

export function countCombinations(rounds: readonly Round[]): number {
  return rounds.reduce((sum, { pairs }) => sum + pairs.length, 0);
}

/** Whether an element holds its last value after so many rounds. */
export function finalAt(history: readonly (readonly Step[])[], rounds: number, i: number): boolean {
  const [now, end] = [history[rounds]![i]!, history.at(-1)![i]!];
  return Math.abs(now.b - end.b) < 1e-12 && now.a === end.a;
}

/** Whether the last of so many rounds merged something into an element. */
export function mergedInto(rounds: readonly Round[], done: number, i: number): boolean {
  return rounds[done - 1]?.pairs.some(({ to }) => to === i) ?? false;
}
