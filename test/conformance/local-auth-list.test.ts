/** The certification's cases of Local Authorization List Management. */
import { localAuthListCases } from "../../bench/conformance/cases/local-auth-list.ts"
import { testCases } from "./cases.ts"

testCases(localAuthListCases)
