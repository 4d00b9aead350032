import { gradientKernelName, opTable } from "@statespace/core";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { webGpuKernels } from "../src/index.ts";

const ops = Object.entries(opTable).map(([name, { spec }]) => ({ name, room: spec.room ?? name }));

it("there is a room for each of the op table, and no other", () => {
  const folders = readdirSync(fileURLToPath(new URL("../src/ops", import.meta.url)), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "shared")
    .map(({ name }) => name);
  // The backend contract brings the kernels that move no data.
  const rooms = new Set(ops.map(({ room }) => room).filter((room) => room !== "contract"));
  expect(folders.sort()).toEqual([...rooms].sort());
});

it("every kernel is an op's or its gradient's", () => {
  const names = new Set(ops.flatMap(({ name }) => [name, gradientKernelName(name)]));
  expect(Object.keys(webGpuKernels).filter((name) => !names.has(name))).toEqual([]);
});
