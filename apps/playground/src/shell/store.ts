import { asStorageFull } from "@statespace/files";

/** Values that outlive the tab and are too large for `remembered`: models, states. */

const SHELF = "kept";

function open(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = indexedDB.open("statespace-playground", 1);
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(SHELF));
    request.addEventListener("success", () => done(request.result));
    request.addEventListener("error", () => fail(request.error));
  });
}

async function on<T>(mode: IDBTransactionMode, act: (shelf: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((done, fail) => {
      const transaction = database.transaction(SHELF, mode);
      const request = act(transaction.objectStore(SHELF));
      // a value is kept when its transaction is over, not when it was asked for
      transaction.addEventListener("complete", () => done(request.result));
      transaction.addEventListener("abort", () => fail(transaction.error));
    });
  } finally {
    database.close();
  }
}

/**
 * Keeps a value that the visitor counts on.
 * @param value what structured clones can hold: typed arrays, files, plain objects
 * @throws StorageFullError where there is no room; what else the browser says that refuses storage. What was there before stays.
 */
export async function storeValue(key: string, value: unknown): Promise<void> {
  try {
    await on("readwrite", (shelf) => shelf.put(value, key));
  } catch (error) {
    throw asStorageFull(error, key);
  }
}

/** Keeps a value if that is possible: a browser that refuses storage just forgets. */
export async function keepValue(key: string, value: unknown): Promise<void> {
  await storeValue(key, value).catch(() => undefined);
}

export async function keptValue<T>(key: string): Promise<T | undefined> {
  return (await on("readonly", (shelf) => shelf.get(key) as IDBRequest<T>).catch(() => undefined)) ?? undefined;
}

/** Forgets a value, and frees its room. */
export async function forgetValue(key: string): Promise<void> {
  await on("readwrite", (shelf) => shelf.delete(key)).catch(() => undefined);
}
