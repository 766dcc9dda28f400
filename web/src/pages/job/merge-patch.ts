/** How one JSON object becomes another, as RFC 7396 says it. */

type Json = Record<string, unknown>;

/** Null: nothing changes. Raises: Error where a value is to become null, which a patch cannot say. */
export function mergePatch(from: Json, to: Json): Json | null {
  const patch: Json = {};
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    const old = from[name];
    if (JSON.stringify(old) === JSON.stringify(value)) continue;
    if (value === null) throw new Error(`${name} cannot be null: leave it out`);
    patch[name] = isObject(old) && isObject(value) ? mergePatch(old, value) : value;
    if (patch[name] === null) delete patch[name];
  }
  return Object.keys(patch).length > 0 ? patch : null;
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
