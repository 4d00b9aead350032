import type { DType } from "@statespace/core";
import type { KernelAttrs, StorageFormat } from "@statespace/core/backend";
import type { Launch } from "../device/launch.ts";
import type { Binding } from "../shader/binding.ts";

/** An operand of an op as it lay in memory: it can be bound to a shader by name. */
export interface Operand extends Binding {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly format: StorageFormat;
}

/** One op of a captured graph: what it was asked, and the launches that it became. */
export interface OpRecord {
  /** The op's name; empty for launches that no op made. */
  readonly op: string;
  /** By the names that the op gives them; optional ones may be absent. */
  readonly inputs: Readonly<Record<string, Operand>>;
  readonly outputs: readonly Operand[];
  readonly attrs: KernelAttrs;
  readonly launches: readonly Launch[];
}

/** True for operands that begin at the same byte: a view from a tensor's start on counts, where only its front is read. */
export function sameStart(a: Binding, b: Binding): boolean {
  return a.buffer === b.buffer && a.offset === b.offset;
}

/** Elements of an operand. */
export function elementsOf({ shape }: Operand): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** The ops of a graph while it is captured, in order. */
export class OpTrace {
  readonly #records: OpRecord[] = [];
  #open: Launch[] | undefined;

  /** Notes a launch: of the op that is running, or of none. */
  add(launch: Launch): void {
    if (this.#open) this.#open.push(launch);
    else this.#records.push({ op: "", inputs: {}, outputs: [], attrs: {}, launches: [launch] });
  }

  /** Notes an op; `run` does it, and the launches that it makes are its own. Ops inside an op are part of it. */
  record<T>(
    op: string,
    inputs: OpRecord["inputs"],
    attrs: KernelAttrs,
    run: () => T,
    outputsOf: (result: T) => Operand[],
  ): T {
    if (this.#open) return run();
    const launches: Launch[] = [];
    this.#open = launches;
    try {
      const result = run();
      this.#records.push({ op, inputs, outputs: outputsOf(result), attrs, launches });
      return result;
    } finally {
      this.#open = undefined;
    }
  }

  /** The ops that launched something: views and reshapes move nothing and stand between no two. */
  get records(): OpRecord[] {
    return this.#records.filter(({ launches }) => launches.length > 0);
  }
}
