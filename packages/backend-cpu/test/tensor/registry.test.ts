import {
  BackendError,
  currentBackend,
  currentBackendName,
  hasKernel,
  mul,
  pickBackend,
  registerBackend,
  registeredBackends,
  setBackend,
  stopBackend,
  tensor,
  tidy,
  withBackend,
  zeros,
  opTable,
  gradientKernelName,
  usesGradientKernel,
  type BackendDefinition,
} from "@statespace/core";
import { afterEach, describe, expect, it } from "vitest";
import { cpuBackend, cpuKernels } from "../../src/index.ts";

const named = (name: string, more: Partial<BackendDefinition> = {}): BackendDefinition => ({
  ...cpuBackend(),
  name,
  ...more,
});
const broken = (name: string, message: string): BackendDefinition =>
  named(name, { create: () => Promise.reject(new BackendError(message)) });
const doubled = (): number[] => tidy(() => [...mul(tensor([1, 2]), 2).dataSync()]);
afterEach(() => {
  for (const name of registeredBackends()) stopBackend(name);
});

describe("registry", () => {
  it("no backend: ops say what to do", () => {
    expect(currentBackendName()).toBeUndefined();
    expect(() => zeros([1])).toThrow(
      new BackendError("no backend is set: await setBackend(...) or pickBackend(...) first"),
    );
    expect(() => tensor([1])).toThrow(BackendError);
  });
  it("unknown name: lists what is registered, keeps what was set", async () => {
    await setBackend(cpuBackend());
    await expect(setBackend("quantum")).rejects.toThrow(
      /setBackend: "quantum" is not registered \(registered: .*cpu.*\); call registerBackend first/,
    );
    expect(currentBackendName()).toBe("cpu");
    expect(doubled()).toEqual([2, 4]);
  });
  it("a backend that does not start: its reason, and the previous one stays set", async () => {
    await setBackend(cpuBackend());
    await expect(setBackend(broken("no-device", "no-device: needs a device"))).rejects.toThrow(
      new BackendError("no-device: needs a device"),
    );
    const crash = named("crash", {
      create: () => {
        throw new TypeError("x is undefined");
      },
    });
    await expect(setBackend(crash)).rejects.toThrow(
      new BackendError("setBackend: crash did not start: x is undefined"),
    );
    expect(currentBackendName()).toBe("cpu");
  });
  it("starts once, also when asked twice at the same time", async () => {
    let starts = 0;
    const counted = named("counted", {
      create: async () => {
        starts++;
        await Promise.resolve();
        return cpuBackend().create();
      },
    });
    registerBackend(counted);
    await Promise.all([setBackend("counted"), setBackend("counted")]);
    await setBackend("counted");
    expect([starts, currentBackendName(), doubled().join()]).toEqual([1, "counted", "2,4"]);
  });
  it("a start that failed can be tried again", async () => {
    let ready = false;
    const late = named("late", {
      create: () => {
        if (!ready) throw new BackendError("late: not yet");
        return cpuBackend().create();
      },
    });
    await expect(setBackend(late)).rejects.toThrow("late: not yet");
    ready = true;
    await setBackend("late");
    expect(doubled()).toEqual([2, 4]);
  });
  it("pickBackend takes the first that runs, or gives every reason", async () => {
    for (const definition of [broken("first", "first: no GPU"), broken("second", "second: no SIMD"), cpuBackend()])
      registerBackend(definition);
    expect(await pickBackend(["first", "cpu", "second"])).toBe("cpu");
    await expect(pickBackend(["first", "second"])).rejects.toThrow(
      new BackendError(
        "pickBackend: none of [first, second] runs here\n  first: first: no GPU\n  second: second: no SIMD",
      ),
    );
    expect(currentBackendName()).toBe("cpu");
  });
  it("withBackend restores, after a value, a throw, and a change inside", async () => {
    await setBackend(cpuBackend());
    registerBackend(named("other"));
    expect(await withBackend("other", () => currentBackendName())).toBe("other");
    expect(currentBackendName()).toBe("cpu");
    await expect(
      withBackend("other", () => {
        throw new Error("inside");
      }),
    ).rejects.toThrow("inside");
    expect(currentBackendName()).toBe("cpu");
    await withBackend("cpu", () => setBackend("other"));
    expect(currentBackendName()).toBe("cpu");
  });
  it("stopBackend, then setBackend again: a fresh one", async () => {
    await setBackend(cpuBackend());
    const first = currentBackend();
    const kept = zeros([4]);
    stopBackend("cpu");
    expect(currentBackendName()).toBeUndefined();
    expect(() => zeros([1])).toThrow(BackendError);
    await setBackend("cpu");
    expect(currentBackend()).not.toBe(first);
    expect(doubled()).toEqual([2, 4]);
    expect(currentBackend().memory().tensors).toBe(0);
    kept.dispose();
  });
  it("a tensor of another backend is refused by name", async () => {
    await setBackend(cpuBackend());
    const here = tensor([1]);
    await setBackend(named("there"));
    expect(() => tidy(() => mul(here, 2))).toThrow(
      "the tensor is not here: it was disposed or lives on another backend",
    );
    here.dispose();
  });
  it("a missing kernel is a named error", async () => {
    const { exp: _, ...rest } = cpuKernels;
    const core = await import("@statespace/core");
    await setBackend(named("no-exp", { kernels: rest }));
    expect(hasKernel("exp")).toBe(false);
    expect(() => tidy(() => core.exp(tensor([1])))).toThrow(
      new BackendError("exp: the cpu backend has no such kernel"),
    );
  });
});

describe("coverage", () => {
  it("cpu has every op and every gradient", () => {
    const wanted = Object.values(opTable).flatMap(({ spec }) => [
      spec.name,
      ...(usesGradientKernel(spec) ? [gradientKernelName(spec.name)] : []),
    ]);
    expect(wanted.filter((name) => cpuKernels[name] === undefined)).toEqual([]);
  });
});
