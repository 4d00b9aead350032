import { concat, full, keep, pad, tidy, zeros, type Tensor } from "@statespace/core";
import { copy, sliceAxis } from "@statespace/core/ops";
import { GROWING_STATE, POSITION } from "../../layers/reservedState.ts";
import { ModelState } from "../../model/state.ts";

/** Puts the only row of one tensor in the place of a row of another, in place. */
export function writeRow(t: Tensor, row: number, source: Tensor): void {
  const width = t.size / t.shape[0]!;
  tidy(() => {
    // A row is a run of memory; where the device cannot bind at its offset, all of it is put together anew.
    if ((4 * row * width) % t.backend.viewAlignment === 0) {
      copy({ destination: sliceAxis(t, 0, row, 1), source });
      return;
    }
    const [before, after] = [row, t.shape[0]! - row - 1];
    const parts = [
      ...(before > 0 ? [sliceAxis(t, 0, 0, before)] : []),
      source,
      ...(after > 0 ? [sliceAxis(t, 0, row + 1, after)] : []),
    ];
    copy({ destination: t, source: concat(parts, 0) });
  });
}

/** Puts a row of a tensor in the place of another. */
export function moveRow(t: Tensor, from: number, to: number): void {
  const row = copyOfRow(t, from);
  writeRow(t, to, row);
  row.dispose();
}

/** A view of the first rows; the tensor itself where it has no more. */
export function firstRows(t: Tensor, rows: number): Tensor {
  return sliceAxis(t, 0, 0, rows);
}

/** Puts a state of one text in a row of one of several, which has room for it. */
export function writeStateRow(state: ModelState, row: number, source: ModelState): void {
  const plain = source.clone();
  for (const [i, layer] of state.layers.entries())
    for (const [name, t] of Object.entries(layer)) {
      if (name === POSITION) continue;
      tidy(() => {
        const own = plain.layers[i]![name];
        writeRow(t, row, GROWING_STATE.has(name) ? withRoom(own, t, name === "visible" ? 1 : 0) : own!);
      });
    }
  plain.dispose();
}

/** What grows, with the room of a row of `t` behind it. */
function withRoom(own: Tensor | undefined, t: Tensor, rest: number): Tensor {
  const shape = t.shape.with(0, 1);
  if (own === undefined) return full(shape, rest, { dtype: t.dtype, backend: t.backend });
  const room = t.shape[1]! - own.shape[1]!;
  return pad(
    own,
    shape.map((_, axis) => (axis === 1 ? ([0, room] as const) : ([0, 0] as const))),
    rest,
  );
}

/** A copy of one row of a state of several, which saw so many tokens. */
export function readStateRow(state: ModelState, row: number, tokens: number): ModelState {
  const layers = state.layers.map((layer) =>
    tidy(() =>
      Object.fromEntries(
        Object.entries(layer)
          .filter(([name]) => name !== POSITION && !(GROWING_STATE.has(name) && tokens === 0))
          .map(([name, t]) => [name, copyOfRow(t, row, GROWING_STATE.has(name) ? tokens : undefined)]),
      ),
    ),
  );
  return new ModelState(layers, tokens);
}

/** A copy of a row [1, ...], of what grows only its first tokens. */
export function copyOfRow(t: Tensor, row: number, tokens?: number): Tensor {
  return keep(
    tidy(() => {
      const own = sliceAxis(t, 0, row, 1);
      const source = tokens === undefined ? own : sliceAxis(own, 1, 0, tokens);
      const destination = zeros(source.shape, { dtype: t.dtype, backend: t.backend });
      copy({ destination, source });
      return destination;
    }),
  );
}
