import { cpuKernels } from "@statespace/backend-cpu";
import { wasmKernels } from "@statespace/backend-wasm";
import { webGpuKernels } from "@statespace/backend-webgpu";
import { opTable, roomOf, supportOf, type OpDeclaration } from "@statespace/core/backend";
import { BACKENDS } from "../backends.ts";

const kernels: Readonly<Record<(typeof BACKENDS)[number], Readonly<Record<string, unknown>>>> = {
  cpu: cpuKernels,
  wasm: wasmKernels,
  webgpu: webGpuKernels,
};

const specs: readonly OpDeclaration[] = Object.values(opTable).map(({ spec }) => spec);

/** How the backends have each op and its gradient. Rooms that elementary ops share are counted, so that what is missing stands out. */
export function supportTable(): string {
  const rooms = [...new Set(specs.map((spec) => roomOf(spec)))].filter((room) => room !== undefined).sort();
  const rows = rooms.flatMap((room) => {
    const own = specs.filter((spec) => roomOf(spec) === room).sort((a, b) => (a.name < b.name ? -1 : 1));
    return own.some(({ name }) => name === room) ? own.map(ownRow) : [sharedRow(room, own)];
  });
  return [
    `| op, forward / gradient | ${BACKENDS.join(" | ")} |`,
    `| --- |${" --- |".repeat(BACKENDS.length)}`,
    ...rows,
  ].join("\n");
}

function ownRow(spec: OpDeclaration): string {
  const cells = BACKENDS.map((backend) => {
    const { forward, gradient } = supportOf(kernels[backend], spec);
    return `${forward} / ${gradient}`;
  });
  return `| ${spec.name} | ${cells.join(" | ")} |`;
}

/** Ops that share a room: how many of them are kernels; the others by name. */
function sharedRow(room: string, own: readonly OpDeclaration[]): string {
  const cells = BACKENDS.map((backend) => {
    const support = own.map((spec) => ({ name: spec.name, forward: supportOf(kernels[backend], spec).forward }));
    const others = support
      .filter(({ forward }) => forward !== "kernel")
      .map(({ name, forward }) => `${name} ${forward}`);
    return [`${own.length - others.length} of ${own.length} kernels`, ...others].join(", ");
  });
  return `| ${room}: ${own.map(({ name }) => name).join(", ")} | ${cells.join(" | ")} |`;
}
