/** Values that outlive the tab and are too large for `remembered`: models, states. A browser that refuses storage just forgets. */

const SHELF = "kept";

function open(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = indexedDB.open("statespace-playground", 1);
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(SHELF));
    request.addEventListener("success", () => done(request.result));
    request.addEventListener("error", () => fail(request.error));
  });
}

async function on<T>(mode: IDBTransactionMode, act: (shelf: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
  try {
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
  } catch {
    return undefined;
  }
}

/** @param value what structured clones can hold: typed arrays, files, plain objects */
export async function keepValue(key: string, value: unknown): Promise<void> {
  await on("readwrite", (shelf) => shelf.put(value, key));
}

export async function keptValue<T>(key: string): Promise<T | undefined> {
  return (await on("readonly", (shelf) => shelf.get(key) as IDBRequest<T>)) ?? undefined;
}
