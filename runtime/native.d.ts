// What the addon exports. Made by `npm run docs` from src/binding.

import type {
  Answer,
  CachedImage,
  CacheEntry,
  Data,
  FilePart,
  Head,
  InternalAnswer,
  Memo,
  OpenOptions,
  Render,
  Step,
  Tags,
  Target,
  Upgrade,
  VersionTraits,
} from './native-objects'

export * from './native-objects'

/**
 * Takes a request in: `method \0 target \0 name \0 value …`, and what the user's server has set on the response, if it has
 * (`src/request/set_before.rs`). Returns the number of a ready answer, [`ONCE`], or `-slot - 1`.
 */
export declare function begin(engine: number, head: string, encrypted: boolean): number

/** What a version of `next` does, under the names that `traits()` has. */
export declare function capabilitiesOf(version: string): Record<string, boolean>

/** Fails with `FERRONEXT_UNSUPPORTED_NEXT` for a version of `next` that ferronext does not know. */
export declare function checkVersion(version: string): VersionTraits

/** The apps of this thread are closed. Lines that still come go to stderr, unless another thread prints them. */
export declare function clearPrinter(): void

/** Encodes one body, chunk by chunk. Each chunk is flushed, so that what is written arrives. */
export declare class Encoder {
  /** An encoder for `coding`, as `planEncoding` names it. */
  constructor(coding: string)
  /** Encodes a chunk here and now. For small chunks. */
  push(chunk: Buffer, last: boolean): Buffer
  /** Encodes a chunk on another thread. */
  pushAsync(chunk: Buffer, last: boolean): Promise<Buffer>
}

/** Encodes all of a body here and now. For small bodies; `coding` as `planEncoding` names it. */
export declare function encodeWhole(coding: string, body: Buffer): Buffer

/** Bytes of a body that are not worth encoding. */
export declare const ENCODING_THRESHOLD: number

/** The engine of one build, as one app in one thread uses it. */
export declare class Engine {
  /** The key of this engine on this thread, for [`begin`]. */
  get key(): number
  /** From now on [`begin`] keeps the route of what it answers, for [`route`](Engine::route). */
  nameRoutes(): void
  /** The route of the request in `slot`; without one, of the request that [`begin`] answered last. */
  route(slot?: number | undefined | null): string
  /** The key with which the build signs the data of preview mode, `null` where it has none. */
  get previewSigningKey(): string | null
  /** How the page of a path is called past rules, files and middleware, `null` if there is no such page. */
  directPage(head: string): Render | null
  /** How the app's error page for `status` is called, in the default locale or in none, `null` if it has none that can be rendered. */
  directError(head: string, status: number, localised: boolean): Render | null
  /** How the entry of a page is called, by its name in the manifest, `null` if the build has none that can be rendered. */
  directEntry(head: string, page: string): Render | null
  /** Like [`begin`], for a request of the server itself, which goes past rules and middleware. */
  beginRevalidate(head: string): number
  /** What Node has to do next for the request in `slot`; the number of the call if it is to call an entry as it has done before. */
  step(slot: number): Step | number
  /** The call of an entry with this number. */
  call(id: number): Render
  /** Waits for what the request in `slot` needs from disk or from a compressor. */
  load(slot: number): Promise<void>
  /** Looks for files that were added to `public` or removed from it. */
  refreshPublic(): Promise<void>
  /** The next chunk of the body of the answer in `slot`, `null` at its end. */
  chunk(slot: number): Promise<Buffer | null>
  /**
   * The file whose part is the body of the answer in `slot`: from then on the descriptor is the caller's to close. `null` if the body
   * is no file, or files have no descriptors here; then `chunk` has it.
   */
  takeFile(slot: number): FilePart | null
  /**
   * The entry in `slot` has no page for its params: routing goes on after it, with the target that it has left on the
   * request, and with the headers of the client router or without. `namesPayload`: it took the path for that of a payload.
   */
  noFallback(slot: number, target: string, keepsFlight: boolean, namesPayload: boolean): void
  /** The render that lets the app's `_error` see the fault of the request in `slot`, `null` if it will be shown anyway. */
  reportFault(slot: number): Render | null
  /** The request in `slot` is to be answered with the app's error page for `status`; with `noStore` nobody may keep it. */
  errorPage(slot: number, status: number, noStore: boolean): void
  /** The request in `slot` has been answered. */
  free(slot: number): void
  /** The answer with this number. Fails if it is gone; the one that `begin` returned last never is. */
  answer(id: number): Answer
  /** Changes the prefix of asset URLs. */
  setAssetPrefix(prefix: string): void
  /** What JavaScript has to know about the build and its version of `next`, see `Traits` and `Capabilities`. */
  traits(): Record<string, boolean>
  /** The answer under the key of a compiled entry, from memory. `null` when memory holds none; it may be on disk. */
  cacheGet(key: string, kind: string): CacheEntry | null
  /** The answer under the key of a compiled entry, from disk. `null` when there is none. */
  cacheRead(key: string, kind: string, partial: boolean, fallback: boolean): Promise<CacheEntry | null>
  /** A compiled entry has stored an answer. The promise waits for the disk; memory has the answer at once. */
  cacheSet(key: string, entry: CacheEntry, partial: boolean, fallback: boolean): Promise<void>
  /**
   * The value of the data cache under `key`, from memory: `null` when memory holds none, `false` when there is one that
   * must not be used because of its tags. `known` is the version that the caller has parsed, 0 for none.
   */
  dataGet(key: string, tags: Array<string>, known: number): Data | false | null
  /** The value of the data cache under `key`, from disk, as [`Engine::data_get`] gives it. */
  dataRead(key: string, tags: Array<string>): Promise<Data | false | null>
  /** A compiled entry has stored a value in the data cache. The promise waits for the disk; memory has the value at once. */
  dataSet(key: string, json: Buffer): Promise<void>
  /** The internal request for the picture in `slot` has been answered; `null` when it failed. */
  imageFetched(slot: number, answer?: InternalAnswer | undefined | null): void
  /** What the app's cache handler has for the picture in `slot`. */
  imageKept(slot: number, picture?: CachedImage | undefined | null): void
  /** The app's cache handler has been given the picture in `slot`. */
  imageStored(slot: number): void
  /** The client of the request in `slot` has gone away. */
  imageCancel(slot: number): void
  /**
   * The middleware of the request in `slot` has answered with these headers, lower-case names and values in turn. `locale_added`
   * says whether the locale of a rewrite's target is not middleware's own. `peer` is the address of the client.
   */
  middlewareAnswered(
    slot: number,
    status: number,
    headers: Array<string>,
    localeAdded: boolean,
    peer?: string | undefined | null,
  ): void
  /** The middleware of the request in `slot` has failed: it gets the error page for `status`. */
  middlewareFailed(slot: number, status: number): void
  /** What becomes of a request to upgrade the connection: `method \0 target \0 name \0 value …`. */
  upgrade(head: string, encrypted: boolean): Upgrade
  /** What becomes of the request to upgrade in `slot`, after its middleware has answered. */
  upgraded(slot: number): Upgrade
  /** Sends the request in `slot` to another server. */
  exchange(slot: number, target: Target): Exchange
}

/** The `ETag` of a text. */
export declare function etagOfText(text: string): string

/** One request to another server. It runs until its answer has been read or it is cancelled. */
export declare class Exchange {
  /** Whether the request has a body that has to be handed over. */
  get hasBody(): boolean
  /** Hands over a chunk of the body and waits while the connection is behind. `false` when no more is wanted. */
  push(chunk: Buffer): Promise<boolean>
  /** The body is complete. */
  finish(): void
  /** Sends the request and waits for the head of the answer. */
  respond(): Promise<Head>
  /** The next chunk of the answer, `null` at its end. */
  chunk(): Promise<Buffer | null>
  /** Nobody waits for the answer any more. */
  cancel(): void
}

/** Whether lines of JavaScript's are asked for: `start` or `render`. */
export declare function isTraced(what: string): boolean

/** The result under `key`. */
export declare function memoGet(key: string): Memo | null

/** Makes room for `maxBytes` of results, unless somebody has done so before. */
export declare function memoOpen(maxBytes: number): void

/** Keeps a result under `key`. */
export declare function memoSet(key: string, memo: Memo): void

/** All metrics in the OpenMetrics text format. The sizes are those of this engine. */
export declare function metricsText(engine: Engine): string

/** Creates the app of a custom server. What the factory throws is thrown on as it is. */
export declare function next(options: unknown, factory?: (options: unknown) => unknown): unknown

/** Opens the build in `distDir`. Rejects with a coded error when it cannot be served. */
export declare function openEngine(options: OpenOptions): Promise<Engine>

/** For tests: a panic inside the addon. */
export declare function panicForTests(): void

/**
 * How a response is to be encoded: the new value of `Vary` (empty: leave it), and the coding (empty: none).
 *
 * `headers` are the response's own, names and values in turn: `content-type`, `content-length`, `content-encoding`,
 * `cache-control` and `vary` count. `length` is that of a body handed over whole, `-1` for a stream. `engine` knows the option
 * `preferEncodings`.
 */
export declare function planEncoding(
  acceptEncoding: string,
  head: boolean,
  length: number,
  headers: Array<string>,
  engine: number,
): Array<string>

/** Counts an entry for which a fast path is on or off, or takes it back when it is the other. */
export declare function recordFastPath(path: string, state: string, reason: string, delta: number): void

/** Counts a render of a compiled entry. */
export declare function recordRender(route: string, background: boolean, seconds: number): void

/** Counts a request that has been answered. `cache` is what `x-nextjs-cache` said, or empty. */
export declare function recordRequest(
  method: string,
  route: string,
  status: number,
  cache: string,
  seconds: number,
): void

/** Compiled entries have revalidated tags; with `stale` what carries them is only stale, until `expire` seconds are over. */
export declare function revalidateTags(tags: Array<string>, stale: boolean, expire?: number | undefined | null): void

/** Asks for more lines, in the notation of `RUST_LOG`: `debug`, or `ferronext::route=debug,ferronext::cache=debug`. */
export declare function setLogFilter(filter: string): void

/**
 * Registers the function that prints this thread's lines: `(method of console, text)`. There is one while an app of the
 * thread is open, so that a test runner finds nothing left over.
 */
export declare function setPrinter(print: (method: 'warn' | 'error', text: string) => void): void

/** The tags that have changed since `version`. */
export declare function tagsSince(version: number): Tags

/** A number that grows whenever a tag is revalidated in any thread. */
export declare function tagsVersion(): number

/**
 * The answer that [`begin`] has just made: `status \0 replaces \0 name \0 value … \0 body`, one text instead of an object, a list and a
 * buffer, which cost more than all that led to a redirect. An object if it is no such text.
 */
export declare function takeAnswer(engine: number): string | Answer

/** A line of JavaScript's, under the same filter as those of Rust. */
export declare function trace(what: string, text: string): void
