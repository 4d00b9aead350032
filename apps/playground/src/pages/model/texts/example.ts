import type { Language } from "../../../shell/language.ts";
import { CHINESE } from "./chinese.ts";
import { tellStories } from "./draw.ts";
import { ENGLISH } from "./english.ts";

const CHARACTERS = 20_000;

/** A text to try the page with. */
export function exampleText(language: Language): string {
  return tellStories(language === "zh" ? CHINESE : ENGLISH, CHARACTERS, 1);
}
