/** Amounts as people type them. */

const CENTS = 100;
const MICROS = 1_000_000;

/** Whole cents of an amount of dollars. */
export const centsOf = (dollars: string): number => Math.round(Number(dollars) * CENTS);
export const microsOf = (dollars: string): number => Math.round(Number(dollars) * MICROS);
/** As a field shows it: 25.00, without a sign. */
export const dollarsOf = (micros: number): string => (micros / MICROS).toFixed(2);
/** To the millionth: what a call costs may be less than a cent. */
export const exactlyOf = (micros: number): string => String(micros / MICROS);
