/** What GraphiQL shows to somebody who opens the API in a browser for the first time. */
import type { GraphiQLOptions } from "graphql-yoga"

// Narrow, because the editor has half of the page.
const query = `# 1. Put your token into the header below.
# 2. Load the documentation: ⟳, lower left.
# 3. Run an operation: ▶, or Ctrl-Enter in it.

query Fleet {
  fleet { chargePoints online chargingNow }
  chargePoints(first: 10) {
    edges { node { identity online vendor } }
  }
}

mutation LetIn {
  createChargePoint(input: { identity: "CP-1" }) {
    __typename
    ... on Error { message }
  }
}

subscription Follow {
  chargePointChanged {
    at kind chargePoint { identity online }
  }
}
`

/** GraphiQL's first page. A browser keeps what was edited for the next visit, but not the token. */
export const graphiql: GraphiQLOptions = {
  title: "Busbar",
  defaultTabs: [{ query }],
  // Of every tab: GraphiQL does not show the headers of a default tab.
  headers: '{ "authorization": "Bearer " }',
  defaultEditorToolsVisibility: "headers",
  shouldPersistHeaders: false,
}
