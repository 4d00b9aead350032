import { readFileSync } from "node:fs";
import { cpuBackend } from "@statespace/backend-cpu";
import { readFloats, setBackend, tensor } from "@statespace/core";
import { parseSafetensors } from "@statespace/files";
import { beforeAll, expect, it } from "vitest";
import { fromPretrained } from "../../src/index.ts";

const golden = new URL("../../../conformance/golden/hf/mamba-tiny/", import.meta.url);
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, golden)));
const SHARD = "model-00001-of-00001.safetensors";
const keys = [...parseSafetensors(read("model.safetensors")).tensors.keys()];

/** The golden checkpoint in one shard with an index. */
const sharded = (
  totalSize: number,
  named: readonly string[],
  shard = read("model.safetensors"),
): Record<string, Uint8Array> => ({
  "config.json": read("config.json"),
  [SHARD]: shard,
  "model.safetensors.index.json": new TextEncoder().encode(
    JSON.stringify({
      metadata: { total_size: totalSize },
      weight_map: Object.fromEntries(named.map((key) => [key, SHARD])),
    }),
  ),
});

beforeAll(() => setBackend(cpuBackend()));

it("an index that counts wrongly, or names a tied head that was not written, loads the same model and is told", async () => {
  const logits = async (files: Record<string, Uint8Array>, notices: string[] = []): Promise<Float32Array> => {
    const model = await fromPretrained(files, { notice: (line) => notices.push(line) });
    const { output } = model.forward(tensor(Int32Array.of(1, 2, 3), [1, 3]));
    const values = await readFloats(output);
    output.dispose();
    model.dispose();
    return values;
  };
  const plain = await logits({ "config.json": read("config.json"), "model.safetensors": read("model.safetensors") });
  const notices: string[] = [];
  expect(keys).not.toContain("lm_head.weight");
  expect(await logits(sharded(5, [...keys, "lm_head.weight"]), notices)).toEqual(plain);
  expect(notices).toEqual([
    expect.stringMatching(/names the tensor "lm_head.weight", which .* does not hold/),
    expect.stringMatching(/total_size is 5, the shards hold \d+ bytes/),
  ]);
});

it("a key that config.json has twice: told where nothing depends on it, an error where something does", async () => {
  const config = new TextDecoder().decode(read("config.json"));
  const loaded = async (more: string): Promise<readonly string[]> => {
    const notices: string[] = [];
    const files = {
      "config.json": `{${more},${config.trim().slice(1)}`,
      "model.safetensors": read("model.safetensors"),
    };
    (await fromPretrained(files, { notice: (line) => notices.push(line) })).dispose();
    return notices;
  };
  const told = [expect.stringMatching(/config.json: key "\w+" appears twice$/)];
  expect(await loaded('"nobody":1,"nobody":{"reads":2}')).toEqual(told);
  const { hidden_size: width } = JSON.parse(config) as { hidden_size: number };
  expect(await loaded(`"hidden_size":${width}`)).toEqual(told);
  await expect(loaded(`"hidden_size":${width + 1}`)).rejects.toThrow(
    /^config.json: not valid JSON at character \d+: key "hidden_size" appears twice/,
  );
});
