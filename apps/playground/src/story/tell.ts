/** One step of a page's story: a view of the page, and a question about it. */
export interface Step {
  /** The page's parameters, as its address holds them. */
  readonly view: Readonly<Record<string, string>>;
  /** Test id of what the step is about; its panel is brought into sight. */
  readonly at: string;
  /** Index of the right option. */
  readonly answer: number;
}

/** What a step says, in one language. */
export interface StepWords {
  readonly say: string;
  readonly ask: string;
  readonly options: readonly string[];
  readonly reveal: string;
}

/** A page told in a few steps. */
export interface Story {
  readonly steps: readonly Step[];
  readonly words: () => readonly StepWords[];
}

/** Name of the parameter that says which step is shown, counted from one. */
export const STEP = "story";

/** The parameters of a step's own address. */
export function addressOf(steps: readonly Step[], index: number): Record<string, string> {
  return { ...steps[index]!.view, [STEP]: String(index + 1) };
}
