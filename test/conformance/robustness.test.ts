/** What the standard asks and the certification's test tool leaves out. */
import { robustnessCases } from "../../bench/conformance/cases/robustness.ts"
import { testCases } from "./cases.ts"

testCases(robustnessCases)
