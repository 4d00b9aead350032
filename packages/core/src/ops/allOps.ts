import type { AnyOp } from "./declaration.ts";
import { opTable as table } from "./defineOp.ts";
import * as faces from "./index.ts";

/** Every op by its name. */
export const opTable: Readonly<Record<string, AnyOp>> = holdingAll(table, faces);

/** The table fills as the modules of ops load; that it holds on to their faces keeps bundlers from leaving out ops that are found by name alone. */
function holdingAll<T>(filled: T, all: object): T {
  if (Object.keys(all).length === 0) throw new Error("the op table is empty");
  return filled;
}
