import { opTable } from "@statespace/core/backend";
import { families } from "@statespace/models";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { familyPage, familyRows } from "../scripts/families.ts";
import { accuracyOf } from "../scripts/figures.ts";
import { opIndex, opPage } from "../scripts/ops.ts";
import { opPrograms } from "../scripts/programs.ts";
import { site } from "./blocks.ts";

const repository = join(site, "..", "..");

describe("the reference", () => {
  it("has all of each op: arguments, results, a program, backends, figures, definition", () => {
    const specs = Object.values(opTable).map(({ spec }) => spec);
    expect(specs.length).toBeGreaterThan(80);
    for (const { spec, program, example } of opPrograms(specs)) {
      const page = opPage(spec, program.code, example, "en");
      for (const name of [...Object.keys(spec.inputs), ...Object.keys(spec.outputs)])
        expect(page).toContain(`\`${name}\``);
      for (const title of ["## Example", "## On the backends", "## Accuracy", "## Definition"])
        expect(page).toContain(title);
      expect(page).toContain("| webgpu |");
      expect(opIndex(specs, "en")).toContain(`[${spec.name}](./${spec.name}.md)`);
      expect(opPage(spec, program.code, example, "zh")).toMatch(/## 示例[^]*## 精度[^]*## 定义/);
    }
  });

  it("has what was measured of each op on each backend", () => {
    const without = Object.keys(opTable).filter((name) => accuracyOf(name).length !== 3);
    expect(without).toEqual([]);
    expect(
      accuracyOf("selectiveScan").every(({ forward, gradient }) => /\d+: [\d.]+ of [\d.]+/.test(forward + gradient)),
    ).toBe(true);
  });

  it("has each family with the names of its weights, and its parity", () => {
    const readme = readFileSync(join(repository, "packages/models/src/families/README.md"), "utf8");
    const tried = familyRows(readFileSync(join(repository, "docs/parity.md"), "utf8"));
    expect(tried.length).toBeGreaterThanOrEqual(16);
    const told = new Set<string>();
    for (const family of families) {
      const page = familyPage(family, readme, tried, "en");
      expect(page).toContain(`# ${family.name}`);
      for (const ours of Object.keys(family.weights)) expect(page).toContain(`\`${ours}\``);
      for (const { type } of tried) if (page.includes(`## Parity with transformers: ${type}\n`)) told.add(type);
    }
    expect([...told].sort()).toEqual(tried.map(({ type }) => type).sort());
  });
});
