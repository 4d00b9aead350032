import { Rng } from "@statespace/core";
import { randomNoise } from "@statespace/datasets";
import { Denoiser } from "@statespace/models";
import { bundledCheckpoint, load } from "statespace";
import { expect, it } from "vitest";
import { denoiserNode } from "./denoiserNode.ts";

it("denoises in an audio worklet as it does a whole recording, 24 ms and a block of 8 ms later", async () => {
  const lm = await load(bundledCheckpoint("denoiser"), { backend: "wasm" });
  const rate = 16_000;
  const length = 128 * 100;
  const noise = randomNoise(new Rng(3), { length, kinds: ["rain"] });
  const noisy = noise.map((value, i) => 0.1 * value + 0.1 * Math.sin(i / 9) * Math.sin(i / 900));
  const context = new OfflineAudioContext(1, length, rate);
  const buffer = new AudioBuffer({ length, sampleRate: rate });
  buffer.copyToChannel(noisy, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  const worklet = new URL("./worklet.ts", import.meta.url);
  source.connect(await denoiserNode(context, lm.model, worklet)).connect(context.destination);
  source.start();
  const said = (await context.startRendering()).getChannelData(0);
  const whole = await new Denoiser(lm).denoise(noisy);
  const late = 512 - 128; // a frame, less the block with which its last sample came
  expect(Math.max(...said.subarray(0, late).map(Math.abs))).toBe(0);
  let worst = 0;
  for (let i = late; i < length; i++) worst = Math.max(worst, Math.abs(said[i]! - whole[i - late]!));
  expect(worst).toBeLessThan(2e-4);
  expect(Math.max(...whole.map(Math.abs))).toBeGreaterThan(0.02);
  lm.dispose();
});
