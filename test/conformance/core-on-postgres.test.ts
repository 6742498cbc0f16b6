/** The same Core cases on PostgreSQL and a Redis that nodes share: certified is the central system, not one of its forms. */
import { coreCases } from "../../bench/conformance/cases/core.ts"
import { openGround } from "../support/cluster.ts"
import { testCases } from "./cases.ts"

testCases(coreCases, () => openGround())
