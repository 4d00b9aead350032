/**
 * The forecaster beside naive, exponential smoothing and linear forecasts, on real series that it has not seen.
 *
 *   node --conditions=statespace-source examples/forecaster/compare.ts [--model FOLDER] [--csv FILE:COLUMN:PERIOD ...] [--json]
 *
 * Every series is cut at 20 places, evenly over its second half; each forecast sees the steps before, at most 512, and
 * says the next 24. The figure
 * is the mean absolute error over that of the seasonal naive forecast within the context (MASE), its mean over the places.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { loadFixture, readCsvSeries } from "@statespace/datasets";
import { bundledCheckpoint, load, type LoadedModel } from "statespace";
import { ets, linear, seasonalNaive, type Forecast } from "./baselines.ts";
import { CONTEXT, HORIZON, QUANTILES } from "./model.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    csv: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
  },
});
await setBackend(wasmBackend());
const model = await load(values.model ?? bundledCheckpoint("forecaster"));
const PLACES = 20;

interface Subject {
  readonly name: string;
  readonly steps: readonly number[];
  readonly period: number;
}

async function column(name: string, bytes: Uint8Array, wanted: string, period: number): Promise<Subject> {
  const { series } = await readCsvSeries(bytes, { columns: [wanted] });
  const steps = series[0]!.map((step) => step as number).filter((value) => !Number.isNaN(value));
  return { name: `${name}, ${wanted}`, steps, period };
}

const weather = await loadFixture("seattle-weather.csv");
const subjects = [
  ...(await Promise.all(
    ["temp_max", "temp_min", "wind", "precipitation"].map((name) => column("Seattle, daily", weather, name, 7)),
  )),
  ...(await Promise.all(
    values.csv.map(async (text) => {
      const [file, name, period] = text.split(":");
      return column(file!.split("/").at(-1)!, await readFile(file!), name!, Number(period));
    }),
  )),
];

/** The median. */
async function foretold(lm: LoadedModel, contexts: readonly (readonly number[])[]): Promise<number[][]> {
  const middle = QUANTILES.indexOf(0.5);
  return (await lm.predict(contexts)).map(({ values: all }) =>
    Array.from({ length: HORIZON }, (_, h) => all[h * QUANTILES.length + middle]!),
  );
}

function mase(context: readonly number[], truth: readonly number[], said: readonly number[], period: number): number {
  const own = context.slice(period).map((value, t) => Math.abs(value - context[t]!));
  const scale = own.reduce((a, b) => a + b, 0) / own.length;
  return truth.reduce((sum, value, h) => sum + Math.abs(value - said[h]!), 0) / truth.length / scale;
}

const baselines: Readonly<Record<string, Forecast>> = { "seasonal naive": seasonalNaive, ETS: ets, linear };
const rows: Record<string, string | number>[] = [];
for (const { name, steps, period } of subjects) {
  const from = Math.floor(steps.length / 2);
  const places = Array.from({ length: PLACES }, (_, i) =>
    Math.floor(from + ((steps.length - HORIZON - from) * i) / (PLACES - 1)),
  );
  const contexts = places.map((at) => steps.slice(Math.max(0, at - CONTEXT), at));
  const truths = places.map((at) => steps.slice(at, at + HORIZON));
  const mean = (said: readonly number[][]): number =>
    said.reduce((sum, each, i) => sum + mase(contexts[i]!, truths[i]!, each, period), 0) / said.length;
  const row: Record<string, string | number> = { series: name, period };
  row["forecaster"] = mean(await foretold(model, contexts));
  for (const [each, forecast] of Object.entries(baselines))
    row[each] = mean(contexts.map((context) => forecast(context, HORIZON, period)));
  rows.push(row);
}
if (values.json) console.log(JSON.stringify(rows, null, 2));
else {
  const names = ["forecaster", ...Object.keys(baselines)];
  console.log(`| series | period | ${names.join(" | ")} |\n| --- | --- |${" --- |".repeat(names.length)}`);
  for (const row of rows)
    console.log(
      `| ${row["series"]} | ${row["period"]} | ${names.map((name) => (row[name] as number).toFixed(3)).join(" | ")} |`,
    );
}
