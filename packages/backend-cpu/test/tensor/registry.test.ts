import {
  add,
  BackendError,
  currentBackendName,
  memory,
  mul,
  packWeight,
  parameter,
  pickBackend,
  registerBackend,
  range,
  setBackend,
  ShapeError,
  split,
  stopBackend,
  sub,
  tensor,
  tidy,
  withBackend,
  zeros,
  type BackendDefinition,
} from "@statespace/core";
import {
  currentBackend,
  hasKernel,
  registeredBackends,
  startBackend,
  opTable,
  gradientKernelName,
  usesGradientKernel,
  type Kernel,
} from "@statespace/core/backend";
import { afterEach, describe, expect, it } from "vitest";
import { CpuBackend, cpuBackend, cpuKernels } from "../../src/index.ts";

const named = (name: string, more: Partial<BackendDefinition> = {}): BackendDefinition => ({
  ...cpuBackend(),
  name,
  ...more,
});
const broken = (name: string, message: string): BackendDefinition =>
  named(name, { create: () => Promise.reject(new BackendError(message)) });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
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
  it("pickBackend takes what is emulated only where nothing else runs, and does not keep it running for nothing", async () => {
    class Emulated extends CpuBackend {
      override readonly emulated = true;
    }
    const emulated = named("emulated", { create: () => new Emulated() });
    for (const definition of [emulated, broken("first", "first: no GPU"), cpuBackend()]) registerBackend(definition);
    expect(await pickBackend(["emulated", "first", "cpu"])).toBe("cpu");
    expect(currentBackendName()).toBe("cpu");
    expect(() => tensor([1], [1], { backend: "emulated" })).toThrow('no backend runs as "emulated"');
    const running = await startBackend("emulated");
    expect(await pickBackend(["emulated", "cpu"])).toBe("cpu");
    expect(running.running).toBe(true);
    expect(await pickBackend(["emulated", "first"])).toBe("emulated");
    expect(currentBackendName()).toBe("emulated");
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
    expect(tidy(() => [...mul(here, 2).dataSync()])).toEqual([2]); // ops run where their inputs are
    expect(() => tidy(() => mul(here, tensor([2])))).toThrow(
      new BackendError(
        "mul: all inputs must be on one backend, got a on cpu, b on there (creators take { backend }; await model.to(...) moves a model)",
      ),
    );
    here.dispose();
  });
  it("two tasks at once keep each their default, also while a backend starts", async () => {
    await setBackend(cpuBackend());
    const slow = named("slow", {
      create: async () => {
        await pause(5);
        return cpuBackend().create();
      },
    });
    registerBackend(named("fast"));
    const task = (backend: string | BackendDefinition, pauses: number): Promise<string[]> =>
      withBackend(backend, async () => {
        const seen: string[] = [];
        for (let i = 0; i < pauses; i++) {
          const t = zeros([1]);
          seen.push(`${currentBackendName()} ${t.backend.name}`);
          t.dispose();
          await pause(1);
        }
        return seen;
      });
    const [a, b] = await Promise.all([task(slow, 6), task("fast", 9)]);
    expect([new Set(a), new Set(b)]).toEqual([new Set(["slow slow"]), new Set(["fast fast"])]);
    expect(currentBackendName()).toBe("cpu");
  });
  it("creators take a backend, by name or itself, and say what is wrong with one", async () => {
    await setBackend(cpuBackend());
    const other = await startBackend(named("other"));
    expect(currentBackendName()).toBe("cpu");
    const made = tidy(() =>
      [
        tensor([1], [1], { backend: "other" }),
        tensor(Int32Array.of(1), [1], { backend: other }),
        zeros([1], { dtype: "bool", backend: other }),
        range(0, 2, 1, { backend: "other" }),
        packWeight(new Float32Array(32), [1, 32], "q8", { backend: "other" }),
        parameter("p", new Float32Array(1), [1], { backend: "other" }).value,
        add(tensor([1], [1], { backend: other }), 1),
        sub(1, tensor([1], [1], { backend: other })),
      ].map((t) => t.backend),
    );
    expect(made.every((backend) => backend === other)).toBe(true);
    expect(() => zeros([1], { backend: "nowhere" })).toThrow(
      new BackendError('no backend runs as "nowhere" (running: cpu, other): await startBackend("nowhere") first'),
    );
    expect(() => zeros([1], { device: "other" } as object)).toThrow("zeros: has no option device");
    stopBackend("other");
    expect(() => zeros([1], { backend: other })).toThrow("other: the backend was stopped");
  });
  it("a backend that runs is not taken for another: options, kernels, how it starts", async () => {
    const create = cpuBackend().create;
    const twoThreads = named("threads", { create, options: { threads: 2 } });
    await setBackend(twoThreads);
    await setBackend({ ...twoThreads, options: { threads: 2, flavour: undefined } }); // means the same
    const first = currentBackend();
    const message =
      '"threads" runs with {"threads":2}, not with {"threads":1}; stopBackend("threads") first, or give the other a name of its own';
    const oneThread = named("threads", { create, options: { threads: 1 } });
    await expect(setBackend(oneThread)).rejects.toThrow(new BackendError(`registerBackend: ${message}`));
    expect(() => registerBackend(oneThread)).toThrow(message);
    await expect(startBackend(oneThread)).rejects.toThrow(message);
    await expect(withBackend(oneThread, () => 1)).rejects.toThrow(message);
    expect(() => stopBackend(oneThread)).toThrow(message);
    expect(() => registerBackend(named("threads", { options: { threads: 2 }, create: () => create() }))).toThrow(
      'registerBackend: "threads" was started from another definition',
    );
    expect(currentBackend()).toBe(first);
    stopBackend(twoThreads);
    await setBackend(oneThread);
    expect(currentBackend()).not.toBe(first);
  });
  it("a backend that is stopped while it starts does not run, and can be started again", async () => {
    let made = 0;
    const slow = named("slow", {
      create: async () => {
        made++;
        await pause(2);
        return cpuBackend().create();
      },
    });
    const starting = setBackend(slow);
    expect(() => registerBackend(named("slow", { options: { threads: 2 } }))).toThrow("runs with {}");
    stopBackend("slow");
    await expect(starting).rejects.toThrow(new BackendError("setBackend: slow was stopped while it started"));
    expect(currentBackendName()).toBeUndefined();
    await setBackend("slow");
    expect([made, currentBackendName()]).toEqual([2, "slow"]);
  });
  it("ops on tensors of a backend that was stopped say so", async () => {
    await setBackend(cpuBackend());
    const t = tensor([1]);
    stopBackend("cpu");
    expect(() => mul(t, 2)).toThrow("the backend was stopped");
    expect(() => mul(t, t)).toThrow(new BackendError("mul: the cpu backend of its inputs was stopped"));
    t.dispose();
  });
  it("an op that fails gives back what it had allocated, and a disposed operand is named", async () => {
    await setBackend(cpuBackend());
    const failing: Kernel = (backend, { a }) => {
      backend.output([1000]);
      backend.output(a!.shape);
      throw new BackendError("out of luck");
    };
    await setBackend(named("failing", { kernels: { ...cpuKernels, mul: failing } }));
    const t = tensor([1, 2]);
    const counts = (): object => ({ ...memory(), ...currentBackend().memory() });
    const before = counts();
    expect(() => mul(t, t)).toThrow("out of luck");
    expect(() => mul(t, 2)).toThrow("out of luck");
    expect(() => split(t, [1, 2])).toThrow(ShapeError);
    expect(counts()).toEqual(before);
    t.dispose();
    expect(() => add(zeros([2]), t)).toThrow(new BackendError("add: b was disposed"));
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
