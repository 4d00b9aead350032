import { readFloats, Rng, setBackend } from "@statespace/core";
import { bilinear, zeroOrderHold } from "@statespace/core/discretization";
import { LegSMemory, makeHippo } from "@statespace/core/hippo";
import { Matrix, solveLinear } from "@statespace/core/math";
import { ContinuousSsm } from "@statespace/core/ssm";
import { cpuBackend } from "@statespace/backend-cpu";
import { bandLimitedNoise } from "@statespace/datasets";
import { ParameterBuilder, s4dConfig, S4Mixer } from "@statespace/models";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { launch, open, shoot } from "../support/browser.ts";

/** Pages 1 to 6: their main interaction, and their numbers against the library. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const numberOf = async (page: Page, testid: string): Promise<number> =>
  Number.parseFloat((await page.getByTestId(testid).innerText()).replace("−", "-"));

async function onPage(address: string, visit: (page: Page) => Promise<void>): Promise<void> {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/${address}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await visit(page);
  expect(errors).toEqual([]);
  await page.context().close();
}

it("1 Why: four layers are measured and the curves compared", () =>
  onPage("why?lang=en&upto=1024", async (page) => {
    await page.getByTestId("measure").click();
    await page.locator('[data-testid="costs"][data-done="true"]').waitFor({ timeout: 400_000 });
    await expect.poll(() => page.getByTestId("crossings").locator("li").count()).toBe(2);
    for (const kind of ["attention", "gru", "s4d", "mamba"])
      for (const told of [`doubling-${kind}`, `growth-${kind}`]) expect(await numberOf(page, told)).toBeGreaterThan(0); // how large it is, the machine and its other work decide
    // attention keeps a cache that grew 32-fold; the others keep a state of the same size
    const plot = page.locator(".plotted", {
      has: page.getByRole("img", { name: /^What must be kept after l tokens/ }),
    });
    await plot.locator(".as-table button").click();
    const kept = (await plot.locator("tbody tr").allInnerTexts()).map((row) => row.split("\t").map(Number));
    const [names, first, last] = [await plot.locator("thead th").allInnerTexts(), kept[0]!, kept.at(-1)!];
    const growth = (kind: string): number => {
      const column = names.findIndex((name) => name.startsWith(kind));
      return last[column]! / first[column]!;
    };
    expect(last[0]! / first[0]!).toBe(32);
    expect(growth("attention")).toBeCloseTo(32, 2); // the table rounds to five digits
    for (const kind of ["RNN (GRU)", "S4D", "Mamba"]) expect(growth(kind)).toBe(1);
    await shoot(page, "why-measured");
  }));

it("2 State space: an edited spring moves as the library says, and the maze can be walked", () =>
  onPage("state-space?lang=en", async (page) => {
    await page.getByTestId("input").getByText("a steady push").click();
    await page.getByLabel("A 2,1").fill("-9");
    await page.getByTestId("skip").check();
    const system = new ContinuousSsm(
      Matrix.of([
        [0, 1],
        [-9, -0.4],
      ]),
      Matrix.column([0, 1]),
      Matrix.of([[1, 0]]),
      Matrix.of([[0.5]]),
    ).discretize(zeroOrderHold, 1 / 30);
    const inputs = Array.from({ length: 360 }, (_, k) => Float64Array.of(k / 30 >= 0.5 && k / 30 < 6 ? 1 : 0));
    const { outputs, finalState } = system.scan(inputs);
    expect(await numberOf(page, "peak")).toBeCloseTo(Math.max(...outputs.map(([y]) => Math.abs(y!))), 3);
    expect(await page.getByTestId("last").innerText()).toBe(
      `${finalState[0]!.toFixed(4)}, ${finalState[1]!.toFixed(4)}`,
    );
    expect(await page.getByTestId("poles").innerText()).toContain("2.99"); // sqrt(9 - 0.2^2)
    await page.getByTestId("maze").focus();
    for (const key of ["ArrowRight", "ArrowDown", "ArrowLeft"]) await page.keyboard.press(key);
    expect(await page.getByTestId("maze-steps").innerText()).toBe("3");
    await page.getByTestId("input").getByText("you drive").click();
    await page.getByTestId("force").press("End");
    await expect.poll(() => numberOf(page, "peak")).toBeGreaterThan(0.1);
  }));

it("3 Discretization: errors, orders and stability are the library's", () =>
  onPage("discretize?lang=en&delta=0.5&damping=0.3&signal=steps", async (page) => {
    const system = new ContinuousSsm(
      Matrix.of([
        [0, 1],
        [-4, -0.6],
      ]),
      Matrix.column([0, 4]),
      Matrix.of([[1, 0]]),
    );
    const inputs = Array.from({ length: 20 }, (_, k) => Float64Array.of((0.5 * k + 0.25) % 5 < 2.5 ? 1 : -0.5));
    const truth = system.simulate(inputs, 0.5, { substeps: 400 }).outputs;
    const outputs = system.discretize(bilinear, 0.5).scan(inputs).outputs;
    const worst = Math.max(...outputs.map(([y], k) => Math.abs(y! - truth[k]![0]!)));
    expect(await numberOf(page, "error-bilinear")).toBeCloseTo(worst, 2);
    expect(await numberOf(page, "error-zoh")).toBeLessThan(1e-6);
    expect(await page.getByTestId("stable-forward").innerText()).toBe("explodes");
    expect(await page.getByTestId("stable-bilinear").innerText()).toBe("stable");
    expect(Math.abs((await numberOf(page, "order-bilinear")) - 2)).toBeLessThan(0.3);
    expect(await page.getByTestId("order-zoh").innerText()).toContain("exact");
    await page.getByTestId("delta").press("Home");
    expect(await page.getByTestId("stable-forward").innerText()).toBe("stable");
  }));

it("4 Two views: both outputs agree at every step and are timed", () =>
  onPage("two-views?lang=en&k=20&n=8&measure=legs", async (page) => {
    for (const press of ["ArrowRight", "ArrowRight", "ArrowLeft"]) await page.getByTestId("k").press(press);
    expect(await numberOf(page, "y-recurrence")).toBeCloseTo(await numberOf(page, "y-convolution"), 5);
    const { A, B } = makeHippo("legs", 8);
    const system = new ContinuousSsm(A, B, new Matrix(1, 8, new Rng(1).normals(8, 0, 1 / Math.sqrt(8)))).discretize(
      bilinear,
      0.08,
    );
    const rng = new Rng(2);
    const u = Float64Array.from({ length: 64 }, (_, k) => 0.3 * Math.sin(k / 5));
    for (let pulse = 0; pulse < 4; pulse++) u[rng.integer(64)]! += rng.uniform() < 0.5 ? 1 : -1;
    const expected = system.convolve(
      Array.from(u, (value) => Float64Array.of(value)),
      { method: "direct" },
    )[21]![0]!;
    expect(await numberOf(page, "y-recurrence")).toBeCloseTo(expected, 5);
    expect(await numberOf(page, "difference")).toBeLessThan(1e-12);
    await page.getByTestId("measure").click();
    await page.locator('[data-testid="timings"][data-count="7"]').waitFor();
    await shoot(page, "two-views-timed");
  }));

it("5 HiPPO: the errors are the library's, the unscaled matrix has whole numbers, and one can draw", () =>
  onPage("hippo?lang=en&signal=noise&n=32", async (page) => {
    const signal = bandLimitedNoise({ length: 600, cutoff: 9 / 600, random: new Rng(3), rms: 0.5 });
    const memory = new LegSMemory(32, "exact");
    memory.pushAll(signal);
    const squares = memory.reconstruct().reduce((sum, value, i) => sum + (value - signal[i]!) ** 2, 0);
    await expect.poll(() => numberOf(page, "error-legs")).toBeCloseTo(Math.sqrt(squares / 600), 3);
    expect(await numberOf(page, "error-random")).toBeGreaterThan(2 * (await numberOf(page, "error-legs")));
    const corner = await page.getByTestId("corner-unscaled").locator("tr").last().innerText();
    expect(corner.split(/\s+/)).toEqual(["-1", "-3", "-5", "-4"]);
    await page.getByTestId("signal").getByText("draw", { exact: true }).click();
    const before = await page.getByTestId("error-legs").innerText();
    const box = (await page.getByTestId("sketch").boundingBox())!;
    await page.mouse.move(box.x + 40, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 40, box.y + box.height - 20, { steps: 20 });
    await page.mouse.up();
    await expect.poll(() => page.getByTestId("error-legs").innerText()).not.toBe(before);
    await expect.poll(() => page.url()).toContain("draw=");
  }));

it("6 S4 and S4D: the best fit is what the layer's own filters allow", () =>
  onPage("s4?lang=en&n=16&lag=60&target=echo&delta=0.01", async (page) => {
    await setBackend(cpuBackend());
    const [n, taps] = [16, 200];
    // one filter of the layer for each of its n real degrees of freedom
    const mixer = new S4Mixer(s4dConfig(1, { dState: n, init: "lin" }), new ParameterBuilder(new Rng(3)));
    const named = (name: string) => mixer.parameters.find((parameter) => parameter.name.endsWith(name))!;
    named("inv_dt").assign(Float32Array.of(Math.log(0.01)));
    const basis = new Matrix(n, taps);
    for (let i = 0; i < n; i++) {
      named(".C").assign(Float32Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
      basis.data.set(await readFloats(mixer.kernel.filter(taps)), i * taps);
    }
    const wanted = Float64Array.from({ length: taps }, (_, t) => Math.exp(-(((t - 60) / 6) ** 2) / 2));
    const gram = basis.times(basis.transposed());
    const ridge = 1e-7 * Math.max(...gram.data.map(Math.abs));
    const C = solveLinear(gram.plus(Matrix.identity(n), ridge), Matrix.column(basis.apply(wanted))).data;
    const filter = basis.transposed().apply(C);
    const error = (100 * Math.hypot(...filter.map((value, t) => value - wanted[t]!))) / Math.hypot(...wanted);
    // the layer computes in float32, the page in float64: the fit moves in the third digit at most
    await expect.poll(async () => Math.abs((await numberOf(page, "error-lin")) / error - 1)).toBeLessThan(0.01);
    expect(await numberOf(page, "error-real")).toBeGreaterThan(await numberOf(page, "error-lin"));
    await page.getByTestId("init").getByText("S4 (LegS)").click();
    await shoot(page, "s4-legs");
  }));
