import { opTable } from "@statespace/core/backend";
import { families } from "@statespace/models";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { familyPage } from "../scripts/families.ts";
import { opIndex, opPage } from "../scripts/ops.ts";
import { site } from "./blocks.ts";

describe("the reference", () => {
  it("has all of each op: arguments, results, backends, definition", () => {
    const specs = Object.values(opTable).map(({ spec }) => spec);
    expect(specs.length).toBeGreaterThan(80);
    for (const spec of specs) {
      const page = opPage(spec);
      for (const name of [...Object.keys(spec.inputs), ...Object.keys(spec.outputs)])
        expect(page).toContain(`\`${name}\``);
      expect(page).toContain("| webgpu |");
      expect(page).toContain("## Definition");
      expect(opIndex(specs)).toContain(`[${spec.name}](./${spec.name}.md)`);
    }
  });
  it("shows the numbers of most", () => {
    const shown = Object.values(opTable).filter(({ spec }) => opPage(spec).includes("## Example"));
    expect(shown.length / Object.keys(opTable).length).toBeGreaterThan(0.6);
  });
  it("has each family with the names of its weights", () => {
    const folder = join(site, "..", "..", "packages", "models", "src", "families");
    for (const family of families) {
      const page = familyPage(family, (file) => readFileSync(join(folder, file), "utf8"));
      expect(page).toContain(`# ${family.name}`);
      for (const ours of Object.keys(family.weights)) expect(page).toContain(`\`${ours}\``);
    }
  });
});
