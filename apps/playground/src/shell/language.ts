import { createMemo, createRoot, createSignal, type Accessor } from "solid-js";
import { notateText, notation, type Notation } from "./notation.ts";
import { params, setParams } from "./route.ts";
import { remembered, remember } from "./remembered.ts";

export const LANGUAGES = { en: "English", zh: "简体中文" } as const;
export type Language = keyof typeof LANGUAGES;

const isLanguage = (value: string | undefined | null): value is Language =>
  value !== undefined && value !== null && Object.hasOwn(LANGUAGES, value);

function preferred(): Language {
  const saved = remembered("language");
  if (isLanguage(saved)) return saved;
  return navigator.languages.some((tag) => tag.startsWith("zh")) && !navigator.language.startsWith("en") ? "zh" : "en";
}

const [fallback, setFallback] = createSignal<Language>(preferred());

/** The language of everything shown: the address's if it names one, else what was chosen before, else the browser's. */
export const language: Accessor<Language> = createRoot(() =>
  createMemo(() => {
    const named = params()["lang"];
    return isLanguage(named) ? named : fallback();
  }),
);

export function setLanguage(chosen: Language): void {
  remember("language", chosen);
  setFallback(chosen);
  setParams({ lang: chosen });
}

/** The same keys and arguments with other words: a translation that lacks a key or has one too many does not typecheck. */
export type Translated<T> = T extends string
  ? string
  : T extends (...args: infer A) => string
    ? (...args: A) => string
    : { readonly [K in keyof T]: Translated<T[K]> };

/** A catalogue in every language; calling it gives the current one. */
export function defineMessages<const T extends object>(en: T, zh: NoInfer<Translated<T>>): () => Translated<T> {
  const catalogue: Record<Language, Translated<T>> = { en: en as unknown as Translated<T>, zh };
  const made = new Map<string, Translated<T>>();
  return () => {
    const key = `${language()} ${notation()}`;
    if (!made.has(key)) made.set(key, inNotation(catalogue[language()], notation()));
    return made.get(key)!;
  };
}

/** The same catalogue with the letters of a notation, in its texts and in what its functions return. */
function inNotation<T>(entry: T, which: Notation): T {
  if (typeof entry === "string") return notateText(entry, which) as T;
  if (typeof entry === "function") return ((...args: unknown[]) => notateText(entry(...args) as string, which)) as T;
  if (Array.isArray(entry)) return entry.map((each) => inNotation(each as unknown, which)) as T;
  return Object.fromEntries(
    Object.entries(entry as object).map(([key, value]) => [key, inNotation(value as unknown, which)]),
  ) as T;
}
