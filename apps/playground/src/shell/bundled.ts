import { path as chinese } from "virtual:chinese-checkpoint";
import { path as english } from "virtual:bundled-checkpoint";
import { language, type Language } from "./language.ts";

const paths: Readonly<Record<Language, string>> = { en: english, zh: chinese };

/** Address of the model that comes with the site and writes the page's language. It lies beside index.html, wherever that is. */
export const bundledAddress = (): string => new URL(paths[language()], document.baseURI).href;
