import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pages } from "../.vitepress/pages.ts";
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
