import { copy, FormatError, keep, readFloats, ShapeError, tensor, tidy, zeros, type Tensor } from "@statespace/core";
import { parseSafetensors, serializeSafetensors, toFloat32Array, type FloatTensor } from "@statespace/files";
import { GROWING_STATE, type LayerState } from "../layers/mixer.ts";

const FORMAT = "statespace.state";

/**
 * Everything a model remembers of a sequence, as a value: it can be cloned, forked, rolled back (`copyFrom`), saved to bytes
 * and read again. `step` changes it in place. Its tensors are kept until `dispose`.
 */
export class ModelState {
  readonly layers: readonly LayerState[];
  /** Tokens that went in. */
  position: number;

  constructor(layers: readonly LayerState[], position = 0) {
    this.layers = layers;
    this.position = position;
    for (const [, t] of this.tensors()) keep(t);
  }

  /** Every tensor with its name, `layers.0.ssm`. */
  *tensors(): Generator<[name: string, value: Tensor]> {
    for (const [i, layer] of this.layers.entries()) {
      for (const [name, t] of Object.entries(layer)) yield [`layers.${i}.${name}`, t];
    }
  }

  /** Size in memory. */
  get bytes(): number {
    let total = 0;
    for (const [, t] of this.tensors()) total += 4 * t.size;
    return total;
  }

  /** An independent copy: later steps on one do not show in the other. */
  clone(): ModelState {
    return this.mapTensors(duplicate);
  }

  /** A state of the tensors that `map` makes of these. */
  mapTensors(map: (t: Tensor) => Tensor): ModelState {
    return new ModelState(
      this.layers.map((layer) => Object.fromEntries(Object.entries(layer).map(([name, t]) => [name, map(t)]))),
      this.position,
    );
  }

  /**
   * Takes over another state's values in place, so that captured graphs go on from there. What grows with the text is replaced.
   * @throws ShapeError for a state of another model or batch.
   */
  copyFrom(other: ModelState): void {
    const source = new Map([...other.tensors()].filter(([name]) => !grows(name)));
    const own = [...this.tensors()].filter(([name]) => !grows(name));
    if (other.layers.length !== this.layers.length)
      throw new ShapeError(`copyFrom: must have ${this.layers.length} layers, got ${other.layers.length}`);
    for (const [name, destination] of own) {
      const from = source.get(name);
      if (from?.shape.join() !== destination.shape.join()) {
        throw new ShapeError(
          `copyFrom: ${name} must be [${destination.shape.join(", ")}], got ${from ? `[${from.shape.join(", ")}]` : "nothing"}`,
        );
      }
    }
    for (const [name, destination] of own) copy({ destination, source: source.get(name)! });
    this.layers.forEach((layer, i) => replaceGrowing(layer, other.layers[i]!));
    this.position = other.position;
  }

  /** The state as a safetensors file. */
  async toBytes(): Promise<Uint8Array> {
    const tensors = new Map<string, FloatTensor>();
    for (const [name, t] of this.tensors()) tensors.set(name, { shape: [...t.shape], values: await readFloats(t) });
    return serializeSafetensors(tensors, {
      metadata: { format: FORMAT, position: String(this.position), layers: String(this.layers.length) },
    });
  }

  /** Inverse of `toBytes`, on the backend that is set. @throws FormatError for anything else. */
  static fromBytes(bytes: Uint8Array): ModelState {
    const { metadata, tensors } = parseSafetensors(bytes, "state");
    const position = Number(metadata.get("position"));
    const count = Number(metadata.get("layers"));
    const valid =
      metadata.get("format") === FORMAT &&
      Number.isSafeInteger(position) &&
      position >= 0 &&
      Number.isInteger(count) &&
      count >= 0 &&
      count <= 10_000;
    if (!valid) throw new FormatError("state: not a saved model state");
    // Everything is checked and converted before the first tensor is made.
    const parsed = [...tensors].map(([key, raw]) => {
      const [, layer, name] = /^layers\.(\d+)\.([A-Za-z]\w*)$/.exec(key) ?? [];
      if (name === undefined || Number(layer) >= count)
        throw new FormatError(`state: tensor "${key}" is not part of a state of ${count} layers`);
      return { layer: Number(layer), name, shape: raw.shape, values: toFloat32Array(raw) };
    });
    const layers: Record<string, Tensor>[] = Array.from({ length: count }, () => ({}));
    for (const { layer, name, shape, values } of parsed) layers[layer]![name] = tensor(values, shape);
    return new ModelState(layers, position);
  }

  dispose(): void {
    for (const [, t] of this.tensors()) t.dispose();
  }
}

/** A name `layers.0.keys` or `keys` of a tensor that gets longer with every token. */
function grows(name: string): boolean {
  return GROWING_STATE.has(name.slice(name.lastIndexOf(".") + 1));
}

/** Puts copies of another state's growing tensors in the place of a layer's own. */
function replaceGrowing(layer: LayerState, other: LayerState): void {
  if (layer === other) return;
  const holder = layer as Record<string, Tensor>;
  for (const name of Object.keys(layer).filter(grows)) {
    holder[name]!.dispose();
    delete holder[name];
  }
  for (const name of Object.keys(other).filter(grows)) holder[name] = keep(duplicate(other[name]!));
}

/** A copy of the values, not another handle on them. */
function duplicate(source: Tensor): Tensor {
  return tidy(() => {
    const destination = zeros(source.shape);
    copy({ destination, source });
    return destination;
  });
}
