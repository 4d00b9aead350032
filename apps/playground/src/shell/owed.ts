/**
 * What the page still owes its visitor: a part being fetched, a figure being computed, a model being kept, an address that follows. The
 * document tells how much (`data-owed`), so that whoever drives the page, a test or a program that prints it, can wait for it and need
 * not guess a time.
 */
let count = 0;

/** Owes something until the returned function is called. */
export function owe(): () => void {
  tell(1);
  let due = true;
  return () => {
    if (due) tell(-1);
    due = false;
  };
}

/** Owes `work` until it settles. */
export async function owed<T>(work: Promise<T>): Promise<T> {
  const paid = owe();
  try {
    return await work;
  } finally {
    paid();
  }
}

function tell(more: number): void {
  count += more;
  const { dataset } = document.documentElement;
  if (count === 0) delete dataset["owed"];
  else dataset["owed"] = String(count);
}
