import { describe, expect, it } from "vitest";
import { firstExample, installLine } from "../readmeExample.mjs";

describe("firstExample", () => {
  it("takes the first block of code that Node can run", () => {
    const readme =
      '# Title\n\n```sh\nnpm i\n```\n\n```ts title="a.ts"\nconst a: number = 1;\n```\n\n```js\nb();\n```\n';
    expect(firstExample(readme)).toEqual({ code: "const a: number = 1;\n", extension: "ts" });
  });

  it("keeps JavaScript as JavaScript", () =>
    expect(firstExample("```js\nb();\n```")).toEqual({ code: "b();\n", extension: "mjs" }));

  it("finds nothing in a README of commands, or of other languages that start alike", () => {
    expect(firstExample("```sh\nnpm i\n```\n```json\n{}\n```\n```tsx\n<a/>\n```\n")).toBeUndefined();
  });
});

describe("installLine", () => {
  it("reads the packages of the first install command", () => {
    expect(installLine("```sh\nnpm install --save @statespace/models webgpu\n```")).toEqual([
      "@statespace/models",
      "webgpu",
    ]);
  });
  it("is empty without one", () => expect(installLine("# Title")).toEqual([]));
});
