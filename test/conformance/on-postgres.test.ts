/** All cases again on PostgreSQL and a Redis that nodes share: certified is the central system, not one of its forms. */
import { catalogue } from "../../bench/conformance/catalogue.ts"
import { openGround } from "../support/cluster.ts"
import { testCases } from "./cases.ts"

testCases(
  catalogue.filter(({ forms }) => forms.length > 0),
  () => openGround(),
)
