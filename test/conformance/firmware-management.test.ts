/** The certification's cases of Firmware Management and diagnostics. */
import { firmwareManagementCases } from "../../bench/conformance/cases/firmware-management.ts"
import { testCases } from "./cases.ts"

testCases(firmwareManagementCases)
