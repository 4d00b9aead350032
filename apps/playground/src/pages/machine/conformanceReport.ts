import type { CaseRow, DeviceReport } from "./compute/generated.ts";

/** What a run of generated cases came to, as the file that goes into an issue. */
export interface ConformanceReport {
  readonly format: "statespace.conformance";
  readonly version: 1;
  readonly userAgent: string;
  readonly cores: number;
  readonly isolated: boolean;
  readonly seed: number;
  /** Cases that were asked for on each backend; `rows` say how many were run. */
  readonly count: number;
  readonly devices: readonly DeviceReport[];
  /** Errors and bounds in units of 2^-24 of the scale of the case; a fault has the seed that makes its case again. */
  readonly rows: readonly CaseRow[];
}

/** The report with what the browser says of itself. */
export function conformanceReport(
  run: Pick<ConformanceReport, "seed" | "count" | "devices" | "rows">,
): ConformanceReport {
  return {
    format: "statespace.conformance",
    version: 1,
    userAgent: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    isolated: window.crossOriginIsolated,
    ...run,
  };
}

/** Offers a value as a file of JSON. */
export function saveAsFile(name: string, value: unknown): void {
  const url = URL.createObjectURL(new Blob([`${JSON.stringify(value, null, 2)}\n`], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
