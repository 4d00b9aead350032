import { ArgumentError, keep, readFloats, tensor, tidy, zeros, type Tensor } from "@statespace/core";
import { type AnyBackend } from "@statespace/core/backend";
import { copy, tile } from "@statespace/core/ops";
import { ModelState } from "../model/state.ts";
import type { History } from "./history.ts";

/** A place in a text to come back to; freed by `Session.forget` and with the session. */
export interface Point {
  /** Tokens of the longest text there. */
  readonly length: number;
}

/** What lies on the device at a place: the state after the tokens, and the scores of the next ones. */
export interface Standing {
  readonly state: ModelState;
  readonly logits: Tensor; // [b, v]
}

/** What a session knows at a place. */
export interface Place extends Standing {
  readonly history: History;
  readonly notes: Record<string, unknown>;
  /** Generators, int32 [b, 4]. */
  streams: Int32Array;
}

/** Copies of what lies on the device, to be disposed. */
export function copyStanding({ state, logits }: Standing): Standing {
  const copied = tidy(() => {
    const destination = zeros(logits.shape, { backend: logits.backend });
    copy({ destination, source: logits });
    return destination;
  });
  return { state: state.clone(), logits: keep(copied) };
}

/** The standing of so many rows, each that of the single one. */
function spreadStanding({ state, logits }: Standing, rows: number): Standing {
  const spread = (t: Tensor): Tensor => tile(t, [rows, ...t.shape.slice(1).map(() => 1)]);
  return { state: state.mapTensors(spread), logits: keep(spread(logits)) };
}

/** An independent copy of a place; several rows of a single one. */
export function copyPlace(place: Place, copies = 1): Place {
  const { history, notes, streams } = place;
  const standing = copies === 1 ? copyStanding(place) : spreadStanding(place, copies);
  const text = copies === 1 ? history.clone() : history.spread(copies);
  return { ...standing, history: text, notes: structuredClone(notes), streams: streams.slice() };
}

/** Reads what lies on the device, and tells how to make it anew on another. */
export async function readStanding({ state, logits }: Standing): Promise<(backend: AnyBackend) => Standing> {
  const [bytes, values] = [await state.toBytes(), await readFloats(logits)];
  const { shape } = logits;
  return (backend) => ({
    state: ModelState.fromBytes(bytes, { backend }),
    logits: keep(tensor(values, shape, { backend })),
  });
}

/** The places that a session keeps. */
export class Places {
  readonly #places: Map<Point, Place> = new Map();

  /** Takes a place over. */
  add(place: Place): Point {
    const point = { length: Math.max(...place.history.rows.map((ids) => ids.length)) };
    this.#places.set(point, place);
    return point;
  }

  /** @throws ArgumentError for a point that is not kept. */
  get(what: string, point: Point): Place {
    const place = this.#places.get(point);
    if (place === undefined) throw new ArgumentError(`${what}: the point is not kept by this session`);
    return place;
  }

  forget(what: string, point: Point): void {
    const { state, logits } = this.get(what, point);
    this.#places.delete(point);
    state.dispose();
    logits.dispose();
  }

  /** Reads all of them, and tells how to have them on another backend instead. */
  async read(): Promise<(backend: AnyBackend) => void> {
    const all = await Promise.all(
      [...this.#places].map(async ([point, place]) => ({ point, place, make: await readStanding(place) })),
    );
    return (backend) => {
      for (const { point, place, make } of all) {
        place.state.dispose();
        place.logits.dispose();
        this.#places.set(point, { ...place, ...make(backend) });
      }
    };
  }

  dispose(): void {
    for (const point of this.#places.keys()) this.forget("dispose", point);
  }
}
