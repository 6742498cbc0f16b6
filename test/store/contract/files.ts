/** Bytes in parts, exactly as they came, and only as long as something names them. */
import { expect, test } from "bun:test"
import { StoredFiles, TooLarge } from "../../../src/services/stored-files.ts"
import { chargePointRow, minute } from "../../support/charging.ts"
import { type OpenPlace, refusal } from "../place.ts"

/** Every byte there is, over more than two parts and not to the end of one. */
const BYTES = Uint8Array.from({ length: 700_001 }, (_, index) => (index * 7 + (index >> 8)) & 255)

async function* inPieces(bytes: Uint8Array, length: number) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source))
}

export function fileContract(openPlace: OpenPlace): void {
  test("a file comes back byte by byte, as a whole and in any part", async () => {
    await using place = await openPlace()
    const files = new StoredFiles(await place.open(), { now: () => minute(0) })
    const stored = await files.write("f1", inPieces(BYTES, 65_537), BYTES.length)
    expect(stored).toEqual({ size: BYTES.length, sha256: new Bun.CryptoHasher("sha256").update(BYTES).digest("hex") })
    expect(Buffer.compare(await all(files.read("f1", 0, BYTES.length)), BYTES)).toBe(0)
    for (const [start, end] of [
      [0, 1],
      [262_143, 262_145],
      [262_144, 524_288],
      [699_999, 700_001],
    ] as const)
      expect(Buffer.compare(await all(files.read("f1", start, end)), BYTES.subarray(start, end))).toBe(0)
  })

  test("of a file that is too large, or breaks off, nothing stays", async () => {
    await using place = await openPlace()
    const files = new StoredFiles(await place.open(), { now: () => minute(0) })
    expect(await refusal(files.write("f1", inPieces(BYTES, 65_536), 600_000))).toBeInstanceOf(TooLarge)
    const broken = async function* () {
      yield BYTES
      throw new Error("the other end went away")
    }
    expect(await refusal(files.write("f2", broken(), 1_000_000))).toMatchObject({ message: "the other end went away" })
    expect(await place.query("SELECT file_id FROM file_chunks")).toEqual([])
  })

  test("retention removes old diagnostics with their files, and parts that belong to nothing", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    const diagnostics = {
      organisationId: "default",
      chargePointId: "cp1",
      location: "",
      expiresAt: minute(900),
      state: "Requested" as const,
      fileName: null,
      status: null,
      statusAt: null,
      uploadId: null,
      leaseUntil: null,
      receivedName: null,
      size: null,
      sha256: null,
      receivedAt: null,
    }
    for (const [id, requestedAt] of [
      ["old", minute(0)],
      ["new", minute(100)],
    ] as const) {
      await store.change("requestDiagnostics", { diagnostics: { ...diagnostics, id, requestedAt, tokenHash: id } })
      const upload = { chargePointId: "cp1", diagnosticsId: id, uploadId: `file of ${id}` }
      await store.change("beginUpload", { ...upload, at: minute(101), leaseUntil: minute(102) })
      await store.addFileChunk(upload.uploadId, 0, BYTES.subarray(0, 10), minute(101))
    }
    const firmwareImage = {
      id: "image",
      organisationId: "default",
      name: "Image",
      version: "1",
      fileName: "fw.bin",
      vendor: null,
      model: null,
      size: 10,
      sha256: "00",
      createdAt: minute(0),
      createdBy: "operator",
    }
    await store.change("addFirmwareImage", { firmwareImage })
    await store.addFileChunk("image", 0, BYTES.subarray(0, 10), minute(0))
    await store.addFileChunk("broken off", 0, BYTES.subarray(0, 10), minute(0))
    await store.addFileChunk("still coming", 0, BYTES.subarray(0, 10), minute(110))

    await store.prune({ diagnostics: minute(50), looseFileChunks: minute(105) }, 1_000)
    expect(await store.read.diagnosticsByIds(["old", "new"])).toMatchObject([{ id: "new" }])
    const left = await place.query("SELECT file_id AS id FROM file_chunks ORDER BY file_id")
    expect(left.map(({ id }) => id)).toEqual(["file of new", "image", "still coming"])
  })

  test("images are found by name, version and what they fit, newest first, within one organisation", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await place.query("INSERT INTO organisations (id, name, created_at) VALUES ('other', 'Other', 0) RETURNING id")
    const image = { fileName: "fw.bin", vendor: null, model: null, size: 1, sha256: "00", createdBy: "operator" }
    const images = [
      { ...image, id: "1", organisationId: "default", name: "For all", version: "1.0", createdAt: 1 },
      { ...image, id: "2", organisationId: "default", name: "For A", version: "1.1", createdAt: 2, vendor: "A" },
      { ...image, id: "3", organisationId: "default", name: "For B", version: "2.0", createdAt: 3, vendor: "B" },
      { ...image, id: "4", organisationId: "other", name: "For all", version: "1.0", createdAt: 4 },
    ]
    for (const firmwareImage of images) await store.change("addFirmwareImage", { firmwareImage })
    const ids = async (filter: object, page = {}) =>
      (await store.read.firmwareImages("default", filter, page)).rows.map(({ row }) => row.id)
    expect(await ids({})).toEqual(["3", "2", "1"])
    expect(await ids({ vendor: "A" })).toEqual(["2", "1"])
    expect(await ids({ search: "1.0" })).toEqual(["1"])
    expect(await ids({ search: "FOR B" })).toEqual(["3"])
    expect(await ids({}, { first: 1 })).toEqual(["3"])
    expect(await store.change("removeFirmwareImage", { organisationId: "default", firmwareImageId: "4" })).toEqual({
      notFound: true,
    })
  })
}
