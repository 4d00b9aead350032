import { compileKernels } from "@statespace/backend-wasm";
import { modelToMessage, type Model } from "@statespace/models";
import type { DenoiserOptions } from "./worklet.ts";

/**
 * A denoiser as a node of an audio graph, ready to run.
 * @param context at the model's sample rate: `new AudioContext({ sampleRate: 16000 })`; the browser brings a microphone to it
 * @param worklet address of `worklet.ts`, bundled
 */
export async function denoiserNode(
  context: BaseAudioContext,
  model: Model,
  worklet: URL | string,
): Promise<AudioWorkletNode> {
  await context.audioWorklet.addModule(worklet);
  const options: DenoiserOptions = { model: await modelToMessage(model), kernels: await compileKernels() };
  const node = new AudioWorkletNode(context, "denoiser", {
    processorOptions: options,
    channelCount: 1,
    channelCountMode: "explicit",
  });
  await new Promise<void>((ready, failed) => {
    node.port.onmessage = ({ data }: MessageEvent<{ error?: string }>): void =>
      data.error === undefined ? ready() : failed(new Error(data.error));
    node.onprocessorerror = (): void => failed(new Error("the worklet does not start"));
  });
  return node;
}
