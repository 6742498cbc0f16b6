/** The version of this program, from its package. */
import { version } from "../package.json" with { type: "json" }

export const VERSION: string = version
