import { currentBackend } from "../backend/current.ts";
import type { AnyBackend } from "../backend/registry.ts";
import { BackendError, OutOfMemoryError } from "../errors.ts";
import { enterCapture } from "./capturing.ts";
import { disposeOnThrow, wrap } from "./scope.ts";
import { isDifferentiated, noGrad, record, recordingSerial, type GradientRule } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/** Inputs of an op by name. */
export type TensorRecord = Readonly<Record<string, Tensor>>;

const NO_ATTRS = Object.freeze({});

/**
 * Runs a kernel on the backend of its inputs and records its gradient rule if a tape is on.
 * `rule` sees the outputs, so that an op may save those instead of inputs.
 * @param on where to run a kernel without inputs; by default the default backend.
 * @throws BackendError when inputs are of two backends or disposed, no backend is set, or it lacks the kernel; OutOfMemoryError with the
 * op's name where what it makes does not fit.
 */
export function runKernel(
  name: string,
  inputs: TensorRecord,
  attrs: Readonly<Record<string, unknown>> = NO_ATTRS,
  rule?: (outputs: readonly Tensor[]) => GradientRule,
  on?: AnyBackend,
): Tensor[] {
  return runListed(name, inputs, Object.values(inputs), attrs, rule, on);
}

/** As `runKernel`, with the inputs in a list too, some of them absent: what is walked on the path of every op. */
export function runListed(
  name: string,
  inputs: TensorRecord,
  list: readonly (Tensor | undefined)[],
  attrs: Readonly<Record<string, unknown>>,
  rule?: (outputs: readonly Tensor[]) => GradientRule,
  on?: AnyBackend,
): Tensor[] {
  const serial = recordingSerial();
  let differentiated = false;
  let backend: AnyBackend | undefined;
  for (const input of list) {
    if (input === undefined) continue;
    if (input.isDisposed) throw new BackendError(`${name}: ${nameOf(input, inputs)} was disposed`);
    if (input.onTape === serial) differentiated = true;
    backend ??= input.backend;
    if (input.backend !== backend) throw mixed(name, inputs);
  }
  if (backend?.running === false)
    throw backend.lost ?? new BackendError(`${name}: the ${backend.name} backend of its inputs was stopped`);
  backend ??= on ?? currentBackend();
  const kernel = backend.kernels[name];
  if (kernel === undefined) throw new BackendError(`${name}: the ${backend.label} backend has no such kernel`);
  enterCapture(name, backend);
  let result: ReturnType<AnyBackend["runKernel"]>;
  try {
    result = backend.runKernel(kernel, inputs, attrs);
  } catch (error) {
    throw ofOp(name, error);
  }
  const outputs: Tensor[] = [];
  if (isList(result)) for (const info of result) outputs.push(wrap(info, backend));
  else outputs.push(wrap(result, backend));
  if (differentiated) record(name, inputs, outputs, rule?.(outputs));
  return outputs;
}

/** What does not fit says which op it was. */
function ofOp(name: string, error: unknown): unknown {
  if (!(error instanceof OutOfMemoryError) || error.message.startsWith(`${name}:`)) return error;
  return new OutOfMemoryError(`${name}: ${error.message}`, { cause: error });
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function nameOf(input: Tensor, inputs: TensorRecord): string | undefined {
  return Object.keys(inputs).find((key) => inputs[key] === input);
}

function mixed(name: string, inputs: TensorRecord): BackendError {
  for (const { backend } of Object.values(inputs)) if (backend.lost !== undefined) return backend.lost;
  const places = Object.entries(inputs).map(([key, { backend }]) => `${key} on ${backend.name}`);
  return new BackendError(
    `${name}: all inputs must be on one backend, got ${places.join(", ")} (creators take { backend }; await model.to(...) moves a model)`,
  );
}

/**
 * Runs a function with the tape off and records one node for all of it: a gradient rule of its own for what it composes.
 * Inputs are named so that the rule can answer for each. What the function made is freed when it throws.
 */
export function runComposite(
  name: string,
  inputs: TensorRecord,
  forward: () => Tensor[],
  rule: (outputs: readonly Tensor[]) => GradientRule,
): Tensor[] {
  const outputs = noGrad(() => disposeOnThrow(forward));
  if (isDifferentiated(inputs)) record(name, inputs, outputs, rule(outputs));
  return outputs;
}
