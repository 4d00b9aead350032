/** Whether the visitor asked to be spared downloads; they are then made only when wanted. */
export const sparing: boolean = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
