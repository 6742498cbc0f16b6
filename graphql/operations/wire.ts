/**
 * Inputs as they stand on the wire: what was left out, or given as null, is not there; nothing is added. OCPP-J 1.6 §4.2.
 */
export function onTheWire(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value != null)
      .map(([name, value]) => [name, wireValue(value)]),
  )
}

function wireValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wireValue)
  return typeof value === "object" && value !== null ? onTheWire(value) : value
}
