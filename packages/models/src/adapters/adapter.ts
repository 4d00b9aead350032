import { ArgumentError, Parameter, type Rng } from "@statespace/core";
import { elementDropout } from "../model/dropout.ts";
import type { Linear } from "../layers/linear.ts";
import type { Model } from "../model/model.ts";
import type { PublishedTensor } from "../families/weightNames.ts";
import { AdaptedLinear } from "./adaptedLinear.ts";
import type { LowRank } from "./lowRank.ts";
import type { LinearModule } from "./modules.ts";
import type { AdapterSettings } from "./settings.ts";

/** A weight that is trained whole: the adapter's values wait in `spare` while the adapter is off, the model's while it is on. */
export interface WholeWeight {
  readonly parameter: Parameter;
  readonly spare: Parameter;
  /** What files have of it. */
  readonly tensors: readonly PublishedTensor[];
}

/** What an adapter is made of. */
export interface AdapterParts {
  readonly model: Model;
  readonly settings: AdapterSettings;
  readonly lowRanks: readonly LowRank[];
  readonly whole: readonly WholeWeight[];
  /** `adapter_config.json` as it was read; what of it is not a setting of ours is written again. */
  readonly file?: Readonly<Record<string, unknown>>;
}

const active = new WeakMap<Model, Adapter>();

/** The adapter that a model computes with, if one is on. */
export function activeAdapter(model: Model): Adapter | undefined {
  return active.get(model);
}

/**
 * Low-rank changes of a model's linear layers, and weights that are trained in their place. Of several on one model one is on at a time.
 * What it needs is little beside the model, whose weights stay as they are, packed ones too.
 */
export class Adapter {
  readonly model: Model;
  readonly settings: AdapterSettings;
  readonly lowRanks: readonly LowRank[];
  readonly whole: readonly WholeWeight[];
  readonly file: Readonly<Record<string, unknown>>;
  readonly #linears: readonly AdaptedLinear[];
  /** The weights that were there before a merge. */
  #merged: Map<Linear, Parameter> | undefined;
  #disposed = false;

  /** Of parts that are made; `addAdapter` and `loadAdapter` make them. */
  constructor({ model, settings, lowRanks, whole, file = {} }: AdapterParts) {
    this.model = model;
    this.settings = settings;
    this.lowRanks = lowRanks;
    this.whole = whole;
    this.file = file;
    const byLinear = new Map<Linear, LowRank[]>();
    for (const part of lowRanks) byLinear.set(part.linear, [...(byLinear.get(part.linear) ?? []), part]);
    this.#linears = [...byLinear].map(([linear, parts]) => new AdaptedLinear(linear, parts));
    for (const parameter of this.#attached) model.attached.add(parameter);
  }

  /** Linear layers that it changes, by the names that the model's family has for them. */
  get modules(): readonly LinearModule[] {
    return this.lowRanks.map(({ module }) => module);
  }

  /** What is trained while it is on. */
  get parameters(): readonly Parameter[] {
    return [...this.lowRanks.flatMap(({ parameters }) => parameters), ...this.whole.map(({ parameter }) => parameter)];
  }

  /** Numbers that are trained. */
  get size(): number {
    return this.parameters.reduce((total, { size }) => total + size, 0);
  }

  get isOn(): boolean {
    return active.get(this.model) === this;
  }

  /** Whether its values went with their device. */
  get isLost(): boolean {
    return this.#attached.some((p) => p.isLost);
  }

  /** Grows with every change of its values. */
  get changes(): number {
    return this.lowRanks.reduce((total, part) => part.parameters.reduce((sum, p) => sum + p.version, total), 0);
  }

  /** Whether it was freed. */
  get isDisposed(): boolean {
    return this.#disposed;
  }

  get isMerged(): boolean {
    return this.#merged !== undefined;
  }

  /** The model computes with it from now on, and with no other. @throws ArgumentError where another one is merged into the weights. */
  on(): this {
    this.#expectAlive("on");
    const other = active.get(this.model);
    if (other === this) return this;
    if (other?.isMerged) throw new ArgumentError("adapter: another one is merged into the weights; unmerge it first");
    other?.off();
    for (const each of this.#linears) each.linear.adapter = each.idle ? undefined : each;
    for (const { parameter, spare } of this.whole) this.model.swap(parameter, spare);
    this.model.wiring++;
    active.set(this.model, this);
    return this;
  }

  /** The model computes as without it. */
  off(): this {
    if (!this.isOn) return this;
    this.unmerge();
    for (const each of this.#linears) each.linear.adapter = undefined;
    for (const { parameter, spare } of this.whole) this.model.swap(parameter, spare);
    this.model.wiring++;
    active.delete(this.model);
    return this;
  }

  /**
   * Puts the changes into the weights, so that a token costs what it costs without an adapter; packed weights are packed anew. The weights
   * that were there are kept for `unmerge`, which is exact, until `dispose`.
   */
  async merge(): Promise<this> {
    this.on();
    if (this.#merged !== undefined) return this;
    const { model } = this;
    const before = new Map<Linear, Parameter>();
    try {
      for (const each of this.#linears) {
        const { weight } = each.linear;
        const spare = await this.#mergedParameter(each);
        model.attached.add(spare);
        model.swap(weight, spare);
        before.set(each.linear, spare);
        each.linear.adapter = undefined;
      }
    } catch (error) {
      this.#takeBack(before);
      throw error;
    }
    this.#merged = before;
    model.wiring++;
    return this;
  }

  /** Takes the changes out of the weights again: they are what they were, bit for bit. */
  unmerge(): this {
    if (this.#merged === undefined) return this;
    this.#takeBack(this.#merged);
    this.#merged = undefined;
    this.model.wiring++;
    return this;
  }

  /** Takes the values of another one of the same file over, in place of lost ones; both are off. The other is left with these. */
  takeValues(other: Adapter): void {
    const theirs = other.#attached;
    for (const [i, own] of this.#attached.entries()) own.swap(theirs[i]!);
    this.model.wiring++;
  }

  #takeBack(before: ReadonlyMap<Linear, Parameter>): void {
    for (const each of this.#linears) {
      const spare = before.get(each.linear);
      if (spare === undefined) continue;
      this.model.swap(each.linear.weight, spare);
      this.#free([spare]);
      each.linear.adapter = each.idle ? undefined : each;
    }
  }

  async #mergedParameter(each: AdaptedLinear): Promise<Parameter> {
    const { model } = this;
    const { weight } = each.linear;
    const merged = each.mergedWeight();
    const spare = new Parameter(weight.name, merged, { trainable: weight.trainable });
    const format = model.formats.get(weight);
    if (format === undefined) return spare;
    const values = await spare.read();
    const writer = spare.writer(format);
    writer.write(0, values);
    spare.replace(writer.finish());
    model.formats.set(spare, format);
    return spare;
  }

  /** Runs a function with the dropout of the settings, drawn from a generator. */
  dropping<T>(rng: Rng, run: () => T): T {
    const { dropout } = this.settings;
    if (dropout === 0) return run();
    const drop = elementDropout(dropout, rng);
    for (const each of this.#linears) each.dropout = drop;
    try {
      return run();
    } finally {
      for (const each of this.#linears) each.dropout = undefined;
    }
  }

  /** Sets DoRA's lengths to those of the rows as they are, which changes nothing. */
  async startMagnitudes(): Promise<void> {
    for (const each of this.#linears) {
      if (each.parts.every(({ magnitude }) => magnitude === undefined)) continue;
      const norms = new Parameter("norms", each.rowNorms());
      const values = await norms.read();
      norms.dispose();
      for (const { magnitude, spans } of each.parts)
        magnitude?.assign(
          Float32Array.from(spans.flatMap(([from, count]) => [...values.subarray(from, from + count)])),
        );
    }
  }

  /**
   * Takes it off the model and frees it. What is merged stays in the weights, and what the weights were before is freed.
   */
  dispose(): void {
    if (this.#disposed) return;
    if (this.isMerged) active.delete(this.model);
    else this.off();
    this.#free([...this.#attached, ...(this.#merged?.values() ?? [])]);
    for (const each of this.#linears) each.release();
    this.#merged = undefined;
    this.#disposed = true;
  }

  get #attached(): readonly Parameter[] {
    return [...this.lowRanks.flatMap(({ parameters }) => parameters), ...this.whole.map(({ spare }) => spare)];
  }

  #free(parameters: readonly Parameter[]): void {
    for (const parameter of parameters) {
      this.model.attached.delete(parameter);
      this.model.formats.delete(parameter);
      parameter.dispose();
    }
  }

  #expectAlive(what: string): void {
    if (this.#disposed) throw new ArgumentError(`adapter: ${what}: it was disposed`);
  }
}

/** The whole weights of some tensors, with a copy of each as the adapter's. */
export function wholeWeights(tensors: readonly PublishedTensor[]): WholeWeight[] {
  const byParameter = new Map<Parameter, PublishedTensor[]>();
  for (const target of tensors)
    byParameter.set(target.parameter, [...(byParameter.get(target.parameter) ?? []), target]);
  return [...byParameter].map(([parameter, own]) => {
    const { backend, shape } = parameter;
    return {
      parameter,
      spare: new Parameter(parameter.name, shape, { backend, decay: parameter.decay }),
      tensors: own,
    };
  });
}

/** A float32 copy of a weight's values in its spare. */
export async function copyWhole({ parameter, spare }: WholeWeight, values?: Float32Array): Promise<void> {
  spare.assign(values ?? (await parameter.read()));
}
