import { createMemo, createRoot, createSignal, type Accessor } from "solid-js";
import { remember, remembered } from "./remembered.ts";
import { params, setParams } from "./route.ts";

/** Letters for the state and the input: `xu` as control theory and S4 have them, and this project's code; `hx` as the Mamba papers and most texts on them. */
export const NOTATIONS = ["xu", "hx"] as const;
export type Notation = (typeof NOTATIONS)[number];

const isNotation = (value: string | undefined): value is Notation => NOTATIONS.some((each) => each === value);
const saved = remembered("notation");
const [chosen, setChosen] = createSignal<Notation>(isNotation(saved) ? saved : "xu");

/** The address's, else what was chosen before. */
export const notation: Accessor<Notation> = createRoot(() =>
  createMemo(() => {
    const named = params()["notation"];
    return isNotation(named) ? named : chosen();
  }),
);

export function setNotation(next: Notation): void {
  remember("notation", next);
  setChosen(next);
  setParams({ notation: next === "xu" ? undefined : next });
}

const LETTERS = { xu: { x: "x", u: "u" }, hx: { x: "h", u: "x" } } as const;
export const lettersOf = (which: Notation): { readonly x: string; readonly u: string } => LETTERS[which];

/** Catalogues write the state as 𝑥 and the input as 𝑢, so that no other x and u is meant. */
export function notateText(text: string, which: Notation): string {
  return text.replaceAll("𝑥", LETTERS[which].x).replaceAll("𝑢", LETTERS[which].u);
}

/** Identifiers of MathML; a function's name is longer than one letter. */
export function notateMath(html: string, which: Notation): string {
  return html.replace(/<mi>([xu])<\/mi>/g, (_, letter: "x" | "u") => `<mi>${LETTERS[which][letter]}</mi>`);
}

/** A symbol in plain text, such as xₖ or K̄ ∗ u. */
export function notateSymbol(symbol: string, which: Notation): string {
  return symbol.replace(/(?<![A-Za-z])[xu](?![A-Za-z])/g, (letter) => LETTERS[which][letter as "x" | "u"]);
}
