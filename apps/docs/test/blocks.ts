import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pages } from "../.vitepress/pages.ts";

/** A program, or commands, in a page. */
export interface Block {
  /** `tutorials/chat, block 2`: programs are numbered by themselves, and so are commands (`commands 1`) and texts of other languages (`js 1`). */
  readonly name: string;
  readonly code: string;
  /** `ts` runs by itself, `ts browser` in a page, `ts server` beside `statespace serve`, `sh` line by line; all else is told by its language. */
  readonly kind: string;
}

export const site: string = join(import.meta.dirname, "..");

const COUNTED: Readonly<Record<string, string>> = {
  ts: "block",
  "ts browser": "block",
  "ts server": "block",
  sh: "commands",
};

/** Every block between fences of an English page; the Chinese pages have the same ones, which `pages.test.ts` sees to. */
export function blocksOf(path: string): readonly Block[] {
  const text = readFileSync(join(site, `${path}.md`), "utf8");
  const counts = new Map<string, number>();
  return [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, kind, code]) => {
    const word = COUNTED[kind!] ?? kind!;
    const count = (counts.get(word) ?? 0) + 1;
    counts.set(word, count);
    return { name: `${path}, ${word} ${count}`, code: code!, kind: kind! };
  });
}

export const blocks: readonly Block[] = pages.flatMap(({ path }) => blocksOf(path));

/** Programs in TypeScript, wherever they run. */
export const typed: readonly Block[] = blocks.filter(({ kind }) => kind.startsWith("ts"));
