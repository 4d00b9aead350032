import { ArgumentError, Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import type { TokenBatch } from "../batch.ts";
import type { Task } from "./task.ts";

/** Size and difficulty of `maze`. */
export interface MazeOptions {
  /** Cells a side. Default 5 by 5. */
  readonly width?: number;
  readonly height?: number;
  /** The maze is drawn from this seed and is the same for every walk. Default 0. */
  readonly mazeSeed?: number;
  /** Steps in a walk. Default 64. */
  readonly seqLen?: number;
  /**
   * "state": the cell is shown at every step, so one step is a table look-up.
   * "start": the cell is shown at the first step only (then `unknownCell`): the walker must keep track. Default "state".
   */
  readonly observe?: "state" | "start";
}

/** 0 north, 1 east, 2 south, 3 west. */
export const mazeActions: readonly string[] = ["north", "east", "south", "west"];

export interface MazeTask extends Task<TokenBatch> {
  readonly width: number;
  readonly height: number;
  /** Next cell by cell and action, [cells, 4]; walking into a wall stays. Cell = row * width + column. */
  readonly next: Int32Array;
  /** Shown instead of the cell where it is hidden: one past the last cell. */
  readonly unknownCell: number;
}

/**
 * A point walks a maze: state and action in, next state out; the state-space picture in its smallest form.
 * The maze is a random spanning tree (depth-first), the walk takes uniform random actions.
 *
 * Shapes: inputs [b, seqLen, 2] (cell, action), targets [b, seqLen] (next cell), all targets count.
 * Errors: `ArgumentError` for sides below 2 or unknown `observe`.
 */
export function maze(options: MazeOptions = {}): MazeTask {
  refuseUnknown("maze", options, ["width", "height", "mazeSeed", "seqLen", "observe"], { seed: "mazeSeed" });
  const { width = 5, height = 5, mazeSeed = 0, seqLen = 64, observe = "state" } = options;
  requireInteger("maze", "width", width, 2, 1000);
  requireInteger("maze", "height", height, 2, 1000);
  requireInteger("maze", "seqLen", seqLen, 1);
  if (observe !== "state" && observe !== "start")
    throw new ArgumentError(`maze: observe must be "state" or "start", got ${String(observe)}`);
  const next = carve(new Rng(mazeSeed), width, height);
  const cells = width * height;
  return {
    info: {
      name: "maze",
      description: `walks of ${seqLen} steps in a maze of ${width} by ${height} cells`,
      licence: "Apache-2.0",
      source: "generated",
      split: "one generator a split; the maze is the same",
    },
    vocabSize: cells + 1,
    width,
    height,
    next,
    unknownCell: cells,
    sample(random, batchSize) {
      const inputs = new Int32Array(batchSize * seqLen * 2); // [b, l, 2]
      const targets = new Int32Array(batchSize * seqLen); // [b, l]
      for (let row = 0; row < batchSize; row++) {
        let cell = random.integer(cells);
        for (let t = 0; t < seqLen; t++) {
          const at = row * seqLen + t;
          const action = random.integer(4);
          inputs[2 * at] = observe === "state" || t === 0 ? cell : cells;
          inputs[2 * at + 1] = action;
          cell = targets[at] = next[4 * cell + action];
        }
      }
      return { inputs, targets, shape: [batchSize, seqLen, 2], targetShape: [batchSize, seqLen] };
    },
  };
}

/** Cell beyond each side, or -1 outside. */
function neighbour(cell: number, action: number, width: number, height: number): number {
  const column = (cell % width) + [0, 1, 0, -1][action];
  const row = Math.floor(cell / width) + [-1, 0, 1, 0][action];
  return column < 0 || column >= width || row < 0 || row >= height ? -1 : row * width + column;
}

/** Depth-first carving with a stack of its own, so that large mazes do not exhaust the call stack. */
function carve(random: Rng, width: number, height: number): Int32Array {
  const cells = width * height;
  const next = Int32Array.from({ length: 4 * cells }, (_, i) => i >> 2);
  const seen = new Uint8Array(cells);
  const path = [random.integer(cells)];
  seen[path[0]] = 1;
  while (path.length > 0) {
    const cell = path[path.length - 1];
    const ways = [0, 1, 2, 3].filter((action) => {
      const beyond = neighbour(cell, action, width, height);
      return beyond >= 0 && seen[beyond] === 0;
    });
    if (ways.length === 0) {
      path.pop();
      continue;
    }
    const action = ways[random.integer(ways.length)];
    const beyond = neighbour(cell, action, width, height);
    next[4 * cell + action] = beyond;
    next[4 * beyond + ((action + 2) % 4)] = cell;
    seen[beyond] = 1;
    path.push(beyond);
  }
  return next;
}
