import type { Page } from "playwright-core";

/** Latin words that are shown in the page, code and formulas left out, with what stands around them. */
export function latinWords(page: Page): Promise<{ word: string; around: string }[]> {
  return page.evaluate(() => {
    const found: { word: string; around: string }[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement!;
      if (parent.closest("code, math, script, style, [lang]:not(html), [data-testid=text]")) continue;
      if (!parent.checkVisibility()) continue;
      for (const [word] of node.textContent!.matchAll(/[A-Za-z]{3,}/g))
        found.push({ word, around: node.textContent!.trim().slice(0, 60) });
    }
    return found;
  });
}

/** Elements whose Chinese is slanted. */
export function slantedChinese(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
      if (/\p{Script=Han}/u.test(node.textContent!) && getComputedStyle(node.parentElement!).fontStyle !== "normal")
        found.push(node.textContent!);
    return found;
  });
}
