import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSafetensors, serializeSafetensors } from "@statespace/files";
import { afterEach, beforeEach, expect, it } from "vitest";
import { registerByName } from "../src/backends.ts";
import { runGolden, type GoldenResult } from "../src/golden/run.ts";

const golden = new URL("../golden/hf/mamba-tiny", import.meta.url).pathname;
let work: string;
beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), "statespace-golden-"));
  await registerByName(["cpu"]);
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

/** What a golden folder says whose one case lacks some outputs. */
async function without(lacks: (name: string) => boolean): Promise<GoldenResult[]> {
  const folder = join(work, "hf", "mamba-tiny");
  cpSync(golden, folder, { recursive: true });
  const file = join(folder, "expected.safetensors");
  const { tensors, metadata } = parseSafetensors(new Uint8Array(readFileSync(file)), file);
  const kept = new Map([...tensors].filter(([name]) => !lacks(name)));
  expect(kept.size).toBeLessThan(tensors.size);
  writeFileSync(file, serializeSafetensors(kept, { metadata: Object.fromEntries(metadata) }));
  const results: GoldenResult[] = [];
  for await (const result of runGolden(work, ["cpu"])) results.push(result);
  return results;
}

const names = (results: readonly GoldenResult[]): string[] =>
  results.map((result) => {
    expect("why" in result ? result.why : "").toBe("");
    expect("ok" in result && result.ok).toBe(true);
    return "tensor" in result ? result.tensor : "";
  });

it.each([
  ["the optimizer's losses", "adamwLosses", (name: string) => name === "out.adamwLosses"],
  ["greedy tokens", "greedy", (name: string) => name === "out.greedy"],
  ["the loss", "loss", (name: string) => name === "out.loss"],
])("a case without %s is judged on what it has", async (_, lacking, lacks) => {
  const found = names(await without(lacks));
  expect(found).not.toContain(lacking);
  for (const tensor of ["logits", "loss", "greedy", "adamwLosses"].filter((name) => name !== lacking))
    expect(found).toContain(tensor);
  expect(found.some((name) => name.startsWith("grad."))).toBe(true);
});

it("a case without gradients too; one that lacks some of them was damaged, and is told", async () => {
  const found = names(await without((name) => name.startsWith("grad.")));
  expect(found).toEqual(expect.arrayContaining(["logits", "loss", "greedy", "adamwLosses"]));
  expect(found.some((name) => name.startsWith("grad."))).toBe(false);
  const [result] = await without((name) => name.startsWith("grad.") && name.endsWith("A_log"));
  expect(result).toMatchObject({ why: expect.stringMatching(/grad\..*A_log/) });
});
