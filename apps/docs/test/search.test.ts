import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { isValue, programOf, readApi, type ApiPage } from "../scripts/api.ts";
import { opPrograms, programs } from "../scripts/programs.ts";
import { opTable } from "@statespace/core/backend";
import { site } from "./blocks.ts";
import { questions } from "./questions.ts";
import { siteSearch, type Search } from "./searchIndex.ts";

let search: Readonly<Record<"root" | "zh", Search>>;
let names: ApiPage[];

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [join(site, "..", "..", "scripts", "site.mjs"), "--reference"]);
  names = readApi(join(site, "reference", "api"));
  search = await siteSearch();
}, 600_000);

/** The first results that a person looks at. */
const FIRST = 5;

describe("the search", () => {
  it.each(questions.map((question) => [question.en, question] as const))("answers: %s", (_, { en, zh, page }) => {
    expect(search.root(en).slice(0, FIRST)).toContain(`/${page}.html`);
    expect(search.zh(zh).slice(0, FIRST)).toContain(`/zh/${page}.html`);
  });

  it.each(["root", "zh"] as const)("finds each heading of the questions' page (%s)", (language) => {
    const prefix = language === "root" ? "" : "/zh";
    const text = readFileSync(join(site, prefix, "guides", "questions.md"), "utf8");
    const asked = [...text.matchAll(/^## (.*)$/gm)].map(([, question]) => question!);
    expect(asked.length).toBeGreaterThanOrEqual(40);
    for (const question of asked)
      expect(search[language](question).slice(0, FIRST), question).toContain(`${prefix}/guides/questions.html`);
  });

  it("is asked forty questions", () => expect(new Set(questions.map(({ en }) => en)).size).toBeGreaterThanOrEqual(40));

  it.each(["root", "zh"] as const)(
    "finds each public name (%s)",
    (language) => {
      const prefix = language === "root" ? "" : "/zh";
      expect(names.length).toBeGreaterThan(900);
      const lost = names.filter(({ name, path }) => {
        const wanted = `${prefix}/reference/api/${path.replace(/\.md$/, ".html")}`;
        const op = `${prefix}/reference/ops/${name}.html`;
        const found = new Set(search[language](name).slice(0, FIRST));
        return !found.has(wanted) && !found.has(op);
      });
      expect(lost.map(({ path }) => path)).toEqual([]);
    },
    600_000,
  );

  it.each(["root", "zh"] as const)("finds each op and each family (%s)", (language) => {
    const prefix = language === "root" ? "" : "/zh";
    for (const folder of ["ops", "families"])
      for (const file of readdirSync(join(site, prefix, "reference", folder)).filter((each) => each !== "index.md")) {
        const name = file.replace(/\.md$/, "");
        const found = search[language](name).slice(0, FIRST);
        expect(found, name).toContain(`${prefix}/reference/${folder}/${name}.html`);
      }
  });

  it("finds words as people write them", () => {
    const page = (language: "root" | "zh", words: string): string[] => search[language](words).slice(0, FIRST);
    expect(page("root", "COEP")).toContain("/guides/threads.html");
    expect(page("root", "pytorch")).toContain("/guides/from-pytorch.html");
    expect(page("root", "selectve scan")).toContain("/reference/ops/selectiveScan.html"); // a slip of the keyboard
    expect(page("zh", "微调")).toContain("/zh/tutorials/fine-tune.html");
    expect(page("zh", "离散化")).toContain("/zh/concepts/discretization.html");
  });
});

describe("the reference", () => {
  it("has the same pages in Chinese", () => {
    const list = (folder: string): string[] => readApi(folder).map(({ path }) => path);
    expect(list(join(site, "zh", "reference", "api"))).toEqual(list(join(site, "reference", "api")));
    for (const folder of ["ops", "families"])
      expect(readdirSync(join(site, "zh", "reference", folder))).toEqual(readdirSync(join(site, "reference", folder)));
    expect(readFileSync(join(site, "zh/reference/api/core/functions/tensor.md"), "utf8")).toContain("## 参数");
    expect(readFileSync(join(site, "zh/reference/ops/linear.md"), "utf8")).toContain("## 精度");
  });

  it("shows a program that runs for each public name", () => {
    const all = [
      ...opPrograms(Object.values(opTable).map(({ spec }) => spec)).map(({ program }) => program),
      ...programs,
    ];
    expect(
      names
        .filter(isValue)
        .filter((page) => programOf(page, all) === undefined)
        .map(({ path }) => path),
    ).toEqual([]);
    const without = names.filter(
      ({ path }) => !readFileSync(join(site, "reference", "api", path), "utf8").includes("## Example"),
    );
    expect(without.map(({ path }) => path)).toEqual([]);
  });

  it("links to pages that there are", () => {
    const dead = ["reference", "zh/reference"].flatMap((folder) => {
      const root = join(site, folder);
      return readdirSync(root, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".md"))
        .flatMap((file) =>
          [...readFileSync(join(root, file), "utf8").matchAll(/\]\(([^)\s:#]+\.md)/g)]
            .filter(([, target]) => !existsSync(join(root, file, "..", target!)))
            .map(([, target]) => `${file}: ${target}`),
        );
    });
    expect(dead).toEqual([]);
  });
});
