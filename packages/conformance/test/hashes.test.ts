import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";

const root = new URL("../", import.meta.url);
const hashes = JSON.parse(readFileSync(new URL("hashes.json", root), "utf8")) as Record<string, string>;

it("the golden vectors are those that were taken over, all of them", () => {
  const files = readdirSync(new URL("golden/", root), { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.(safetensors|json|gguf)$/.test(name),
  );
  expect(files.map((name) => name.replaceAll("\\", "/")).sort()).toEqual(Object.keys(hashes).sort());
});

it.each(Object.entries(hashes))("%s", (name, hash) => {
  const actual = createHash("sha256")
    .update(readFileSync(new URL(`golden/${name}`, root)))
    .digest("hex");
  expect(
    actual,
    `${name} was changed; golden/generate.py, generate_more.py, generate_hybrids.py, generate_experts.py, generate_gguf.py and generate_onnx_nodes.py tell how the vectors are made`,
  ).toBe(hash);
});
