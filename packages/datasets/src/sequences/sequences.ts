/** Sequences of any lengths and the answer to each, as `fit` of `statespace` takes them. NaN is what is missing, or not known. */
export interface Sequences {
  readonly inputs: readonly (readonly (number | readonly number[])[])[];
  readonly targets: readonly (number | readonly (number | readonly number[])[])[];
  /** When each step comes. */
  readonly times?: readonly (readonly number[])[];
  /** What the numbers in `targets` stand for, where they are classes that a file names. */
  readonly classes?: readonly string[];
}

/** Several columns as they are, one as its numbers. */
export function stepOf(values: readonly number[]): number | readonly number[] {
  return values.length === 1 ? values[0]! : values;
}
