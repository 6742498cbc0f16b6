import { expect, test } from "bun:test"
import { Rounds } from "../../src/gateway/rounds.ts"

function visited<Member>(rounds: Rounds<Member>, times: number): Member[] {
  const found: Member[] = []
  for (let time = 0; time < times; time++) rounds.visit((member) => found.push(member))
  return found
}

test("a round visits everybody once, a part at a time", () => {
  const members = new Set(Array.from({ length: 1_000 }, (_, number) => number))
  const rounds = new Rounds(members, 20)
  expect(visited(rounds, 1)).toHaveLength(50)
  expect(visited(rounds, 19)).toHaveLength(950)
  expect(visited(rounds, 20).sort((one, other) => one - other)).toEqual([...members])
})

test("who comes is visited too, and who has gone is not", () => {
  const members = new Set<string>()
  const rounds = new Rounds(members, 4)
  expect(visited(rounds, 2)).toEqual([])
  for (const member of ["a", "b", "c", "d"]) members.add(member)
  expect(visited(rounds, 1)).toEqual(["a"])
  members.delete("b")
  members.add("e")
  expect(visited(rounds, 4)).toEqual(["c", "d", "e", "a"])
})

test("few are visited with every part", () => {
  expect(visited(new Rounds(new Set(["a"]), 20), 3)).toEqual(["a", "a", "a"])
})
