import { checkForward, checkGradients, opCases, type OpCase, type Verdict } from "@statespace/conformance/cases";
import { setBackend } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { loadBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import { breathe, type CallContext } from "../../../workers/rpc.ts";
import { benches, type BenchName, type BenchTime } from "./benches.ts";
import type { GeneratedEvent, GeneratedInput } from "./generated.ts";
import { goldenVerdicts, onePerGroup } from "./golden.ts";

/** How one op, or one golden file, did on one backend. */
export interface CheckResult {
  readonly kind: "op" | "golden";
  readonly backend: BackendName;
  readonly name: string;
  readonly compared: number;
  readonly failed: number;
  /** Largest share of its bound that a comparison used. */
  readonly used: number;
  /** Why it could not be compared at all. */
  readonly why?: string;
}

export interface BenchResult extends BenchTime {
  readonly kind: "bench";
  readonly backend: BackendName;
  readonly bench: BenchName;
}

export interface Progress {
  readonly kind: "progress";
  readonly done: number;
  readonly total: number;
}

export interface Started {
  readonly kind: "started";
  readonly backend: BackendName;
  readonly about: string;
}

export interface NotStarted {
  readonly kind: "absent";
  readonly backend: BackendName;
  readonly why: string;
}

export type MachineEvent = CheckResult | BenchResult | Progress | Started | NotStarted;

/** `quick`: the smallest case of every op and one golden file a group. `thorough`: several of each. */
export type Depth = "quick" | "thorough";

export interface MachineInput {
  readonly backends: readonly BackendName[];
  readonly depth: Depth;
  /** The golden files, `GROUP/NAME.safetensors`, and the folder they lie in. */
  readonly goldenFiles: readonly string[];
  readonly goldenUrl: string;
}

/** Elementary ops, whose values are rounded once, are left to the tests. */
const ops = [...new Set(opCases.filter(({ scale }) => scale !== "value").map(({ op }) => op))];

/** Large cases serve the tests; a page takes those that are done in a moment. */
const CASES_AN_OP = 4;

function casesOf(op: OpCase["op"], depth: Depth): readonly OpCase[] {
  const all = opCases.filter((each) => each.op === op);
  return all.slice(0, depth === "quick" ? 1 : CASES_AN_OP);
}

async function opVerdicts(op: OpCase["op"], depth: Depth): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const one of casesOf(op, depth)) {
    verdicts.push(...(await checkForward(one)), ...(await checkGradients(one)));
    await breathe();
  }
  return verdicts;
}

/** A check that throws is a result too. */
async function result(
  kind: CheckResult["kind"],
  name: string,
  backend: BackendName,
  check: () => Promise<readonly Verdict[]>,
): Promise<CheckResult> {
  try {
    const verdicts = await check();
    return {
      kind,
      name,
      backend,
      compared: verdicts.length,
      failed: verdicts.filter(({ ok }) => !ok).length,
      used: Math.max(0, ...verdicts.map(({ used }) => used)),
    };
  } catch (error) {
    return { kind, name, backend, compared: 0, failed: 0, used: 0, why: (error as Error).message };
  }
}

/** What can be said of a running backend: its threads, or the device's name. */
function describe(): string {
  const backend = currentBackend() as unknown as {
    threads?: number;
    traits?: { description?: string; vendor?: string; architecture?: string };
  };
  if (backend.threads !== undefined) return String(backend.threads);
  const { description, vendor, architecture } = backend.traits ?? {};
  return [description, vendor, architecture].filter(Boolean).join(" ");
}

export const api = {
  /** What draws the cases is fetched when it is asked for. */
  async generated(input: GeneratedInput, context: CallContext<GeneratedEvent>): Promise<void> {
    const { generated } = await import("./generated.ts");
    await generated(input, context);
  },

  async run(
    { backends, depth, goldenFiles, goldenUrl }: MachineInput,
    { signal, emit }: CallContext<MachineEvent>,
  ): Promise<void> {
    const golden = depth === "quick" ? onePerGroup(goldenFiles) : goldenFiles;
    const rows = ops.length + golden.length + benches.length;
    let done = 0;
    const step = (event: MachineEvent): void => {
      emit(event);
      emit({ kind: "progress", done: ++done, total: backends.length * rows });
    };
    for (const backend of backends) {
      try {
        await loadBackend(backend);
        await setBackend(backend);
      } catch (error) {
        emit({ kind: "absent", backend, why: (error as Error).message });
        done += rows;
        continue;
      }
      emit({ kind: "started", backend, about: describe() });
      for (const [bench, run] of benches) {
        if (signal.aborted) return;
        step({ kind: "bench", backend, bench, ...(await run()) });
      }
      for (const file of golden) {
        if (signal.aborted) return;
        step(await result("golden", file.replace(".safetensors", ""), backend, () => goldenVerdicts(file, goldenUrl)));
      }
      for (const op of ops) {
        if (signal.aborted) return;
        step(await result("op", op.spec.name, backend, () => opVerdicts(op, depth)));
      }
    }
  },
};

export type MachineApi = typeof api;
