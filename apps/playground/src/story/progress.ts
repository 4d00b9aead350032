import { createSignal } from "solid-js";
import { remember, remembered } from "../shell/remembered.ts";

/** Which option was chosen, by page and step; it outlives the tab. */
type Answers = Readonly<Record<string, Readonly<Record<string, number>>>>;

const KEY = "story";

function read(): Answers {
  try {
    const kept: unknown = JSON.parse(remembered(KEY) ?? "{}");
    return typeof kept === "object" && kept !== null ? (kept as Answers) : {};
  } catch {
    return {};
  }
}

const [answers, setAnswers] = createSignal<Answers>(read());

/** The option chosen at a step, undefined before. */
export const chosenAt = (page: string, step: number): number | undefined => answers()[page]?.[step];

export function choose(page: string, step: number, option: number): void {
  const next = { ...answers(), [page]: { ...answers()[page], [step]: option } };
  setAnswers(next);
  remember(KEY, JSON.stringify(next));
}

/** How many of a page's steps were answered. */
export const answered = (page: string, steps: number): number =>
  Array.from({ length: steps }, (_, step) => chosenAt(page, step)).filter((option) => option !== undefined).length;
