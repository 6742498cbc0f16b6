/**
 * FTP for the many charge points that know nothing else: a login is one link's token, and what it sees is that link's
 * transfer alone. Passive mode only: nobody makes us open connections to where they like.
 */
import { createReadStream } from "node:fs"
import type { Server, Socket } from "node:net"
import { PassThrough, Writable } from "node:stream"
import { FileSystem, type FtpConnection, FtpSrv } from "ftp-srv"
import type { FirmwareImageRow } from "../facts/rows.ts"
import type { Log } from "../log.ts"
import { FTP_USER } from "../services/file-links.ts"
import { type Transfers, UploadRefused } from "../services/transfers.ts"
import type { LocalCopies } from "./local-copies.ts"

export interface FtpOptions {
  host: string
  /** 0: any free one. */
  port: number
  /** The address that charge points open data connections to, as numbers. */
  passiveAddress: string
  passivePorts: { first: number; last: number }
  /** For explicit TLS, in PEM; left out: without. */
  tls?: { cert: string; key: string } | undefined
  transfers: Transfers
  copies: LocalCopies
  log: Log
}

export interface Ftp extends AsyncDisposable {
  readonly port: number
}

/** What a fetch or an upload needs; whatever else the protocol can do is refused. */
const COMMANDS =
  "USER PASS AUTH PBSZ PROT FEAT OPTS SYST TYPE MODE STRU PWD XPWD CWD XCWD CDUP PASV EPSV STOR RETR SIZE MDTM REST LIST NLST ALLO NOOP QUIT ABOR HELP"
const MOST_CONNECTIONS = 200
/** Who has not logged in by then, has nothing to send for so long, or is still there, is let go, ms. */
const LOGIN_MS = 30_000
const STALL_MS = 60_000
const SESSION_MS = 4 * 3_600_000
/** How long after a file's end word may take that its sender is gone, ms. */
const GRACE_MS = 100

const SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT"] as const

/** Opens the listener. @throws where the port is taken */
export async function startFtp(options: FtpOptions): Promise<Ftp> {
  const { host, port, passiveAddress, passivePorts, tls, log } = options
  const before = SIGNALS.map((signal) => process.listeners(signal))
  const server = new FtpSrv({
    url: `ftp://${host}:${port}`,
    pasv_url: passiveAddress,
    pasv_min: passivePorts.first,
    pasv_max: passivePorts.last,
    whitelist: COMMANDS.split(" "),
    tls: tls ?? false,
    log: SILENT,
  }) as FtpSrv & { readonly server: Server }
  // It would end the process at a signal, in its own way.
  for (const [index, signal] of SIGNALS.entries())
    for (const listener of process.listeners(signal))
      if (!before[index]?.includes(listener)) process.removeListener(signal, listener)
  server.server.maxConnections = MOST_CONNECTIONS
  admit(server, options)
  server.on("client-error", ({ error }) => log.debug({ err: error }, "an FTP connection broke"))
  await server.listen()
  const address = server.server.address()
  return {
    port: address !== null && typeof address === "object" ? address.port : port,
    async [Symbol.asyncDispose]() {
      await server.close()
    },
  }
}

function admit(server: FtpSrv, { transfers, copies, log }: FtpOptions): void {
  const timers = new Map<string, Timer>()
  const letGoAfter = (connection: FtpConnection, ms: number) => {
    clearTimeout(timers.get(connection.id))
    timers.set(
      connection.id,
      setTimeout(() => void server.disconnectClient(connection.id).catch(() => undefined), ms),
    )
  }
  server.addListener("connect", ({ connection }: { connection: FtpConnection }) => letGoAfter(connection, LOGIN_MS))
  server.on("disconnect", ({ id }) => {
    clearTimeout(timers.get(id))
    timers.delete(id)
  })
  server.on("login", ({ connection, username, password }, resolve, reject) => {
    const look = async () => {
      const image = username === FTP_USER ? await transfers.image(password) : undefined
      if (image !== undefined) return new Download(connection, image, copies)
      const takes = username === FTP_USER && (await transfers.refusal(password)) === undefined
      return takes ? new Upload(connection, password, transfers) : undefined
    }
    look()
      .then((fs) => {
        if (fs === undefined) return reject(new Error("wrong user or password"))
        letGoAfter(connection, SESSION_MS)
        resolve({ fs })
      })
      .catch((cause: unknown) => {
        log.warn({ err: cause }, "an FTP login could not be checked")
        reject(new Error("not now"))
      })
  })
}

const FOLDER = { name: ".", size: 0, mtime: new Date(0), isDirectory: () => true }

/** One folder, whatever path is named; nothing is below it but the one file. */
abstract class OneFolder extends FileSystem {
  constructor(connection: FtpConnection) {
    super(connection, { root: "/", cwd: "/" })
  }

  override currentDirectory(): string {
    return "/"
  }

  override async chdir(): Promise<string> {
    return "/"
  }

  override async list(): Promise<object[]> {
    return []
  }

  override async get(): Promise<object> {
    return FOLDER
  }

  override async read(): Promise<never> {
    throw new Error("not found")
  }

  override async write(): Promise<unknown> {
    throw new Error("not allowed")
  }
}

class Download extends OneFolder {
  readonly #image: FirmwareImageRow
  readonly #copies: LocalCopies

  constructor(connection: FtpConnection, image: FirmwareImageRow, copies: LocalCopies) {
    super(connection)
    this.#image = image
    this.#copies = copies
  }

  override async list(): Promise<object[]> {
    return [this.#file]
  }

  override async get(name = "."): Promise<object> {
    if (nameOf(name) === this.#image.fileName) return this.#file
    if (nameOf(name) === "" || nameOf(name) === ".") return FOLDER
    throw new Error("not found")
  }

  override async read(name = "", { start = 0 }: { start?: number } = {}): Promise<never> {
    const { id, size, fileName } = this.#image
    if (nameOf(name) !== fileName || start > size) throw new Error("not found")
    const { name: path } = await this.#copies.of(id, size)
    if (path === undefined) throw new Error("not found")
    return { stream: createReadStream(path, { start }), clientPath: fileName } as never
  }

  get #file() {
    const { fileName: name, size, createdAt } = this.#image
    return { name, size, mtime: new Date(createdAt), isDirectory: () => false }
  }
}

class Upload extends OneFolder {
  readonly #token: string
  readonly #transfers: Transfers

  constructor(connection: FtpConnection, token: string, transfers: Transfers) {
    super(connection)
    this.#token = token
    this.#transfers = transfers
  }

  override async write(name = "", { append, start }: { append?: boolean; start?: number } = {}): Promise<unknown> {
    if (append || start) throw new Error("only whole files are taken")
    return { stream: this.#receiving(nameOf(name)), clientPath: nameOf(name) }
  }

  /**
   * The end of a file is the end of its connection, RFC 959 §3.4, also where its sender has died. Then the connection of
   * its commands ends as well, which the library does not read while a file arrives.
   */
  async #isGone(): Promise<boolean> {
    const { commandSocket } = this.connection as FtpConnection & { readonly commandSocket: Socket }
    const gone = Promise.withResolvers<true>()
    const leave = () => gone.resolve(true)
    commandSocket.once("end", leave).once("close", leave).resume()
    const isGone = await Promise.race([gone.promise, Bun.sleep(GRACE_MS).then(() => false)])
    commandSocket.off("end", leave).off("close", leave)
    return isGone || commandSocket.destroyed
  }

  /** Takes the bytes, and finishes when they are on disk. */
  #receiving(name: string): Writable {
    const bytes = new PassThrough()
    const received = this.#transfers.receive(this.#token, name, bytes)
    const stall = setTimeout(() => taking.destroy(new Error("nothing came for too long")), STALL_MS)
    const taking = new Writable({
      write: (chunk, _encoding, done) => {
        stall.refresh()
        if (bytes.destroyed) done(new Error("the file is not taken"))
        else if (bytes.write(chunk)) done()
        else bytes.once("drain", done)
      },
      final: (done) => {
        clearTimeout(stall)
        void this.#isGone().then((isGone) =>
          isGone ? bytes.destroy(new Error("the other end went away")) : bytes.end(),
        )
        received.then(
          () => done(),
          (cause: unknown) => done(cause instanceof Error ? cause : new Error(String(cause))),
        )
      },
      destroy: (cause, done) => {
        clearTimeout(stall)
        if (!bytes.writableEnded) bytes.destroy(cause ?? new Error("the upload broke off"))
        done(cause)
      },
    })
    received.catch((cause: unknown) => {
      const why = cause instanceof UploadRefused ? cause : new Error("the upload failed")
      bytes.destroy()
      taking.destroy(why)
    })
    return taking
  }
}

/** The last part of a path, in whichever way it is written. */
const nameOf = (path: string): string => path.split(/[/\\]/).at(-1) ?? ""

const nothing = (): void => undefined
/** The library's log: it would repeat to us, line by line, what only a developer of it needs. */
const SILENT = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => SILENT,
}
