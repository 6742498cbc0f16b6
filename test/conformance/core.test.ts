/** The 34 Core cases of the certification's test tool. */
import { coreCases } from "../../bench/conformance/cases/core.ts"
import { testCases } from "./cases.ts"

testCases(coreCases)
