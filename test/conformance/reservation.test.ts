/** The certification's cases of Reservation. */
import { reservationCases } from "../../bench/conformance/cases/reservation.ts"
import { testCases } from "./cases.ts"

testCases(reservationCases)
