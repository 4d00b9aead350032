/** Guesses how a text goes on. */
export interface Proposer {
  /** Up to `most` tokens that may come after `ids`; none where it has no guess. */
  propose(ids: readonly number[], most: number): readonly number[] | Promise<readonly number[]>;
  dispose(): void;
}
