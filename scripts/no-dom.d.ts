/** Stands in for the browser's types, which a dependency asks for and which would hide Bun's own of the same names. */
export {}
