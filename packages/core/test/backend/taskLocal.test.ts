import { describe, expect, it } from "vitest";
import { makeTaskLocal } from "../../src/backend/taskLocal.ts";
import { BackendError } from "../../src/errors.ts";

const tick = (ms = 1): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("where the platform tells tasks apart", () => {
  it("two tasks at once see each their own, and nothing is left after", async () => {
    const local = makeTaskLocal<string>();
    const seen: string[] = [];
    const task = (name: string, pauses: number): Promise<void> =>
      local.run(name, async () => {
        for (let i = 0; i < pauses; i++) {
          await tick();
          seen.push(`${name} ${local.get()}`);
        }
      });
    await Promise.all([task("a", 5), task("b", 3), task("c", 4)]);
    expect(new Set(seen)).toEqual(new Set(["a a", "b b", "c c"]));
    expect(seen).toHaveLength(12);
    expect(local.get()).toBeUndefined();
  });
  it("AsyncContext is used where there is one", () => {
    let current: unknown;
    class Variable<T> {
      get(): T | undefined {
        return current as T | undefined;
      }
      run<R>(value: T, fn: () => R): R {
        const before = current;
        current = value;
        try {
          return fn();
        } finally {
          current = before;
        }
      }
    }
    const local = makeTaskLocal<string>({ AsyncContext: { Variable } });
    expect(local.run("x", () => local.get())).toBe("x");
    expect(local.get()).toBeUndefined();
  });
});

describe("where it does not (browsers)", () => {
  const make = (): ReturnType<typeof makeTaskLocal<string>> => makeTaskLocal<string>({});

  it("one after another, and nested while the outer function runs", async () => {
    const local = make();
    const seen: (string | undefined)[] = [];
    await local.run("a", async () => {
      seen.push(local.get());
      await tick();
      seen.push(local.get());
    });
    expect(local.run("b", () => local.run("c", () => local.get()))).toBe("c");
    await local.run("d", () =>
      local.run("e", async () => {
        await tick();
        seen.push(local.get());
      }),
    );
    expect(seen).toEqual(["a", "a", "e"]);
    expect(local.get()).toBeUndefined();
  });
  it("nested after an await, through the function's argument", async () => {
    const local = make();
    const seen: (string | undefined)[] = [];
    await local.run("a", async ({ nest }) => {
      await tick();
      await nest("b", async () => {
        await tick();
        seen.push(local.get());
      });
      seen.push(local.get());
    });
    expect(seen).toEqual(["b", "a"]);
  });
  it("an overlap is refused, wherever the second begins, and the first goes on", async () => {
    const local = make();
    let end: () => void = () => {};
    const first = local.run("a", async () => {
      await new Promise<void>((resolve) => (end = resolve));
      return local.get();
    });
    expect(() => local.run("b", () => 1)).toThrow(BackendError);
    await tick();
    expect(() => local.run("b", async () => 1)).toThrow(/give creators their \{ backend \}/);
    end();
    expect(await first).toBe("a");
    expect(local.run("b", () => local.get())).toBe("b");
  });
  it("a second one inside, while the first there waits, is refused too", async () => {
    const local = make();
    await local.run("a", async () => {
      const inner = local.run("b", () => tick(5));
      expect(local.get()).toBe("a"); // the function itself is still the outer one
      expect(() => local.run("c", () => 1)).toThrow(BackendError);
      await inner;
      expect(local.get()).toBe("a");
    });
  });
  it("a function that ends before one inside it is an error, and later ones work", async () => {
    const local = make();
    let inner: Promise<void> | undefined;
    await expect(
      local.run("a", async () => {
        inner = local.run("b", () => tick(5));
      }),
    ).rejects.toThrow(BackendError);
    await inner;
    expect(local.get()).toBeUndefined();
    expect(local.run("c", () => local.get())).toBe("c");
  });
  it("after an error the value outside is back", async () => {
    const local = make();
    expect(() =>
      local.run("a", () => {
        throw new Error("inside");
      }),
    ).toThrow("inside");
    await expect(local.run("a", () => Promise.reject(new Error("later")))).rejects.toThrow("later");
    expect(local.get()).toBeUndefined();
    expect(local.run("b", () => local.isCertain())).toBe(true);
  });
  it("says whether the caller is known to be the task it answers for", async () => {
    const local = make();
    expect(local.isCertain()).toBe(true);
    await local.run("a", async ({ resume }) => {
      expect(local.isCertain()).toBe(true);
      await tick();
      expect(local.isCertain()).toBe(false);
      expect(resume(() => local.isCertain())).toBe(true);
    });
    expect(local.isCertain()).toBe(true);
  });
});
