/** The denoiser in an audio worklet: sound comes in 128 samples, and goes out as many, 32 ms later. */
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { Denoiser, modelFromMessage, type DenoiserStream, type ModelMessage } from "@statespace/models";

// What an audio worklet has, and TypeScript's own types of it lack.
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, type: unknown): void;

/** What the page hands over: weights, and kernels that a worklet cannot compile itself. */
export interface DenoiserOptions {
  readonly model: ModelMessage;
  readonly kernels: WebAssembly.Module;
}

class DenoiserProcessor extends AudioWorkletProcessor {
  #stream: DenoiserStream | undefined;
  /** What is finished and not yet played. */
  #ready = new Float32Array(2048);
  #filled = 0;
  #on = true;

  constructor({ processorOptions }: { processorOptions: DenoiserOptions }) {
    super();
    this.port.onmessage = ({ data }: MessageEvent<boolean>): void => void (this.#on = data);
    this.#start(processorOptions).then(
      (latency) => this.port.postMessage({ latency }),
      (error: unknown) => this.port.postMessage({ error: String(error) }),
    );
  }

  async #start({ model, kernels }: DenoiserOptions): Promise<number> {
    await setBackend(wasmBackend({ module: kernels }));
    const denoiser = new Denoiser(modelFromMessage(model));
    this.#stream = denoiser.stream();
    return denoiser.latency / denoiser.framing.sampleRate;
  }

  process([input]: Float32Array[][], [output]: Float32Array[][]): boolean {
    const [samples] = input ?? [];
    const [out] = output ?? [];
    if (samples === undefined || out === undefined) return true;
    if (this.#stream === undefined || !this.#on) {
      out.set(samples);
      return true;
    }
    const said = this.#stream.push(samples);
    this.#ready.set(said, this.#filled);
    this.#filled += said.length;
    if (this.#filled < out.length) return true; // the first 32 ms
    out.set(this.#ready.subarray(0, out.length));
    this.#ready.copyWithin(0, out.length, this.#filled);
    this.#filled -= out.length;
    return true;
  }
}

registerProcessor("denoiser", DenoiserProcessor);
