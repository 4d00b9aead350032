import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { exampleFiles } from "../scripts/programs.ts";
import { site, typed } from "./blocks.ts";

const folder = join(site, ".vitepress", "cache", "types");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("every program compiles, those for a page too", () => {
  mkdirSync(folder, { recursive: true });
  for (const { name, code } of typed)
    writeFileSync(join(folder, `${name.replaceAll(/[^a-z0-9]+/g, "-")}.ts`), `${code}\nexport {};\n`);
  for (const file of exampleFiles) copyFileSync(join(site, "examples", file), join(folder, `example-${file}`));
  const config = {
    extends: "../../../../../tsconfig.base.json",
    compilerOptions: {
      noEmit: true,
      composite: false,
      incremental: false,
      lib: ["es2024", "dom", "dom.iterable"],
      types: ["node"],
      skipLibCheck: true,
    },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(site, "..", "..", "node_modules", "typescript", "bin", "tsc");
  let said = "";
  try {
    execFileSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
  } catch (error) {
    said = (error as { stdout: string }).stdout;
  }
  expect(said).toBe("");
});
