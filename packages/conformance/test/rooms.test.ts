import { cpuKernels } from "@statespace/backend-cpu";
import { wasmKernels } from "@statespace/backend-wasm";
import { webGpuKernels } from "@statespace/backend-webgpu";
import { kernelRooms } from "@statespace/core/backend";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { supportTable } from "../src/tables/support.ts";
import { minimalKernels } from "./minimal/kernels.ts";

const rooms = kernelRooms();

/** Folders under a backend's ops; `shared` holds what several rooms use. */
function foldersOf(backend: string): string[] {
  const ops = fileURLToPath(new URL(`../../backend-${backend}/src/ops`, import.meta.url));
  return readdirSync(ops, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "shared")
    .map(({ name }) => name)
    .sort();
}

/** All TypeScript of a folder. */
function textOf(backend: string, room: string): string {
  const folder = fileURLToPath(new URL(`../../backend-${backend}/src/ops/${room}/`, import.meta.url));
  return readdirSync(folder)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(folder + file, "utf8"))
    .join("\n");
}

describe.each([
  ["cpu", cpuKernels],
  ["wasm", wasmKernels],
  ["webgpu", webGpuKernels],
] as const)("rooms of %s", (backend, kernels) => {
  it("are those of the op table for which it has kernels", () => {
    const own = Object.keys(kernels).map((kernel) => rooms.get(kernel));
    expect(foldersOf(backend)).toEqual([...new Set(own.filter((room) => room !== undefined))].sort());
  });
  it("hold every kernel under the name of an op of the table, or of its gradient", () => {
    expect(Object.keys(kernels).filter((kernel) => !rooms.has(kernel))).toEqual([]);
  });
  it("are named once beside the table that gathers them, and no kernel is", () => {
    const index = textOf(backend, ".");
    const lists = readFileSync(
      fileURLToPath(new URL(`../../backend-${backend}/src/ops/rooms.ts`, import.meta.url)),
      "utf8",
    );
    expect(lists.split("\n").filter(Boolean)).toEqual(
      foldersOf(backend).map((room) => `export { kernels as ${room} } from "./${room}/index.ts";`),
    );
    for (const kernel of Object.keys(kernels).filter((name) => /(Grad|Step)$/.test(name)))
      expect(index, kernel).not.toContain(kernel);
  });
});

it("a backend of fifteen kernels needs no rooms, but the table's names", () => {
  expect(Object.keys(minimalKernels).filter((kernel) => !rooms.has(kernel))).toEqual([]);
});

it.each(["parity.md", "parity.zh-CN.md"])("docs/%s shows how each backend has each op", (file) => {
  const readme = readFileSync(fileURLToPath(new URL(`../../../docs/${file}`, import.meta.url)), "utf8");
  const [, shown] = /<!-- support:begin -->\n([\s\S]*?)\n<!-- support:end -->/.exec(readme) ?? [];
  const words = (table: string): string[] => table.split("\n").map((row) => row.replaceAll(/[\s-]+/g, " ").trim());
  expect(words(shown!)).toEqual(words(supportTable()));
});
