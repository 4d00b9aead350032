import { Rng } from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";
import type { Kind } from "../names.ts";
import { attention } from "./attention.ts";
import { gru } from "./gru.ts";
import { drawFrom, type Draw, type Layer } from "./layer.ts";
import { mamba } from "./mamba.ts";
import { s4d } from "./s4d.ts";

const makers: Readonly<Record<Kind, (draw: Draw) => Layer>> = { attention, gru, s4d, mamba };

/** A layer of a kind, with weights drawn from a seed. */
export function makeLayer(kind: Kind, backend?: AnyBackend): Layer {
  return makers[kind](drawFrom(new Rng(1), backend));
}
