import { readFileSync } from "node:fs";
import { Rng } from "@statespace/core";
import { expect, test } from "vitest";
import { parseSafetensors } from "../src/index.ts";
import { mutate, survive } from "./mutations.ts";

const golden = new URL("../../conformance/golden/hf/", import.meta.url);
const models = ["mamba-tiny", "falcon-mamba-tiny", "mamba2-tiny"];
const ROUNDS = 10_000;

test(`${ROUNDS} mutated safetensors headers: parsed or refused with a typed error`, () => {
  const rng = new Rng(11);
  const files = models.map((model) => readFileSync(new URL(`${model}/model.safetensors`, golden)));
  const headers = files.map((file) =>
    new TextDecoder().decode(file.subarray(8, 8 + Number(file.readBigUInt64LE(0)))).trimEnd(),
  );
  let accepted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const pick = round % models.length;
    const header = new TextEncoder().encode(mutate(headers[pick], rng));
    const data = files[pick].subarray(8 + Number(files[pick].readBigUInt64LE(0)));
    const file = new Uint8Array(8 + header.length + data.length);
    // One in eight lies about the header's length as well.
    const lie = round % 8 === 0 ? Math.floor(rng.uniform(-20, 20)) : 0;
    new DataView(file.buffer).setBigInt64(0, BigInt(header.length + lie), true);
    file.set(header, 8);
    file.set(data, 8 + header.length);
    if (survive(() => parseSafetensors(file), new TextDecoder().decode(header))) accepted++;
  }
  // Renaming a tensor or permuting its axes is harmless, so some pass; most must not.
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(ROUNDS / 3);
});
