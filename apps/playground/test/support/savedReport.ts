import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import type { ConformanceReport } from "../../src/pages/machine/conformanceReport.ts";

/** Runs the drawn cases that page 10's address asks for to their end, and saves the file for an issue. */
export async function savedReport(page: Page): Promise<{ readonly name: string; readonly report: ConformanceReport }> {
  await page.getByTestId("run-generated").click();
  const save = page.getByTestId("save-generated");
  // The page's own wait: vitest's belongs to one test, and those on WebGPU run at once.
  await save.and(page.locator(":enabled")).waitFor({ timeout: 400_000 });
  const [download] = await Promise.all([page.waitForEvent("download"), save.click()]);
  return { name: download.suggestedFilename(), report: JSON.parse(readFileSync(await download.path(), "utf8")) };
}
