import {
  compareCausalConv1d,
  compareMamba3Siso,
  compareS4,
  compareS5,
  compareSelectiveScan,
  compareSsd,
  judge,
  type GoldenCase,
  type GoldenRow,
  type Verdict,
} from "@statespace/conformance/cases";
import { parseSafetensors, SourceError, toFloat64Array } from "@statespace/files";

/** Groups of reference values, by folder, and how this project's results are compared with them. */
const comparisons: Readonly<Record<string, (golden: GoldenCase) => Promise<GoldenRow[]>>> = {
  "selective-scan": compareSelectiveScan,
  "causal-conv1d": compareCausalConv1d,
  ssd: compareSsd,
  "mamba3-siso": compareMamba3Siso,
  s4: compareS4,
  s5: compareS5,
};

const groupOf = (file: string): string => file.slice(0, file.indexOf("/"));

/** The first file of each group. */
export function onePerGroup(files: readonly string[]): readonly string[] {
  return files.filter((file) => files.find((each) => groupOf(each) === groupOf(file)) === file);
}

/** What the current backend computes against what the official implementation computed. @throws SourceError, FormatError. */
export async function goldenVerdicts(file: string, folderUrl: string): Promise<Verdict[]> {
  const response = await fetch(new URL(file, folderUrl)).catch((error: unknown) => {
    throw new SourceError(`${file}: ${(error as Error).message}`);
  });
  if (!response.ok) throw new SourceError(`${file}: HTTP ${response.status}`);
  const { metadata, tensors } = parseSafetensors(new Uint8Array(await response.arrayBuffer()), file);
  const values = Object.fromEntries(
    [...tensors].map(([key, raw]) => [key, { dtype: raw.dtype, shape: [...raw.shape], data: toFloat64Array(raw) }]),
  );
  const group = groupOf(file);
  const attrs = JSON.parse(metadata.get("attrs") ?? "{}") as Record<string, unknown>;
  const rows = await comparisons[group]!({ group, name: file, folder: folderUrl, attrs, tensors: values });
  return rows.map(judge);
}
