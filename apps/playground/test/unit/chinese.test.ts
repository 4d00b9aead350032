import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend } from "@statespace/core";
import { load, type LoadedModel } from "@statespace/models";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POEMS } from "../../models/chinese/poems.ts";
import { CHINESE } from "../../src/pages/model/texts/chinese.ts";
import { tellStories } from "../../src/pages/model/texts/draw.ts";

const folder = resolve(import.meta.dirname, "../../models/chinese");
const FILES = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];

describe("the small Chinese model", () => {
  let lm: LoadedModel;
  beforeAll(async () => {
    await setBackend(cpuBackend());
    lm = await load(folder);
  });
  afterAll(() => lm.dispose());

  it("is as small as its pages promise", () => {
    const bytes = FILES.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    expect(bytes).toBeLessThan(400_000);
    const { parameters } = JSON.parse(readFileSync(join(folder, "training.json"), "utf8"));
    expect(lm.model.size).toBe(parameters);
    expect(parameters).toBe(178_640);
  });

  it("knows every character that its stories and poems are made of", () => {
    const text = tellStories([...CHINESE, (draw) => draw.of(POEMS)], 60_000, 5);
    expect(lm.tokenizer!.decode(lm.tokenizer!.encode(text))).toBe(text);
    expect(new Set(POEMS.join("")).size).toBeGreaterThan(200);
  });

  it("knows poems by heart", async () => {
    for (const poem of [POEMS[0]!, POEMS[1]!, POEMS[10]!]) {
      const begin = poem.indexOf("》") + 6;
      const rest = poem.slice(begin);
      expect(await lm.complete(poem.slice(0, begin), { maxNewTokens: rest.length, greedy: true })).toBe(rest);
    }
  });

  it("remembers a name, and what an animal eats", async () => {
    const goOn = (text: string, count: number): Promise<string> =>
      lm.complete(text, { maxNewTokens: count, greedy: true });
    expect(await goOn("小红有一只白猫，名字叫", 2)).toMatch(/^(豆豆|毛毛|乐乐|球球|点点|圆圆)$/);
    expect(await goOn("小红有一只白猫，名字叫球球。", 9)).toBe("球球喜欢吃鱼，也会");
    expect(await goOn("小红有一匹白马，名字叫点点。", 9)).toBe("点点喜欢吃草，也会");
  });
});
