import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pages } from "../.vitepress/pages.ts";

/** A program in a page. */
export interface Block {
  /** `tutorials/chat, block 2`. */
  readonly name: string;
  readonly code: string;
  /** It needs a page around it: it is only compiled. */
  readonly browser: boolean;
}

export const site: string = join(import.meta.dirname, "..");

/** The TypeScript programs of every English page; the Chinese pages have the same ones, which `pages.test.ts` sees to. */
export function blocksOf(path: string): readonly Block[] {
  const text = readFileSync(join(site, `${path}.md`), "utf8");
  return [...text.matchAll(/^```ts( browser)?\n([\s\S]*?)^```/gm)].map(([, browser, code], i) => ({
    name: `${path}, block ${i + 1}`,
    code: code!,
    browser: browser !== undefined,
  }));
}

export const blocks: readonly Block[] = pages.flatMap(({ path }) => blocksOf(path));
