import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import MiniSearch from "minisearch";
import { describe, expect, it } from "vitest";
import { pages } from "../.vitepress/pages.ts";
import { cjkTokens } from "../.vitepress/search.ts";
import { site } from "./blocks.ts";

const read = (path: string): string => readFileSync(join(site, `${path}.md`), "utf8");
const fences = (text: string): string[] => text.match(/^```[^\n]*\n[\s\S]*?^```/gm) ?? [];
const headings = (text: string): string[] => text.replaceAll(/^```[^\n]*\n[\s\S]*?^```/gm, "").match(/^#+ /gm) ?? [];
const links = (text: string): string[] => [...text.matchAll(/\]\(([^)]+\.md)\)/g)].map(([, to]) => to!);
const sorted = (list: readonly string[]): string[] => [...list].sort();

describe.each(pages.map(({ path }) => path))("%s", (path) => {
  it("exists in Chinese, with the same programs, headings and links", () => {
    const [en, zh] = [read(path), read(`zh/${path}`)];
    expect(fences(zh)).toEqual(fences(en));
    expect(headings(zh)).toEqual(headings(en));
    expect(sorted(links(zh))).toEqual(sorted(links(en)));
    expect(zh).toMatch(/\p{Script=Han}/u);
  });
  it("links to pages that there are", () => {
    for (const language of ["", "zh/"])
      for (const link of links(read(language + path)))
        expect(existsSync(join(site, language + path, "..", link)), link).toBe(true);
  });
});

/** Sections of the pages of a language, as the search box has them. */
function index(language: "" | "zh/"): MiniSearch {
  const search = new MiniSearch({
    fields: ["title", "text"],
    storeFields: ["page"],
    tokenize: cjkTokens,
    searchOptions: { fuzzy: 0.2, prefix: true, boost: { title: 4 } },
  });
  for (const { path } of pages) {
    const parts = read(language + path).split(/^(?=#+ )/m);
    search.addAll(
      parts.map((text, i) => ({ id: `${path}#${i}`, page: path, title: /^#+ (.*)/.exec(text)?.[1] ?? "", text })),
    );
  }
  return search;
}

it("pages of the playground that are linked to are there", () => {
  const shell = readFileSync(join(site, "..", "playground", "src", "shell", "pages.ts"), "utf8");
  const ids = new Set([...shell.matchAll(/\bid: "([a-z0-9-]+)"/g)].map(([, id]) => id));
  const linked = pages.flatMap(({ path }) =>
    ["", "zh/"].flatMap((language) =>
      [...read(language + path).matchAll(/\/playground\/index\.html#\/([a-z0-9-]*)/g)].map(([, id]) => id!),
    ),
  );
  expect(linked.length).toBeGreaterThan(14);
  for (const id of linked) if (id !== "") expect(ids.has(id), id).toBe(true);
});

describe("the search", () => {
  const questions = (language: "" | "zh/"): string[] =>
    [...read(`${language}guides/questions`).matchAll(/^## (.*)$/gm)].map(([, question]) => question!);

  it.each(["", "zh/"] as const)("finds each newcomer's question (%s)", (language) => {
    const search = index(language);
    const asked = questions(language);
    expect(asked.length).toBeGreaterThanOrEqual(40);
    for (const question of asked) {
      const first = search.search(question).slice(0, 3);
      expect(
        first.some(({ page }) => page === "guides/questions"),
        question,
      ).toBe(true);
    }
  });

  it("finds words as people write them", () => {
    const page = (language: "" | "zh/", words: string): string[] =>
      index(language)
        .search(words)
        .slice(0, 4)
        .map((found) => found["page"] as string);
    expect(page("", "COEP")).toContain("guides/threads");
    expect(page("", "selective scan")).toContain("tutorials/first-scan");
    expect(page("", "pytorch")).toContain("guides/from-pytorch");
    expect(page("", "gradent")).toContain("tutorials/first-scan"); // a slip of the keyboard
    expect(page("zh/", "微调")).toContain("tutorials/fine-tune");
    expect(page("zh/", "离散化")).toContain("concepts/discretization");
  });
});
