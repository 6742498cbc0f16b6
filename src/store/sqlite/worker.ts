/** The thread that writes to SQLite: the rules run here, next to the rows that they change. */
import { changes } from "../../facts/changes/index.ts"
import { serveWriter } from "./thread.ts"

serveWriter(changes)
