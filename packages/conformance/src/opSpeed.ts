#!/usr/bin/env node
import { cpus } from "node:os";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { currentBackend, type AnyBackend } from "@statespace/core/backend";
import { BACKENDS, registerByName } from "./backends.ts";
import { opSpeeds, timedOps } from "./bench/opSpeeds.ts";

const USAGE = `usage: op-speed [OP ...] [--backend cpu,wasm,webgpu] [--write FILE]
Times every op, or those that are named, forward and with its gradient, at the shapes of a model of 130 million weights, the least of seven rounds: what the documentation's page of each op shows.
  --write FILE   as JSON, with the machine; what FILE already has of other ops and backends stays; docs/results/op-speed.json is read by the documentation`;

interface SpeedFile {
  machine: Record<string, string>;
  ops: Record<string, { what: string; ms: Record<string, number[]> }>;
}

/** The card a backend runs on, where it runs on one. */
function card(): string | undefined {
  const { traits }: AnyBackend & { readonly traits?: { readonly name: string } } = currentBackend();
  return traits?.name;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: "string", default: BACKENDS.join(",") },
    write: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(USAGE);
else {
  const unknown = positionals.filter((name) => !timedOps.includes(name));
  if (unknown.length > 0) throw new Error(`op-speed: no op ${unknown.join(", ")}; there are ${timedOps.join(", ")}`);
  const names = positionals.length > 0 ? positionals : timedOps;
  const backends = values.backend.split(",");
  await registerByName(backends);
  const { write } = values;
  const { machine, ops }: SpeedFile =
    write !== undefined && existsSync(write)
      ? (JSON.parse(readFileSync(write, "utf8")) as SpeedFile)
      : { machine: {}, ops: {} };
  for (const backend of backends) {
    for await (const { op, what, ms } of opSpeeds(backend, names)) {
      const entry = (ops[op] ??= { what, ms: {} });
      entry.what = what;
      entry.ms[backend] = ms.map((time) => Number(time.toPrecision(3)));
      console.log(`${op.padEnd(22)} ${backend.padEnd(8)} ${entry.ms[backend].join(", ")} ms   ${what}`);
    }
    machine[backend] = card() ?? `${cpus()[0]?.model.trim()}, ${cpus().length} cores`;
  }
  if (write !== undefined) writeFileSync(write, `${JSON.stringify({ machine, ops }, null, 1)}\n`);
}
