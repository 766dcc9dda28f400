/** A value as JSON, as text: nothing of it is ever markup. */

export function Json({ value }: { value: unknown }) {
  return (
    <pre className="json" tabIndex={0} aria-label="JSON">
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}
