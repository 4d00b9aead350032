import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import temml from "temml";
import { expect, it } from "vitest";
import { parseFormulas, partsOf } from "../../build/formulas.ts";

const pages = resolve(import.meta.dirname, "../../src/pages");
const folders = readdirSync(pages).filter((folder) => readdirSync(resolve(pages, folder)).includes("formulas.tex"));

it.each(folders)("every formula of %s is TeX that renders, and is shown", (folder) => {
  const source = readFileSync(resolve(pages, folder, "page.tsx"), "utf8");
  const list = parseFormulas(readFileSync(resolve(pages, folder, "formulas.tex"), "utf8"));
  expect(list.length).toBeGreaterThan(0);
  for (const [name, tex] of list) {
    expect(temml.renderToString(tex, { throwOnError: true })).toContain("<math");
    expect(source).toContain(`"${name}"`);
  }
});

it("a line that is no formula is refused", () => {
  expect(() => parseFormulas("x + y")).toThrow("name = TeX");
});

it("a formula is broken between its parts, never inside of braces", () => {
  expect(partsOf("a = b \\qquad c")).toEqual(["a = b", "c"]);
  expect(partsOf("\\begin{cases} a \\qquad b \\end{cases} \\qquad \\{c\\qquad")).toEqual([
    "\\begin{cases} a \\qquad b \\end{cases}",
    "\\{c",
  ]);
});

it.each(folders)(
  "no formula of %s holds words, which would be of one language, or a prime, which few fonts place well",
  (folder) => {
    const words = /\\text\{(?!layer\}|model\})/;
    expect(readFileSync(resolve(pages, folder, "formulas.tex"), "utf8")).not.toMatch(words);
    expect(readFileSync(resolve(pages, folder, "formulas.tex"), "utf8")).not.toMatch(/'|\\prime/);
  },
);
