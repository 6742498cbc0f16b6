// What the scripts tell the person at the terminal: on stderr, so that stdout stays the program's own.

/** @param {string} sentence */
export function say(sentence) {
  process.stderr.write(`busbar: ${sentence}\n`)
}

/** Something only the person at the terminal can mend; its message is one plain line that says how. */
export class Missing extends Error {
  name = "Missing"
}
