import { bundledCheckpoint, load } from "statespace";
import { denoiserNode } from "./denoiserNode.ts";

const element = <T extends HTMLElement>(id: string): T => document.querySelector<T>(`#${id}`)!;
const status = element("status");
const on = element<HTMLInputElement>("on");
let context: AudioContext | undefined;
let stop: () => void = () => {};

/** A graph of its own for each sound, since a denoiser remembers what it heard. */
async function play(
  name: string,
  start: (context: AudioContext, node: AudioNode) => Promise<() => void>,
): Promise<void> {
  stop();
  await context?.close();
  status.textContent = "Loading";
  context = new AudioContext({ sampleRate: 16_000 });
  const { model } = await load(bundledCheckpoint("denoiser"), { backend: "wasm" });
  const node = await denoiserNode(context, model, new URL("./worklet.ts", import.meta.url));
  model.dispose();
  node.port.postMessage(on.checked);
  on.onchange = (): void => node.port.postMessage(on.checked);
  node.connect(context.destination);
  stop = await start(context, node);
  status.textContent = `Playing: ${name}`;
}

async function sample(context: AudioContext, node: AudioNode, address: URL): Promise<() => void> {
  const bytes = await (await fetch(address)).arrayBuffer();
  const source = new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(bytes), loop: true });
  source.connect(node);
  source.start();
  return () => source.stop();
}

async function microphone(context: AudioContext, node: AudioNode): Promise<() => void> {
  const audio = { noiseSuppression: false, echoCancellation: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio });
  context.createMediaStreamSource(stream).connect(node);
  return () => stream.getTracks().forEach((track) => track.stop());
}

const told = (work: Promise<void>): void => void work.catch((error: unknown) => (status.textContent = String(error)));
const rain = new URL("../samples/rain-noisy.opus", import.meta.url);
const typing = new URL("../samples/typing-noisy.opus", import.meta.url);
element("rain").onclick = (): void => told(play("rain", (c, node) => sample(c, node, rain)));
element("typing").onclick = (): void => told(play("typing", (c, node) => sample(c, node, typing)));
element("microphone").onclick = (): void => told(play("microphone", microphone));
