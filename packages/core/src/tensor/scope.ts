import type { AnyBackend } from "../backend/registry.ts";
import type { TensorInfo } from "../backend/types.ts";
import { ArgumentError } from "../errors.ts";
import { Tensor } from "./tensor.ts";

/** What the innermost `tidy` has made so far. Scopes are synchronous, so tasks that interleave at awaits never see each other's. */
let scope: Tensor[] | undefined;

/** Makes a tensor of a kernel's output, in the scope that is open. */
export function wrap(info: TensorInfo, backend: AnyBackend, bytes?: number): Tensor {
  const t = new Tensor(info, backend, bytes);
  scope?.push(t);
  return t;
}

/** Keeps a tensor through the scopes it is in; the caller disposes it. */
export function keep(t: Tensor): Tensor {
  t.kept = true;
  return t;
}

/**
 * Disposes what `fn` made and did not return. Tensors are found in the result itself, in arrays, maps and objects.
 * @throws ArgumentError for a function that returns a promise: what it makes after an await would be outside.
 */
export function tidy<T>(fn: () => T): T {
  const outer = scope;
  const own: Tensor[] = [];
  scope = own;
  let result: T;
  try {
    result = fn();
  } catch (error) {
    scope = outer;
    for (const t of own) if (!t.kept) t.dispose();
    throw error;
  }
  scope = outer;
  if (result instanceof Promise) {
    for (const t of own) if (!t.kept) t.dispose();
    result.catch(() => {}); // the caller gets the error below instead
    throw new ArgumentError(
      "tidy: the function must not return a promise: what it makes after an await would be outside the scope",
    );
  }
  if (own.length > 0) settle(own, result, outer);
  return result;
}

/** Runs a function whose tensors go to the scope around, unless it throws: then they are disposed. */
export function disposeOnThrow<T>(fn: () => T): T {
  const outer = scope;
  const own: Tensor[] = [];
  scope = own;
  try {
    const result = fn();
    if (outer !== undefined) for (const t of own) outer.push(t);
    return result;
  } catch (error) {
    for (const t of own) if (!t.kept) t.dispose();
    throw error;
  } finally {
    scope = outer;
  }
}

/** Disposes a scope's tensors but those that are kept or returned; the latter go to the scope around. */
function settle(own: readonly Tensor[], result: unknown, outer: Tensor[] | undefined): void {
  let found: Set<Tensor> | undefined;
  if (!(result instanceof Tensor)) collect(result, (found = new Set()), new Set());
  for (const t of own) {
    if (t.kept) continue;
    if (found === undefined ? t !== result : !found.has(t)) t.dispose();
    else if (outer !== undefined) outer.push(t);
  }
}

function collect(value: unknown, found: Set<Tensor>, seen: Set<object>): void {
  if (typeof value !== "object" || value === null) return;
  if (value instanceof Tensor) {
    found.add(value);
    return;
  }
  if (ArrayBuffer.isView(value) || seen.has(value)) return;
  seen.add(value);
  const parts: Iterable<unknown> =
    Array.isArray(value) || value instanceof Set ? value : value instanceof Map ? value.values() : Object.values(value);
  for (const part of parts) collect(part, found, seen);
}
