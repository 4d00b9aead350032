import {
  ArgumentError,
  capture,
  keep,
  readFloats,
  tensor,
  tidy,
  writeInto,
  zeros,
  type Captured,
  type Tensor,
} from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { throwIfAborted } from "@statespace/files";
import { nextTask } from "../eventLoop.ts";
import type { Model } from "../model/model.ts";
import type { ModelState } from "../model/state.ts";
import { framingOf, type FramingConfig } from "./framing.ts";
import { spectraOn, type Spectra } from "./spectra.ts";

/** Frames of a long sound that are computed at once. */
const FRAMES_AT_ONCE = 1024;

/** How a whole recording is worked on. */
interface DenoiseOptions {
  /** Ends it between two parts of 1,024 frames. */
  readonly signal?: AbortSignal;
  /** Called after each part with the share that is done, up to 1. */
  readonly onProgress?: (share: number) => void;
}

/** A value that is no number would stay in the state for ever. */
function checkSamples(op: string, samples: Float32Array): void {
  if (!(samples instanceof Float32Array)) throw new ArgumentError(`${op}: samples must be a Float32Array`);
  const wrong = samples.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new ArgumentError(`${op}: samples must be finite, got ${samples[wrong]} at ${wrong}`);
}

/** Takes noise out of sound with a model whose head is of kind `denoising`: of a whole recording, or of sound as it comes. */
export class Denoiser {
  readonly model: Model;
  readonly framing: FramingConfig;

  /**
   * @param from a model, or one that was loaded; it stays the caller's
   * @throws ArgumentError for a model that does something else
   */
  constructor(from: Model | { readonly model: Model }) {
    this.model = "model" in from ? from.model : from;
    const { head } = this.model.resolved;
    if (head.kind !== "denoising")
      throw new ArgumentError(`Denoiser: the model's head must be of kind denoising, got ${head.kind}`);
    this.framing = framingOf(head);
  }

  get #spectra(): Spectra {
    return spectraOn(this.model.backend, this.framing);
  }

  /** Samples until what went in has come out of `stream`, however it is cut. */
  get latency(): number {
    return this.framing.window;
  }

  /**
   * A whole recording, one channel at `framing.sampleRate` samples a second: as many samples, in their places. Equal to what `stream` gives, up
   * to rounding.
   * @throws ArgumentError for samples that are no numbers, and unknown options; AbortedError once the signal fires
   */
  async denoise(samples: Float32Array, options: DenoiseOptions = {}): Promise<Float32Array> {
    refuseUnknown("Denoiser.denoise", options, ["signal", "onProgress"], { progress: "onProgress" });
    checkSamples("Denoiser.denoise", samples);
    const { window, hop } = this.framing;
    const before = window - hop;
    const hops = Math.ceil(samples.length / hop) + window / hop - 1; // the last sample, too, is in every frame that it needs
    const padded = new Float32Array(before + hops * hop);
    padded.set(samples, before);
    const out = new Float32Array(padded.length);
    let state = this.model.initialState(1);
    try {
      for (let from = 0; from < hops; from += FRAMES_AT_ONCE) {
        throwIfAborted(options.signal, "Denoiser.denoise");
        const frames = Math.min(FRAMES_AT_ONCE, hops - from);
        const part = padded.subarray(from * hop, (from + frames) * hop + before);
        const { said, next } = this.#part(part, state);
        state.dispose();
        state = next;
        const values = await readFloats(said);
        said.dispose();
        for (let i = 0; i < values.length; i++) out[from * hop + i]! += values[i]!;
        options.onProgress?.((from + frames) / hops);
        await nextTask(); // what waits, a signal among it, comes first
      }
    } finally {
      state.dispose();
    }
    return out.slice(before, before + samples.length);
  }

  /** Frames of sound without their noise, and the state behind them. @param samples from before the first new one */
  #part(samples: Float32Array, initialState: ModelState): { said: Tensor; next: ModelState } {
    let next: ModelState | undefined;
    const said = tidy(() => {
      const spectra = this.#spectra;
      const own = tensor(samples, [1, samples.length], { backend: this.model.backend });
      const noisy = spectra.spectrum(spectra.frames(own));
      const { output, state } = this.model.forward(spectra.features(noisy), { initialState, returnState: true });
      next = state;
      for (const layer of state!.layers) for (const each of Object.values(layer)) keep(each);
      return spectra.overlapped(spectra.backToFrames(spectra.masked(noisy, output)));
    });
    return { said, next: next! };
  }

  /**
   * Sound as it comes: each `push` gives what is finished by then. A frame is one replay of recorded launches, and nothing waits for anything else,
   * so that it serves in an audio worklet.
   * @throws ArgumentError on a backend whose values cannot be read at once (webgpu, wasm with `worker: true`)
   */
  stream(): DenoiserStream {
    const { backend } = this.model;
    if (!backend.readsAtOnce)
      throw new ArgumentError(`Denoiser.stream: values of ${backend.label} are not read at once; take wasm or cpu`);
    return new DenoiserStream(this.model, this.#spectra);
  }
}

/** Sound on its way through a denoiser; see `Denoiser.stream`. */
export class DenoiserStream {
  readonly #model: Model;
  readonly #spectra: Spectra;
  readonly #state: ModelState;
  readonly #frame: Tensor; // [1, window]
  readonly #graph: Captured<Tensor>;
  readonly #recent: Float32Array; // the last `window` samples that came
  readonly #sums: Float32Array; // frames that are not yet complete
  /** Of the newest hop. */
  #filled = 0;
  #taken = 0;
  #given = 0;

  constructor(model: Model, spectra: Spectra) {
    const { window } = spectra.framing;
    this.#model = model;
    this.#spectra = spectra;
    this.#state = model.initialState(1);
    this.#frame = keep(zeros([1, window], { backend: model.backend }));
    this.#recent = new Float32Array(window);
    this.#sums = new Float32Array(window);
    // Once for tensors that are made of weights: they are to be there before the recording, or each replay makes them again.
    const scratch = model.initialState(1);
    this.#one(scratch).dispose();
    scratch.dispose();
    const before = this.#state.clone();
    this.#graph = capture(() => this.#one(this.#state));
    this.#state.copyFrom(before);
    before.dispose();
  }

  #one(state: ModelState): Tensor {
    return tidy(() => {
      const noisy = this.#spectra.spectrum(this.#frame);
      const answer = this.#model.step(this.#spectra.features(noisy), state);
      return this.#spectra.backToFrames(this.#spectra.masked(noisy, answer)); // [1, window]
    });
  }

  /**
   * Takes any number of samples, and gives those that are finished: a multiple of `hop`, `window - hop` later than they came, or none.
   * @throws ArgumentError for samples that are no numbers; what came before stays
   */
  push(samples: Float32Array): Float32Array {
    checkSamples("DenoiserStream.push", samples);
    const { hop } = this.#spectra.framing;
    const out = new Float32Array(Math.floor((this.#filled + samples.length) / hop) * hop);
    let [at, given] = [0, 0];
    while (at < samples.length) {
      const count = Math.min(hop - this.#filled, samples.length - at);
      this.#recent.set(samples.subarray(at, at + count), this.#recent.length - hop + this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled < hop) break;
      this.#run(out.subarray(given, (given += hop)));
    }
    this.#taken += samples.length;
    // What a frame of silence before the beginning gave is no sample that came.
    const early = this.#spectra.framing.window - hop - this.#given;
    this.#given += out.length;
    return early > 0 ? out.slice(Math.min(early, out.length)) : out;
  }

  /** What is still under way, as if silence followed; the stream then starts anew. */
  flush(): Float32Array {
    const { window, hop } = this.#spectra.framing;
    const before = window - hop;
    const missing = this.#taken - Math.max(0, this.#given - before);
    const rest = this.push(new Float32Array(before + (hop - this.#filled)));
    this.reset();
    return rest.slice(0, missing);
  }

  /** Forgets all that came. */
  reset(): void {
    this.#recent.fill(0);
    this.#sums.fill(0);
    this.#filled = this.#taken = this.#given = 0;
    const fresh = this.#model.initialState(1);
    this.#state.copyFrom(fresh);
    fresh.dispose();
  }

  /** A whole new hop has come. @param out what is finished by it, [hop] */
  #run(out: Float32Array): void {
    const { hop, window } = this.#spectra.framing;
    writeInto(this.#frame, this.#recent);
    this.#graph.replay();
    const frame = this.#graph.result.dataSync();
    for (let i = 0; i < window; i++) this.#sums[i]! += frame[i]!;
    out.set(this.#sums.subarray(0, hop));
    this.#sums.copyWithin(0, hop);
    this.#sums.fill(0, window - hop);
    this.#recent.copyWithin(0, hop);
    this.#filled = 0;
  }

  dispose(): void {
    this.#graph.dispose();
    this.#frame.dispose();
    this.#state.dispose();
  }
}
