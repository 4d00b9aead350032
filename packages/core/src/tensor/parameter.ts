import { refuseUnknown } from "../options/index.ts";
import { chosenBackend, type BackendChoice } from "../backend/current.ts";
import type { AnyBackend } from "../backend/registry.ts";
import type { WeightFormat } from "../backend/types.ts";
import { ShapeError } from "../errors.ts";
import { readFloats, sizeOfShape, tensor, writeInto, zeros, type PlaceOptions } from "./create.ts";
import { keep } from "./scope.ts";
import type { Tensor } from "./tensor.ts";
import { WeightWriter } from "./weightWriter.ts";

/** How the optimiser treats a parameter; a training recipe may override each by group. */
export interface ParameterOptions {
  /** Weight decay applies. Off for A, D, biases, norms and steps, as S4 and Mamba do. */
  readonly decay?: boolean;
  /** A learning rate of its own, as S4 gives A, B and delta. */
  readonly learningRate?: number;
  /** Gets gradients at all. */
  readonly trainable?: boolean;
}

const NAMES: Readonly<Record<keyof (ParameterOptions & PlaceOptions), true>> = {
  decay: true,
  learningRate: true,
  trainable: true,
  backend: true,
};

/**
 * A named weight whose address is stable: optimisers and loaders change it in place, so captured graphs keep reading it.
 * Only a move to another backend or a packed replacement gives it a new `value`.
 */
export class Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly decay: boolean;
  readonly learningRate: number | undefined;
  trainable: boolean;
  /** Grows with every change of the values; what is derived from them (A = -exp(ALog)) is cached by it. */
  version = 0;
  #value: Tensor | undefined;
  readonly #place: BackendChoice | undefined;

  /**
   * @param value the values, or a shape alone: it then takes no memory until values come, or are asked for and are zeros
   * @param options.backend where those will be; by default the backend that is set then
   */
  constructor(name: string, value: Tensor | readonly number[], options: ParameterOptions & PlaceOptions = {}) {
    refuseUnknown("parameter", options, Object.keys(NAMES), { lr: "learningRate", requiresGrad: "trainable" });
    this.name = name;
    this.shape = "shape" in value ? value.shape : value;
    this.decay = options.decay ?? true;
    this.learningRate = options.learningRate;
    this.trainable = options.trainable ?? true;
    this.#place = options.backend;
    if ("shape" in value) this.#value = keep(value);
  }

  get value(): Tensor {
    return (this.#value ??= keep(zeros(this.shape, { backend: this.#place })));
  }

  /** Where its values are, or are to come after they went with their device. */
  get backend(): AnyBackend {
    return this.#value?.backend.latest ?? chosenBackend(this.#place);
  }

  /** Whether its values went with their device: new ones are then made on the one that runs in its place. */
  get isLost(): boolean {
    return this.#value?.backend.lost !== undefined;
  }

  get size(): number {
    return sizeOfShape(this.shape);
  }

  /** Overwrites the values in place. @throws ShapeError for a wrong number of values. */
  assign(values: Float32Array): void {
    if (values.length !== this.size) {
      throw new ShapeError(
        `${this.name}: values must have ${this.size} elements for [${this.shape.join(", ")}], got ${values.length}`,
      );
    }
    if (this.#value !== undefined && !this.isLost) {
      writeInto(this.#value, values);
      this.version++;
    } else this.replace(tensor(values, this.shape, { backend: this.backend }));
  }

  /**
   * Takes new values in parts, straight to where they are kept: in place where they are float32 and stay so, so that captured graphs
   * go on reading them. `replace` then takes what `WeightWriter.finish` returns.
   */
  writer(format: WeightFormat = "f32"): WeightWriter {
    const value = this.#value;
    if (format === "f32" && value !== undefined && !this.isLost && value.backend.formatOf(value) === "f32")
      return WeightWriter.into(value);
    return new WeightWriter(this.shape, format, { backend: this.backend });
  }

  /** Puts another tensor of the same shape in its place (a packed weight, or a copy on another backend) and disposes the old one. */
  replace(value: Tensor): void {
    if (value.shape.join() !== this.shape.join()) {
      throw new ShapeError(`${this.name}: must be [${this.shape.join(", ")}], got [${value.shape.join(", ")}]`);
    }
    if (this.#value !== value) this.#value?.dispose();
    this.#value = keep(value);
    this.version++;
  }

  /** Exchanges its values with another parameter of the same shape; what is computed with either then sees the other's. */
  swap(other: Parameter): void {
    if (other.shape.join() !== this.shape.join())
      throw new ShapeError(`${this.name}: must be [${this.shape.join(", ")}], got [${other.shape.join(", ")}]`);
    const { value } = this;
    this.#value = other.value;
    other.#value = value;
    this.version++;
    other.version++;
  }

  read(): Promise<Float32Array> {
    return readFloats(this.value);
  }

  dispose(): void {
    this.#value?.dispose();
  }
}

/** A parameter from values, on the backend that is set unless told otherwise. */
export function parameter(
  name: string,
  values: Float32Array,
  shape: readonly number[],
  { backend, ...options }: ParameterOptions & PlaceOptions = {},
): Parameter {
  return new Parameter(name, tensor(values, shape, { backend }), options);
}
