/** One product of a sum, and its place among them. */
export interface Product {
  readonly i: number;
  readonly weight: number;
  readonly input: number;
  readonly product: number;
}

/** A sum of products, opened. */
export interface Products {
  /** The largest, the very largest first. */
  readonly largest: readonly Product[];
  readonly others: number;
  /** Sums of the largest, of all others, and of both. */
  readonly ofLargest: number;
  readonly ofOthers: number;
  readonly sum: number;
}

/** Opens a row of a matrix times an input: the products that are largest, and what the rest comes to. */
export function productsOf(row: ArrayLike<number>, input: ArrayLike<number>, count: number): Products {
  const all = Array.from(row, (weight, i) => ({ i, weight, input: input[i]!, product: weight * input[i]! }));
  all.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const total = (list: readonly Product[]): number => list.reduce((sum, { product }) => sum + product, 0);
  const [largest, rest] = [all.slice(0, count), all.slice(count)];
  const [ofLargest, ofOthers] = [total(largest), total(rest)];
  return { largest, others: rest.length, ofLargest, ofOthers, sum: ofLargest + ofOthers };
}
