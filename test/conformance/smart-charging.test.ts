/** The certification's cases of Smart Charging. */
import { smartChargingCases } from "../../bench/conformance/cases/smart-charging.ts"
import { testCases } from "./cases.ts"

testCases(smartChargingCases)
