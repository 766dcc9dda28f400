/** Ids as they stand in addresses, which anybody can mistype. */

/** The number that it says; null: nothing can be called that. */
export function idOf(text: string | number): number | null {
  const id = Number(text);
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}
