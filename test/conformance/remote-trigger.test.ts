/** The certification's cases of Remote Trigger. */
import { remoteTriggerCases } from "../../bench/conformance/cases/remote-trigger.ts"
import { testCases } from "./cases.ts"

testCases(remoteTriggerCases)
