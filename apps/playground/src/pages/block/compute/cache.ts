/** Where checkpoints that were fetched are kept, for all pages. */
export const CACHE = "statespace-checkpoints";
