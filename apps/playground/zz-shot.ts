// page lang theme device [js-click selectors...]
import { launch, open, desktop, phone, shoot } from "./test/support/browser.ts";
import { serveIsolated } from "./test/support/site.ts";
const [p, lang = "en", theme = "light", dev = "desktop", ...actions] = process.argv.slice(2);
const site = await serveIsolated(); const b = await launch();
const { page, errors } = await open(b, `${site.url}#/${p}${p!.includes("?") ? "&" : "?"}lang=${lang}&theme=${theme}`, dev === "phone" ? phone : desktop);
await page.waitForTimeout(700);
for (const a of actions) { if (a.startsWith("wait:")) await page.waitForTimeout(Number(a.slice(5))); else if (a.startsWith("text:")) console.log(a, await page.locator(a.slice(5)).allInnerTexts()); else await page.click(a); }
await page.waitForTimeout(200);
await shoot(page, `zz-${p!.split("?")[0]}-${lang}-${theme}-${dev}`);
console.log(errors); await b.close(); await site.close(); process.exit(0);
