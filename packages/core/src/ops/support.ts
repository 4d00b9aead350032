import type { AnyOp, OpDeclaration } from "./declaration.ts";
import { gradientKernelName, opTable, usesGradientKernel } from "./defineOp.ts";

/**
 * How a backend has an op or its gradient: by a `kernel`; `composed` of other ops; `absent` (a typed error). A gradient may also be made of
 * `ops` on every backend, be `flat` (zero wherever it exists), or there may be `none`.
 */
export type Support = "kernel" | "composed" | "absent" | "ops" | "flat" | "none";

/** How a backend with these kernels has an op: what runs, never silently something else. */
export function supportOf(
  kernels: Readonly<Record<string, unknown>>,
  spec: AnyOp["spec"],
): { forward: Support; gradient: Support } {
  const { name, compose, differentiable, gradient, flat } = spec as OpDeclaration;
  const otherwise = compose === undefined ? "absent" : "composed";
  const forward = kernels[name] === undefined ? otherwise : "kernel";
  if (flat) return { forward, gradient: "flat" };
  if (differentiable.length === 0) return { forward, gradient: "none" };
  if (gradient !== undefined) return { forward, gradient: "ops" };
  return { forward, gradient: kernels[gradientKernelName(name)] === undefined ? otherwise : "kernel" };
}

/** Folder of a declared op's kernels in every backend; undefined where the backend contract brings them. */
export function roomOf({ name, room = name }: Pick<OpDeclaration, "name" | "room">): string | undefined {
  return room === "contract" ? undefined : room;
}

/** Names of the ops that share a room. */
export function opsIn(room: string): string[] {
  return Object.keys(opTable).filter((name) => roomOf(opTable[name]!.spec) === room);
}

/** Every kernel that a backend may have, with its room: ops, and the gradients that are kernels. */
export function kernelRooms(): ReadonlyMap<string, string | undefined> {
  const rooms = new Map<string, string | undefined>();
  for (const { spec } of Object.values(opTable)) {
    rooms.set(spec.name, roomOf(spec));
    if (usesGradientKernel(spec)) rooms.set(gradientKernelName(spec.name), roomOf(spec));
  }
  return rooms;
}
