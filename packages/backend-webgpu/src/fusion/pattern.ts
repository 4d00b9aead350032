import type { DeviceTraits } from "../device/device.ts";
import type { Dispatch, Launch } from "../device/launch.ts";
import type { DispatchRequest, ShaderName } from "../shader/types.ts";
import type { Binding } from "../shader/binding.ts";
import type { OpRecord } from "./record.ts";

/*
 * A captured decode step is a few hundred small dispatches, and each costs the host and the device some microseconds.
 * When a graph is compiled, neighbouring ops that one kernel can do become one dispatch. Every buffer still gets what the
 * separate kernels would have written, so that nothing else in the graph can tell.
 */

/** How a pattern makes its dispatch. */
export interface Lowering {
  readonly traits: DeviceTraits;
  /**
   * The dispatch of a shader on operands of the ops; undefined where the device binds fewer buffers, an operand lies where it
   * cannot be bound, or a buffer that is written is bound twice (what ran in turn would run at once).
   */
  dispatch<S extends ShaderName>(shader: S, request: DispatchRequest<S>): Dispatch | undefined;
  /** Memory that dispatches of one pattern hand on to each other; other patterns may get the same. */
  scratch(bytes: number): Binding;
}

/** Neighbouring ops that one dispatch can do. */
export interface Pattern {
  /** Their names, in order. */
  readonly ops: readonly string[];
  /** Dispatches in place of theirs, or undefined where these do not fit together. `records` are one for each of `ops`. */
  fuse(records: readonly OpRecord[], lowering: Lowering): Dispatch | readonly Dispatch[] | undefined;
}

/** The launches of a graph, left to right, with what can be fused as one; of the patterns the first that fits is taken. `keep` readies the others. */
export function fuse(
  records: readonly OpRecord[],
  patterns: readonly Pattern[],
  lowering: Lowering,
  keep: (launch: Launch) => Launch,
): Launch[] {
  const out: Launch[] = [];
  for (let at = 0; at < records.length;) {
    let count = 1;
    let fused: Dispatch | readonly Dispatch[] | undefined;
    for (const { ops, fuse: attempt } of patterns) {
      if (!ops.every((op, i) => records[at + i]?.op === op)) continue;
      fused = attempt(records.slice(at, at + ops.length), lowering);
      if (!fused) continue;
      count = ops.length;
      break;
    }
    if (fused) out.push(...[fused].flat());
    else out.push(...records[at]!.launches.map(keep));
    at += count;
  }
  return out;
}
