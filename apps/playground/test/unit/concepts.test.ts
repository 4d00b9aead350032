import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { told } from "../support/concepts.ts";

/** The table of ideas is no promise: each line names a page that is there, parameters that it reads, and a test that runs. */
const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const pages = new Map(
  [
    ...read("src/shell/pages.ts").matchAll(
      /id: "([\w-]+)",\s*component: chunk\(async \(\) => \(await import\("\.\.\/pages\/(\w+)\//g,
    ),
  ].map(([, id, folder]) => [id!, folder!] as const),
);

describe.each(Object.entries(told))("%s", (_, { at, test: [file, title] }) => {
  const [page, query = ""] = at.split("?");

  it("has a page that reads its address", () => {
    const folder = pages.get(page!);
    expect(folder, page).toBeDefined();
    const source = globSync(`src/pages/${folder}/**/*.tsx`, { cwd: root }).map(read).join("\n");
    for (const name of new URLSearchParams(query).keys())
      expect(source).toMatch(new RegExp(`use(Param|Switch)(<[^;]*?>)?\\(\\s*"${name}"`));
  });

  it("has a test that computes its numbers once more", () => {
    const text = read(`test/${file}`);
    expect(text).toContain(title);
    // the line that says so names a test or a case of one, and none that is left out
    const line = text.split("\n").find((each) => each.includes(title))!;
    expect(line).not.toMatch(/^\s*(\/\/|\*)|\.skip|\.todo/);
  });
});

it("names every page but the index", () => {
  const named = new Set(Object.values(told).map(({ at }) => at.split("?")[0]!));
  expect([...named].toSorted()).toEqual([...pages.keys()].filter((id) => id !== "ideas").toSorted());
});
