import { questionId, type Pair, type Row } from "./task.ts";

/** The same text with the asked question as its very last. */
export function askedLast({ ids, due }: Row, pairs: readonly Pair[], asked: number): Row {
  const from = ids.length - pairs.length;
  const at = ids.indexOf(questionId(pairs[asked]!.question), from) - from;
  const swap = <T>(list: readonly T[]): T[] => list.with(at, list.at(-1)!).with(list.length - 1, list[at]!);
  const next = Int32Array.from(ids);
  next.set(swap([...ids.subarray(from)]), from);
  return { ids: next, due: swap(due) };
}
