import type { Derived } from "../layers/derived.ts";
import {
  ArgumentError,
  DeviceLostError,
  readFloats,
  tensor,
  type PackedFormat,
  type Parameter,
} from "@statespace/core";
import {
  packedWeight,
  readPacked,
  type AnyBackend,
  type WeightFormat,
  type WeightWriter,
} from "@statespace/core/backend";
import { FrameKeeper } from "../eventLoop.ts";
import type { Linear } from "../layers/linear.ts";
import type { ParameterBuilder, Parts } from "../layers/parameterBuilder.ts";
import { fitsFormat, readWeightFormat } from "./packing.ts";

/** The weights of a model: by name, packed or plain, moved, read. `Model` is one of these that computes. */
export class ModelWeights {
  readonly parameters: readonly Parameter[];
  /** Parameters that may be packed, and how those that are are. */
  readonly matrices: ReadonlySet<Parameter>;
  readonly formats: Map<Parameter, PackedFormat> = new Map();
  /** Projections by name: that of their weight without `.weight`. */
  readonly linears: ReadonlyMap<string, Linear>;
  /** What is computed from weights alone and kept beside them, but for what the mixers keep. */
  protected readonly derived: readonly Derived[];
  /** Rows of parameters that other files may keep apart. */
  readonly parts: ReadonlyMap<Parameter, Parts>;
  /** Parameters that compute with the model and are not its own, as an adapter's: they move with it, and are freed with it. */
  readonly attached: Set<Parameter> = new Set();
  /** Grows when the model is to launch other kernels than before, or on other tensors: captured steps are then made anew. */
  wiring = 0;
  /** Puts weights back that went with their device, on the one that runs in its place: what `load` and `fit` with `recover` set. */
  comeBack: (() => Promise<void>) | undefined;
  /** Changes of parameters that were no changes of the weights: they moved, or are kept otherwise. */
  #rearranged = 0;

  /** @param build what it makes, now and later, are the weights */
  constructor(build: ParameterBuilder) {
    this.parameters = build.parameters;
    this.matrices = build.matrices;
    this.parts = build.parts;
    this.linears = build.linears;
    this.derived = build.allDerived;
  }

  /** Number of weights, a tied head counted once. */
  get size(): number {
    return this.parameters.reduce((total, { size }) => total + size, 0);
  }

  /** Grows with every change of the weights; how and where they are kept does not count. */
  get changes(): number {
    return this.parameters.reduce((total, { version }) => total + version, -this.#rearranged);
  }

  /** Whether weights that it computes with went with their device. */
  get isLost(): boolean {
    const { parameters, linears } = this;
    return parameters.some((p) => p.isLost) || [...linears.values()].some(({ adapter }) => adapter?.isLost === true);
  }

  /**
   * Called before work is begun: where the weights went with their device, and come back by themselves, waits until they are there.
   * @throws DeviceLostError where they do not; BackendError without a device; what their source throws
   */
  async present(): Promise<void> {
    if (!this.isLost) return;
    if (this.comeBack === undefined)
      throw new DeviceLostError(
        "the model's weights went with their device: await lm.recover() loads them again, load(..., { recover: true }) does so by itself",
      );
    await this.comeBack();
  }

  /** A parameter by its name. @throws ArgumentError when there is none. */
  parameter(name: string): Parameter {
    const found = this.parameters.find((p) => p.name === name);
    if (found === undefined) throw new ArgumentError(`the model has no parameter ${name}`);
    return found;
  }

  /**
   * Packs the matrices of the linear layers and the embedding; computation stays float32. For inference: packed weights cannot be trained.
   * Weights whose last axis does not divide into blocks stay as they are.
   * @throws ArgumentError for a format that is none; "f32" is the plain one.
   */
  async quantize(format: WeightFormat): Promise<this> {
    const packed = readWeightFormat("quantize", format);
    const frames = new FrameKeeper();
    for (const parameter of this.parameters) {
      await frames.breathe();
      if (packed === undefined ? !this.formats.has(parameter) : !this.packs(parameter, packed)) continue;
      await this.#repack(parameter, packed);
    }
    return this;
  }

  async #repack(parameter: Parameter, format: PackedFormat | undefined): Promise<void> {
    const writer = this.writer(parameter, format);
    try {
      writer.write(0, await parameter.read());
      this.settle(parameter, writer);
      this.#rearranged++;
    } finally {
      writer.dispose();
    }
  }

  /** Takes the weights of another one of the same shapes over, in place of lost ones; they are kept as these were. The other is left with these. */
  async takeWeights(other: ModelWeights): Promise<void> {
    const pairs = this.parameters.map((own, i) => [own, other.parameters[i]!] as const);
    for (const [own, theirs] of pairs) {
      const format = this.formats.get(own);
      if (format !== other.formats.get(theirs)) await other.#repack(theirs, format);
    }
    for (const [own, theirs] of pairs) {
      own.swap(theirs);
      this.#rearranged++;
    }
    this.wiring++;
  }

  /** Whether a format takes a parameter: it takes matrices whose rows divide into its blocks. */
  packs(parameter: Parameter, format: PackedFormat): boolean {
    return this.matrices.has(parameter) && fitsFormat(parameter.shape, format);
  }

  /** Takes new values of a parameter row by row, packed where a format is asked for and it may be; `settle` then puts them in their place. */
  writer(parameter: Parameter, format?: PackedFormat): WeightWriter {
    return parameter.writer(format !== undefined && this.packs(parameter, format) ? format : "f32");
  }

  /** Puts what a `writer` took in its place. @throws ArgumentError when rows have not come. */
  settle(parameter: Parameter, writer: WeightWriter): void {
    const { format } = writer;
    parameter.replace(writer.finish());
    if (format === "f32") this.formats.delete(parameter);
    else {
      parameter.trainable = false;
      this.formats.set(parameter, format);
    }
  }

  /** Exchanges the values of a weight, and how they are kept, with those of an attached parameter. */
  swap(parameter: Parameter, other: Parameter): void {
    const [format, otherFormat] = [this.formats.get(parameter), this.formats.get(other)];
    parameter.swap(other);
    this.#rearranged++;
    [parameter.trainable, other.trainable] = [other.trainable, parameter.trainable];
    for (const [one, kept] of [
      [parameter, otherFormat],
      [other, format],
    ] as const)
      if (kept === undefined) this.formats.delete(one);
      else this.formats.set(one, kept);
    this.wiring++;
  }

  /** Weights by name, read back; `publishedWeights` has them by the names of the model's family. */
  async weights(): Promise<Map<string, { shape: readonly number[]; values: Float32Array }>> {
    const out = new Map<string, { shape: readonly number[]; values: Float32Array }>();
    for (const { name, shape, value } of this.parameters) out.set(name, { shape, values: await readFloats(value) });
    return out;
  }

  /** Moves the weights one by one; back again where one does not fit. */
  protected async moveWeights(from: AnyBackend, to: AnyBackend): Promise<void> {
    const moved: Parameter[] = [];
    const frames = new FrameKeeper();
    try {
      for (const parameter of [...this.parameters, ...this.attached]) {
        await this.#moveOne(parameter, to);
        moved.push(parameter);
        await to.finish();
        await frames.breathe();
      }
    } catch (error) {
      for (const parameter of moved) await this.#moveOne(parameter, from);
      throw error;
    }
  }

  /** Packed weights travel as they are. */
  async #moveOne(parameter: Parameter, backend: AnyBackend): Promise<void> {
    const { shape, value } = parameter;
    const format = this.formats.get(parameter);
    if (!this.attached.has(parameter)) this.#rearranged++;
    parameter.replace(
      format === undefined
        ? tensor(await readFloats(value), shape, { backend })
        : packedWeight(await readPacked(value), shape, format, { backend }),
    );
  }

  dispose(): void {
    for (const parameter of [...this.parameters, ...this.attached]) parameter.dispose();
  }
}
