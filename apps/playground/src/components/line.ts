/** One line of a plot. */
export interface Line {
  readonly label: string;
  /** A colour variable of the style sheet. */
  readonly tone: string;
  readonly values: ArrayLike<number | null>;
  /** Of the line, 0 for markers alone. A broad one (5 and more) lies under the others and is not dashed. */
  readonly width?: number;
  /** Marks every point; without it a line is marked here and there. */
  readonly points?: boolean;
  /** Between what the values spread, drawn as strokes through the markers. */
  readonly low?: ArrayLike<number | null>;
  readonly high?: ArrayLike<number | null>;
  /** Steps instead of slopes, for held signals; bars from zero, for filters. */
  readonly shape?: "line" | "steps" | "bars";
}
