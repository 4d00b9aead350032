export { BACKENDS, registerByName } from "./backends.ts";
export { findCases, readCase, type GoldenCase } from "./golden/goldenCase.ts";
export { goldenGroups, type GoldenGroup } from "./golden/groups.ts";
export { judge, type Verdict } from "./golden/judge.ts";
export type { GoldenRow, GoldenTensors } from "./golden/row.ts";
export { runGolden, type GoldenResult, type GoldenVerdict, type NotRun } from "./golden/run.ts";
