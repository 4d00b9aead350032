import { ArgumentError, cpuBackend, DTypeError, setBackend, ShapeError, StatespaceError, tensor } from "statespace";
import { embedding } from "@statespace/core/ops";

await setBackend(cpuBackend());
const weight = tensor([1, 2, 3, 4], [2, 2]);
const wrong = [
  () => embedding({ weight, ids: tensor([0, 1]) }), // a DTypeError: ids are int32
  () => embedding({ weight: tensor([1, 2]), ids: tensor([0], [1], "int32") }), // a ShapeError
  () => embedding({ weight, ids: tensor([5], [1], "int32") }), // an ArgumentError: no such row
];
for (const program of wrong)
  try {
    program();
  } catch (error) {
    const kinds = { DTypeError, ShapeError, ArgumentError, StatespaceError }; // the last is the base of all
    const names = Object.entries(kinds).filter(([, kind]) => error instanceof kind);
    console.log(names.map(([name]) => name).join(" "), (error as Error).message);
  }
