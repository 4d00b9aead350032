import { readFile } from "node:fs/promises";
import { parseWav } from "@statespace/datasets";

/** Two seconds of a voice that the denoiser was not trained on, saying what it was not trained on. */
export async function heldOutClip(): Promise<Float32Array> {
  const file = new URL("held-out-speech.wav", import.meta.url);
  return parseWav(await readFile(file), "held-out-speech.wav").samples;
}
