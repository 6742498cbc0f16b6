/** Which bytes of a file a request wants. RFC 9110 §14. */

/** Whole: no range, or none that we serve. Beyond: a range that begins after the end. */
export type Wanted = { kind: "Whole" } | { kind: "Part"; start: number; end: number } | { kind: "Beyond" }

const SINGLE = /^bytes=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i

/** The bytes from `start` up to but not including `end`. More than one range in a request is answered with the whole. */
export function wantedOf(headers: Headers, size: number, etag: string): Wanted {
  const match = SINGLE.exec(headers.get("range") ?? "")
  const [, first = "", last = ""] = match ?? []
  const condition = headers.get("if-range")
  if (!match || (first === "" && last === "") || (condition !== null && condition !== etag)) return { kind: "Whole" }
  if (first === "") {
    const length = Math.min(Number(last), size)
    return length === 0 ? { kind: "Beyond" } : { kind: "Part", start: size - length, end: size }
  }
  const start = Number(first)
  const end = last === "" ? size : Math.min(Number(last) + 1, size)
  if (start >= size) return { kind: "Beyond" }
  return end <= start ? { kind: "Whole" } : { kind: "Part", start, end }
}
