import { hold, type Tensor } from "./tensor.ts";

/** What an op tells the tape: which tensors it needs later, and how to go back with them. */
export interface GradientRule {
  readonly save: readonly Tensor[];
  /**
   * Gradients of the inputs, by name, from those of the outputs (`null` where an output does not reach the loss).
   * Called inside a tidy; inputs without an entry have no gradient.
   * @param isWanted whether an input's gradient is used; where it is left out, all are. An entry for one that is not may be anything.
   */
  backward(
    dys: readonly (Tensor | null)[],
    saved: readonly Tensor[],
    isWanted?: (input: string) => boolean,
  ): Readonly<Record<string, Tensor>>;
}

/** What ran, on what, and how to go back. Only what depends on the differentiated tensors gets a node. */
export interface TapeNode {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly Tensor[];
  /** Absent for a kernel that has no gradient. */
  readonly rule: GradientRule | undefined;
  /** Handles on what the rule saves. */
  kept: readonly Tensor[];
}

/** Tapes are synchronous like scopes: one at a time, and no task sees another's. */
interface Tape {
  readonly serial: number;
  readonly nodes: TapeNode[];
  /** What is differentiated. */
  readonly xs: readonly Tensor[];
}

let serials = 0;
let tape: Tape | undefined;
let paused = false;

/** True while gradients are being recorded. */
export function isRecording(): boolean {
  return tape !== undefined && !paused;
}

/** True also inside `noGrad`. */
export function hasTape(): boolean {
  return tape !== undefined;
}

/** Starts a tape for the gradients of `xs`, and returns its serial number. */
export function startTape(xs: readonly Tensor[]): number {
  tape = { serial: ++serials, nodes: [], xs };
  paused = false;
  for (const x of xs) x.onTape = tape.serial;
  return tape.serial;
}

/** Ends the tape that is under way, and returns its nodes. */
export function endTape(): readonly TapeNode[] {
  const nodes = tape?.nodes ?? [];
  tape = undefined;
  return nodes;
}

/** What the tape under way differentiates by; empty where none records. */
export function differentiated(): readonly Tensor[] {
  return tape === undefined || paused ? [] : tape.xs;
}

/** Runs a function as under a tape by `xs`, whose nodes are let go at once; the tape that was under way then goes on. */
export function rehearse<T>(xs: readonly Tensor[], fn: () => T): T {
  const [outer, wasPaused] = [tape, paused];
  const before = xs.map((x) => x.onTape);
  startTape(xs);
  try {
    return fn();
  } finally {
    for (const node of endTape()) drop(node);
    tape = outer;
    paused = wasPaused;
    xs.forEach((x, i) => (x.onTape = before[i]!));
  }
}

/** Runs a function with the tape off: nothing inside it gets a gradient. */
export function noGrad<T>(fn: () => T): T {
  const before = paused;
  paused = true;
  try {
    return fn();
  } finally {
    paused = before;
  }
}

/** What `onTape` of a tensor says that the tape under way must follow; no tensor says -1. */
export function recordingSerial(): number {
  return tape === undefined || paused ? -1 : tape.serial;
}

/** True while a tape is on and one of the inputs depends on what is differentiated. */
export function isDifferentiated(inputs: Readonly<Record<string, Tensor>>): boolean {
  const serial = recordingSerial();
  for (const name in inputs) if (inputs[name]!.onTape === serial) return true;
  return false;
}

/** Adds a node to the tape. Call it where `isDifferentiated`. */
export function record(
  name: string,
  inputs: Readonly<Record<string, Tensor>>,
  outputs: readonly Tensor[],
  rule: GradientRule | undefined,
): void {
  const { serial, nodes } = tape!;
  for (const output of outputs) output.onTape = serial;
  const kept: Tensor[] = [];
  if (rule !== undefined) for (const t of rule.save) kept.push(hold(t));
  nodes.push({ name, inputs, outputs, rule, kept });
}

/** Lets go of what a node saved. */
export function drop(node: TapeNode): void {
  for (const t of node.kept) t.dispose();
  node.kept = [];
}
