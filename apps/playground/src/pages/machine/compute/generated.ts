import { GeneratedTally, generatedCases, type GeneratedRow } from "@statespace/conformance/cases";
import { setBackend } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { loadBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import { breathe, type CallContext } from "../../../workers/rpc.ts";

/** One op in one direction on one backend: cases, the error that came nearest to its bound, faults with their seeds. */
export type CaseRow = GeneratedRow;

/** What a backend says of the device it runs on. */
export interface DeviceReport {
  readonly kind: "device";
  readonly backend: BackendName;
  /** Why it does not run here. */
  readonly absent?: string;
  readonly threads?: number;
  readonly flavour?: string;
  /** Vendor, architecture, device and description of a card. */
  readonly adapter?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, number>>;
  readonly features?: readonly string[];
  /** What the kernels choose their paths by; `refused` is what the device offers and a check found wrong. */
  readonly traits?: Readonly<Record<string, unknown>>;
}

/** All rows of a backend so far. */
export interface GeneratedProgress {
  readonly kind: "rows";
  readonly backend: BackendName;
  readonly rows: readonly CaseRow[];
  /** Cases of all backends so far. */
  readonly done: number;
}

export type GeneratedEvent = DeviceReport | GeneratedProgress;

export interface GeneratedInput {
  readonly backends: readonly BackendName[];
  readonly seed: number;
  readonly count: number;
}

/** Milliseconds between two reports. */
const REPORT_EVERY = 250;

/** Draws the same cases for each backend and compares them with the definitions in double precision. */
export async function generated(
  { backends, seed, count }: GeneratedInput,
  { signal, emit }: CallContext<GeneratedEvent>,
): Promise<void> {
  for (const [i, backend] of backends.entries()) {
    const before = i * count;
    try {
      await loadBackend(backend);
      await setBackend(backend);
    } catch (error) {
      emit({ kind: "device", backend, absent: (error as Error).message });
      continue;
    }
    emit({ kind: "device", backend, ...deviceFacts() });
    const tally = new GeneratedTally(backend);
    let done = 0;
    let told = performance.now();
    for (const one of generatedCases(seed, count)) {
      if (signal.aborted) break;
      await tally.check(one);
      done++;
      if (performance.now() - told < REPORT_EVERY) continue;
      emit({ kind: "rows", backend, rows: tally.rows, done: before + done });
      await breathe();
      told = performance.now();
    }
    emit({ kind: "rows", backend, rows: tally.rows, done: before + done });
    if (signal.aborted) return;
  }
}

/** What the backends have for a report; of each a part. */
interface Facts {
  readonly threads?: number;
  readonly machine?: { readonly flavour?: string };
  readonly device?: GPUDevice;
  readonly traits?: Readonly<Record<string, unknown>>;
}

function deviceFacts(): Omit<DeviceReport, "kind" | "backend"> {
  const running: object = currentBackend();
  const { threads, machine, device, traits }: Facts = running;
  return {
    ...(threads !== undefined && { threads }),
    ...(machine?.flavour !== undefined && { flavour: machine.flavour }),
    ...(traits && { traits }),
    ...(device && { ...adapterFacts(device), limits: limitsOf(device), features: [...device.features].sort() }),
  };
}

/** Not every browser tells the adapter of a device. */
function adapterFacts({ adapterInfo }: Partial<GPUDevice>): Pick<DeviceReport, "adapter"> {
  if (adapterInfo === undefined) return {};
  const { vendor, architecture, device, description } = adapterInfo;
  return { adapter: { vendor, architecture, device, description } };
}

/** Limits lie on their prototype: no spread finds them. */
function limitsOf({ limits }: GPUDevice): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name in limits) {
    const value: unknown = Reflect.get(limits, name);
    if (typeof value === "number") found[name] = value;
  }
  return found;
}
