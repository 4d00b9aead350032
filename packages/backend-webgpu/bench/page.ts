/** The bench on the GPU of whoever opens this page: `pnpm --filter @statespace/backend-webgpu bench:browser`. */
import { tableText, type Row } from "./report.ts";
import { benches, runSuite, sizes, type Bench, type Size } from "./suite.ts";

const find = <E extends Element>(selector: string): E => document.querySelector<E>(selector)!;
const form = find<HTMLFormElement>("form");
const [start, copy] = [find<HTMLButtonElement>("button[type=submit]"), find<HTMLButtonElement>("#copy")];
const [progress, failure, table] = [
  find<HTMLOutputElement>("#progress"),
  find("#error"),
  find<HTMLTableElement>("table"),
];
const rows: Row[] = [];

function addChoice(to: string, type: "checkbox" | "radio", name: string, value: string, checked: boolean): void {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type, name, value, checked });
  label.append(input, ` ${value}`);
  find(to).append(label);
}

function addRow(row: Row): void {
  rows.push(row);
  const line = table.tBodies[0]!.insertRow();
  for (const text of [row.bench, row.shape, row.figures]) line.insertCell().textContent = text;
  const parts = document.createElement("pre");
  parts.textContent = (row.parts ?? []).join("\n");
  line.insertCell().append(parts);
}

/** Lets the page show what was written before the next bench keeps it busy. */
const painted = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

async function run(asked: readonly Bench[], size: Size): Promise<void> {
  rows.length = 0;
  table.tBodies[0]!.replaceChildren();
  table.hidden = false;
  failure.textContent = "";
  start.disabled = true;
  try {
    await runSuite(asked, size, addRow, async (what) => {
      progress.value = `running: ${what}`;
      await painted();
    });
    progress.value = "done";
  } catch (error) {
    progress.value = "stopped";
    failure.textContent = (error as Error).message;
  } finally {
    start.disabled = false;
    copy.disabled = rows.length === 0;
  }
}

// ?run=scan,gemm&size=small chooses, so that a link says what to measure.
const query = new URLSearchParams(location.search);
const chosen = query.get("run")?.split(",") ?? ["scan", "gemm", "decode"];
for (const name of benches) addChoice("#benches", "checkbox", "bench", name, chosen.includes(name));
for (const name of sizes) addChoice("#sizes", "radio", "size", name, name === (query.get("size") ?? "medium"));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const choices = new FormData(form);
  void run(choices.getAll("bench") as Bench[], choices.get("size") as Size);
});
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(tableText(rows));
  progress.value = "copied";
});
