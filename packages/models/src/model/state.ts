import {
  FormatError,
  full,
  keep,
  pad,
  ShapeError,
  tidy,
  writeInto,
  zeros,
  type PlaceOptions,
  type Tensor,
} from "@statespace/core";
import { type BackendChoice } from "@statespace/core/backend";
import { copy } from "@statespace/core/ops";
import { parseSafetensors, serializeSafetensors, type RawTensor } from "@statespace/files";
import type { LayerState } from "../layers/mixer.ts";
import { capacityOf, GROWING_STATE, POSITION, settled } from "../layers/reservedState.ts";
import { readStateTensor, stateTensorOf } from "./stateTensor.ts";

const FORMAT = "statespace.state";

/**
 * Everything a model remembers of a sequence, as a value: it can be cloned, forked, rolled back (`copyFrom`), saved to bytes
 * and read again. `step` changes it in place. Its tensors are kept until `dispose`.
 */
export class ModelState {
  /** One a mixer, in the order of the layers; a head over the mean of all tokens adds one for their sum. */
  readonly layers: readonly LayerState[];
  /** Tokens that went in. */
  position: number;
  /** Changes when tensors are replaced by others: a graph that was captured on this state is then out of date. */
  layout = 0;

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

  /** Tokens there is room for before `reserve` must make more. */
  get capacity(): number {
    return Math.min(...this.layers.map(capacityOf));
  }

  /** An independent copy, without reserved room: later steps on one do not show in the other. */
  clone(): ModelState {
    return this.mapTensors(duplicate);
  }

  /** A state of the tensors that `map` makes of these, without reserved room. */
  mapTensors(map: (t: Tensor) => Tensor): ModelState {
    return new ModelState(
      this.layers.map((layer) =>
        tidy(() =>
          Object.fromEntries(Object.entries(settled(layer, this.position)).map(([name, t]) => [name, map(t)])),
        ),
      ),
      this.position,
    );
  }

  /**
   * Takes over another state's values in place, so that captured graphs go on from there. What grows with the text is replaced,
   * unless it is reserved and the other fits.
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
    for (const [i, layer] of this.layers.entries()) {
      if (layer === other.layers[i]) continue;
      tidy(() => {
        const from = settled(other.layers[i]!, other.position);
        if (layer[POSITION] !== undefined && capacityOf(layer) >= other.position) {
          refill(layer, from, other.position);
        } else if (replaceGrowing(layer, from)) this.layout++;
      });
    }
    this.position = other.position;
  }

  /** The state as a safetensors file: F32, and F16 what a cache keeps in halves. */
  async toBytes(): Promise<Uint8Array> {
    const plain = this.clone();
    const tensors = new Map<string, RawTensor>();
    try {
      for (const [name, t] of plain.tensors()) tensors.set(name, await readStateTensor(t));
    } finally {
      plain.dispose();
    }
    return serializeSafetensors(tensors, {
      metadata: { format: FORMAT, position: String(this.position), layers: String(this.layers.length) },
    });
  }

  /** Inverse of `toBytes`, on the backend that is set unless told otherwise. @throws FormatError for anything else. */
  static fromBytes(bytes: Uint8Array, { backend }: PlaceOptions = {}): ModelState {
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
      return { layer: Number(layer), name, make: stateTensorOf(key, raw) };
    });
    const layers: Record<string, Tensor>[] = Array.from({ length: count }, () => ({}));
    for (const { layer, name, make } of parsed) layers[layer]![name] = make({ backend });
    return new ModelState(layers, position);
  }

  /** Reads all values; what it returns puts them, in this state's place and without reserved room, on a backend. */
  async read(): Promise<(backend: BackendChoice) => void> {
    const plain = this.clone();
    const values: { layer: number; name: string; make: (place: PlaceOptions) => Tensor }[] = [];
    try {
      for (const [layer, tensors] of plain.layers.entries())
        for (const [name, t] of Object.entries(tensors))
          values.push({ layer, name, make: stateTensorOf(name, await readStateTensor(t)) });
    } finally {
      plain.dispose();
    }
    return (backend) => {
      for (const layer of this.layers as readonly Record<string, Tensor>[])
        for (const name of Object.keys(layer)) {
          layer[name]!.dispose();
          delete layer[name];
        }
      for (const { layer, name, make } of values)
        (this.layers[layer] as Record<string, Tensor>)[name] = keep(make({ backend }));
      this.layout++;
    };
  }

  dispose(): void {
    for (const [, t] of this.tensors()) t.dispose();
  }
}

/** A name `layers.0.keys` or `keys` of a tensor that gets longer with every token. */
function grows(name: string): boolean {
  const own = name.slice(name.lastIndexOf(".") + 1);
  return GROWING_STATE.has(own) || own === POSITION;
}

/** Puts copies of a plain state's growing tensors in the place of a layer's own; tells whether there was anything to replace. */
function replaceGrowing(layer: LayerState, other: LayerState): boolean {
  const holder = layer as Record<string, Tensor>;
  const [old, next] = [Object.keys(layer).filter(grows), Object.keys(other).filter(grows)];
  const copies = next.map((name) => keep(duplicate(other[name]!)));
  for (const name of old) {
    holder[name]!.dispose();
    delete holder[name];
  }
  next.forEach((name, i) => (holder[name] = copies[i]!));
  return old.length + next.length > 0;
}

/** Puts a plain state's tokens into the room of a reserved one, in place. */
function refill(layer: LayerState, other: LayerState, tokens: number): void {
  for (const name of Object.keys(layer).filter((key) => GROWING_STATE.has(key))) {
    const destination = layer[name]!;
    const rest = name === "visible" ? 1 : 0;
    const source = other[name];
    const room = destination.shape[1]! - tokens;
    const pads = destination.shape.map((_, axis) => (axis === 1 ? ([0, room] as const) : ([0, 0] as const)));
    const whole =
      source === undefined
        ? full(destination.shape, rest, { dtype: destination.dtype, backend: destination.backend })
        : pad(source, pads, rest);
    copy({ destination, source: whole });
  }
  const position = layer[POSITION]!;
  writeInto(position, new Int32Array(position.size).fill(tokens));
}

/** A copy of the values, not another handle on them. */
function duplicate(source: Tensor): Tensor {
  return tidy(() => {
    const destination = zeros(source.shape, { dtype: source.dtype, backend: source.backend });
    copy({ destination, source });
    return destination;
  });
}
