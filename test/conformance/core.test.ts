/** The certification's 34 cases of Core. */
import { coreCases } from "../../bench/conformance/cases/core.ts"
import { testCases } from "./cases.ts"

testCases(coreCases)
