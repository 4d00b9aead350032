// Source lines of each package (blank ones, tests and generated files left out) against a budget: growth is a decision, not an accident.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { Report } from "./report.mjs";
import { listPackages, root } from "./workspace.mjs";

const sourceFolders = ["src", "csrc"];
const isSource = (name) => /\.(tsx?|wgsl|[ch]|css|html)$/.test(name) && !/\.gen(erated)?\.ts$/.test(name);

function sourceFiles(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? sourceFiles(path) : isSource(entry.name) ? [path] : [];
  });
}

const countLines = (file) =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "").length;

function reportLines(report) {
  const { sourceLines } = JSON.parse(readFileSync(join(root, "scripts", "budgets.json"), "utf8"));
  for (const pkg of listPackages()) {
    const budget = sourceLines[pkg.name];
    if (budget === undefined) continue;
    const files = sourceFolders.flatMap((folder) => sourceFiles(join(pkg.path, folder)));
    const counts = files.map(countLines);
    const lines = counts.reduce((sum, count) => sum + count, 0);
    const longest = files[counts.indexOf(Math.max(...counts))];
    const detail = `${lines} of ${budget} in ${files.length} files, the longest ${longest ? `${relative(pkg.path, longest)} (${Math.max(...counts)})` : "none"}`;
    report.check(`${pkg.name} lines`, lines <= budget, `over its budget in scripts/budgets.json: ${detail}`, detail);
  }
}

const report = new Report("lines");
reportLines(report);
report.finish();
