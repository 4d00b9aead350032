import { ArgumentError, FormatError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import type { ArrayDataset, DatasetInfo, Split } from "../batch.ts";
import { type CsvOptions, parseCsv } from "../formats/csv.ts";
import { type ByteSource, loadText, type LoadOptions, sourceName } from "@statespace/files";

/** Several numbers measured at the same times. */
export interface TimeSeries {
  readonly columns: readonly string[];
  readonly length: number;
  readonly values: Float64Array; // [length, columns]
}

/**
 * Columns of a CSV with a header line as a time series.
 * Errors: `FormatError` for broken CSV, a missing column or a field that is no finite number (with its line); `AbortedError`.
 */
export async function loadTimeSeries(
  source: ByteSource,
  columns: readonly string[],
  options: LoadOptions & CsvOptions = {},
): Promise<TimeSeries> {
  const { delimiter, ...loading } = options;
  const [header, ...rows] = parseCsv(await loadText(source, loading), delimiter === undefined ? {} : { delimiter });
  const label = sourceName(source);
  if (!header || rows.length === 0) throw new FormatError(`timeSeries: ${label} has no rows`);
  if (columns.length === 0) throw new ArgumentError("timeSeries: columns must name one column or more");
  const places = columns.map((name) => header.indexOf(name));
  const missing = places.indexOf(-1);
  if (missing >= 0)
    throw new FormatError(
      `timeSeries: ${label} has no column "${columns[missing]}"; it has ${header.join(", ").slice(0, 200)}`,
    );
  const values = new Float64Array(rows.length * columns.length);
  for (const [row, fields] of rows.entries()) {
    for (const [i, place] of places.entries()) {
      const field = fields[place].trim();
      const value = field === "" ? Number.NaN : Number(field);
      if (!Number.isFinite(value))
        throw new FormatError(
          `timeSeries: record ${row + 1}, column "${columns[i]}" must be a number, got ${JSON.stringify(field.slice(0, 40))}`,
        );
      values[row * columns.length + i] = value;
    }
  }
  return { columns, length: rows.length, values };
}

/** Mean and standard deviation of each column. */
export interface Standardisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Windows of `forecastWindows`, in steps of the series, and how it is divided. */
export interface ForecastOptions {
  /** Steps the model sees. */
  readonly context: number;
  /** Steps it is to foretell. */
  readonly horizon: number;
  /** Steps between the starts of two windows. Default 1. */
  readonly stride?: number;
  /** Shares of the series, in order of time. Default 0.7 and 0.15; the rest is the test part. */
  readonly trainShare?: number;
  readonly validationShare?: number;
  readonly info?: DatasetInfo;
}

/** Windows of a series, inputs [n, context, columns] and targets [n, horizon, columns], standardised. */
export type ForecastDataset = ArrayDataset<Float32Array, Float32Array>;

/**
 * Windows for forecasting. The series is cut in time, first train, then validation, then test; no window crosses a cut,
 * and mean and deviation come from the train part alone, so nothing of the future leaks into training.
 *
 * Returns for each split inputs [n, context, columns] and targets [n, horizon, columns], standardised; and the numbers
 * to undo it: x = mean + std * z.
 * Errors: `ArgumentError` where a part is shorter than one window or shares leave no test part.
 */
export function forecastWindows(
  series: TimeSeries,
  options: ForecastOptions,
): Record<Split, ForecastDataset> & { readonly scale: Standardisation } {
  refuseUnknown("forecastWindows", options, ["context", "horizon", "stride", "trainShare", "validationShare", "info"]);
  const { context, horizon, stride = 1, trainShare = 0.7, validationShare = 0.15 } = options;
  for (const [name, value] of Object.entries({ context, horizon, stride }))
    requireInteger("forecastWindows", name, value, 1);
  const { length, values } = series;
  const width = series.columns.length;
  if (!(trainShare > 0 && validationShare > 0 && trainShare + validationShare < 1)) {
    throw new ArgumentError(
      `forecastWindows: shares must be positive and sum to below 1, got ${trainShare} and ${validationShare}`,
    );
  }
  const cuts = [0, Math.floor(length * trainShare), Math.floor(length * (trainShare + validationShare)), length];
  const scale = standardise(values.subarray(0, cuts[1] * width), width);
  const scaled = Float32Array.from(values, (x, i) => (x - scale.mean[i % width]) / scale.std[i % width]);
  const info = options.info ?? seriesInfo(series);
  const part = (from: number, to: number): ForecastDataset => {
    const count = Math.floor((to - from - context - horizon) / stride) + 1;
    if (count < 1)
      throw new ArgumentError(
        `forecastWindows: a part of ${to - from} steps is shorter than context + horizon = ${context + horizon}`,
      );
    const inputs = new Float32Array(count * context * width);
    const targets = new Float32Array(count * horizon * width);
    for (let i = 0; i < count; i++) {
      const start = (from + i * stride) * width;
      const middle = start + context * width;
      inputs.set(scaled.subarray(start, middle), i * context * width);
      targets.set(scaled.subarray(middle, middle + horizon * width), i * horizon * width);
    }
    return { info, length: count, inputs, inputShape: [context, width], targets, targetShape: [horizon, width] };
  };
  return { train: part(cuts[0], cuts[1]), validation: part(cuts[1], cuts[2]), test: part(cuts[2], cuts[3]), scale };
}

function standardise(values: Float64Array, width: number): Standardisation {
  const rows = values.length / width;
  const mean = new Array<number>(width).fill(0);
  const variance = new Array<number>(width).fill(0);
  values.forEach((x, i) => (mean[i % width] += x / rows));
  values.forEach((x, i) => (variance[i % width] += (x - mean[i % width]) ** 2 / rows));
  // A constant column has nothing to scale by; 1 keeps it at zero instead of dividing by zero.
  return { mean, std: variance.map((v) => (v > 0 ? Math.sqrt(v) : 1)) };
}

function seriesInfo(series: TimeSeries): DatasetInfo {
  return {
    name: "time-series",
    description: `windows over ${series.columns.join(", ")}`.slice(0, 200),
    licence: "that of the file read",
    source: "a file of the reader's",
    split: "by time: train, validation, test",
  };
}
