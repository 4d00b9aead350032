import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkLayering } from "../layering.mjs";

/** A small sound workspace, into which each test plants one fault. */
const sound = {
  "packages/core/package.json": manifest("@statespace/core", {}),
  "packages/core/src/index.ts": 'export { add } from "./tensor/add.ts";\n',
  "packages/core/src/math/sum.ts": "export const sum = 1;\n",
  "packages/core/src/tensor/add.ts": 'import { sum } from "../math/sum.ts";\nexport const add = sum;\n',
  "packages/tfjs/package.json": manifest("@statespace/tfjs", {
    "@statespace/core": "^0.1.0",
    "@tensorflow/tfjs-core": "4.22.0",
  }),
  "packages/tfjs/src/index.ts": 'import * as tf from "@tensorflow/tfjs-core";\nexport const scope = tf.tidy;\n',

  "packages/backend-cpu/package.json": manifest("@statespace/backend-cpu", { "@statespace/core": "^0.1.0" }),
  "packages/backend-cpu/src/index.ts": 'export { add } from "@statespace/core";\n',
  "packages/backend-wasm/package.json": manifest("@statespace/backend-wasm", { "@statespace/core": "^0.1.0" }),
  "packages/backend-wasm/src/index.ts": "export {};\n",
  "packages/models/package.json": manifest("@statespace/models", {
    "@statespace/core": "^0.1.0",
    "@statespace/backend-cpu": "^0.1.0",
  }),
  "packages/models/src/index.ts": 'export { add } from "@statespace/core";\n',
};

function manifest(name, dependencies) {
  return JSON.stringify({
    name,
    dependencies,
    exports: { ".": "./dist/index.js", "./package.json": "./package.json" },
  });
}

let root;
const plant = (files) => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
};
const problems = () => checkLayering(root).problems;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "statespace-layering-"));
  plant(sound);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("layering", () => {
  it("finds nothing in a sound workspace", () => expect(problems()).toEqual([]));

  it.each([
    [
      "a model that imports a backend",
      "packages/models/src/fast.ts",
      'import { add } from "@statespace/backend-cpu";',
      "@statespace/models may not import @statespace/backend-cpu",
    ],
    [
      "even for its types",
      "packages/models/src/fast.ts",
      'import type { add } from "@statespace/backend-cpu";',
      "may not import @statespace/backend-cpu",
    ],
    [
      "even in a type expression",
      "packages/models/src/fast.ts",
      'export type A = import("@statespace/backend-cpu").A;',
      "may not import @statespace/backend-cpu",
    ],
    [
      "even lazily",
      "packages/models/src/fast.ts",
      'export const a = () => import("@statespace/backend-cpu");',
      "may not import @statespace/backend-cpu",
    ],
    [
      "a backend that imports another",
      "packages/backend-cpu/src/b.ts",
      'export * from "@statespace/backend-wasm";',
      "@statespace/backend-cpu may not import @statespace/backend-wasm",
    ],
    [
      "core that imports a backend",
      "packages/core/src/b.ts",
      'import "@statespace/backend-cpu";',
      "it may import no workspace package",
    ],
    [
      "tfjs outside its bridge",
      "packages/core/src/tensor/t.ts",
      'import type { Tensor } from "@tensorflow/tfjs-core";',
      "only packages/tfjs/src/ may import",
    ],
    ["a tfjs rival as a base", "packages/backend-wasm/src/t.ts", 'import "@tensorflow/tfjs-backend-wasm";', "rival"],
    [
      "an import past the exports",
      "packages/models/src/deep.ts",
      'import { add } from "@statespace/core/src/tensor/add.ts";',
      'does not export "./src/tensor/add.ts"',
    ],
    [
      "an import by path into another package",
      "packages/models/test/deep.test.ts",
      'import { add } from "../../core/src/tensor/add.ts";',
      "reaches into another package",
    ],
    [
      "an undeclared dependency",
      "packages/models/src/u.ts",
      'import "left-pad";',
      "left-pad is not among the dependencies",
    ],
    [
      "core's inner order",
      "packages/core/src/math/up.ts",
      'import type { add } from "../tensor/add.ts";',
      "core/src/math may not import tensor, which stands above it",
    ],
    [
      "a backend contract that knows tensors",
      "packages/core/src/backend/up.ts",
      'import type { add } from "../tensor/add.ts";',
      "core/src/backend may not import tensor, which stands above it",
    ],
    [
      "ops that know the optimisers",
      "packages/core/src/ops/up.ts",
      'import "../optim/adam.ts";',
      "core/src/ops may not import optim, which stands above it",
    ],
    [
      "mixers that know families",
      "packages/models/src/mixers/mamba/up.ts",
      'import type { Family } from "../../families/family.ts";',
      "models/src/mixers may not import families, which stands above it: eventLoop, config <- layers <- mixers, model <- families",
    ],
    [
      "errors that import anything",
      "packages/core/src/errors.ts",
      'import { sum } from "./math/sum.ts";',
      "core/src/errors may not import math, which stands above it",
    ],
  ])("fails on %s", (_, path, code, message) => {
    plant({ [path]: `${code}\n` });
    expect(problems()).toEqual([expect.stringContaining(message)]);
    expect(problems()[0]).toMatch(new RegExp(`^${path}:1: `));
  });

  it("fails on a circular import, and names its files", () => {
    plant({
      "packages/models/src/a.ts": 'import { b } from "./b.ts";\nexport const a = () => b;\n',
      "packages/models/src/b.ts": 'import { c } from "./c.ts";\nexport const b = () => c;\n',
      "packages/models/src/c.ts": 'export * from "./a.ts";\nexport const c = 1;\n',
    });
    const files = ["a", "b", "c", "a"].map((name) => `packages/models/src/${name}.ts`);
    expect(problems()).toEqual([`circular import: ${files.join(" -> ")}`]);
  });

  it("fails on packages that need each other, if only for tests", () => {
    const core = {
      name: "@statespace/core",
      devDependencies: { "@statespace/backend-cpu": "^0.1.0" },
    };
    plant({ "packages/core/package.json": JSON.stringify(core) });
    expect(problems()).toEqual([
      expect.stringMatching(
        /^circular dependency.*: @statespace\/backend-cpu -> @statespace\/core -> @statespace\/backend-cpu$/,
      ),
    ]);
  });

  it("reports a file that does not parse, and reads the others all the same", () => {
    plant({ "packages/models/src/a.ts": "export const = 1;\n", "packages/models/src/b.ts": 'import "left-pad";\n' });
    expect(problems()).toEqual([
      expect.stringMatching(/^packages\/models\/src\/a.ts: does not parse/),
      expect.stringContaining("left-pad"),
    ]);
  });

  it("fails on a circle that types alone close", () => {
    plant({
      "packages/models/src/a.ts": 'import type { B } from "./b.ts";\nexport type A = B;\n',
      "packages/models/src/b.ts": 'import type { A } from "./a.ts";\nexport type B = A | 1;\n',
    });
    const files = ["a", "b", "a"].map((name) => `packages/models/src/${name}.ts`);
    expect(problems()).toEqual([`circular import: ${files.join(" -> ")}`]);
  });

  it("lets a lazy import close a circle", () => {
    plant({
      "packages/models/src/b.ts": 'import { c } from "./c.ts";\nexport const b = c;\n',
      "packages/models/src/c.ts": 'export const c = () => import("./b.ts");\n',
    });
    expect(problems()).toEqual([]);
  });
});
