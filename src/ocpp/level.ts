/**
 * How a Charge Point is read. `strict` refuses what the official JSON schemas refuse and what text-only-bounds.ts lists;
 * `tolerant` takes all that can be understood and reports how it deviates.
 */
export type Level = "strict" | "tolerant"
