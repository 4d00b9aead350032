// Checks the types of everything; then of the packages' sources as the build reads them (explicit types on exports); then of each app, which has
// its own settings (JSX, the browser's types only).
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Report } from "./report.mjs";
import { runNode } from "./setup.mjs";
import { commandFile, listPackages, root } from "./workspace.mjs";

const report = new Report("typecheck");
const apps = listPackages().filter(({ dir }) => dir.startsWith("apps/"));
const projects = ["tsconfig.json", "packages/tsconfig.json", ...apps.map(({ dir }) => `${dir}/tsconfig.json`)];
for (const project of projects) {
  if (!existsSync(join(root, project))) report.fail(project, "an app needs its own tsconfig.json");
  else {
    const { code, output } = await runNode([commandFile("typescript", "tsc"), "-p", project, "--noEmit"], {
      stdout: "pipe",
    });
    report.check(project, code === 0, output);
  }
}
report.finish();
