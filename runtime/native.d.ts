// The addon. Made by `npm run docs` from src/binding.

/** Bytes of a body that are not worth encoding. */
export declare const ENCODING_THRESHOLD: number

/** Encodes one body, chunk by chunk. Each chunk is flushed, so that what is written arrives. */
export declare class Encoder {
  /** An encoder for `coding`, as `planEncoding` names it. */
  constructor(coding: string)
  /** Encodes a chunk here and now. For small chunks. */
  push(chunk: Buffer, last: boolean): Buffer
  /** Encodes a chunk on another thread. */
  pushAsync(chunk: Buffer, last: boolean): Promise<Buffer>
}

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
  imageKept(slot: number, picture?: Picture | undefined | null): void
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

/** An answer on its way to Node for the first time. */
export interface Answer {
  /** The status. */
  status: number
  /** What it replaces of the status line that is there: `code`, `line`, or nothing. */
  replaces?: 'code' | 'line'
  /** Header names and values in turn. */
  headers: Array<string>
  /** The body, absent when empty. */
  body?: Buffer
}

/** An answer of a page or route handler, see `runtime/cache-handler.js`. */
export interface CacheEntry {
  /**
   * `APP_PAGE`, `APP_ROUTE`, `PAGES`, `REDIRECT`, or `NOT_FOUND` for a page that found nothing. `EXPIRED`, with nothing
   * else, when there is an answer that must not be used.
   */
  kind: string
  /** The status. */
  status?: number
  /** The headers as JSON, absent when the render had none. */
  headers?: string
  /** The document or body. */
  html?: Buffer
  /** The React payload. */
  rsc?: Buffer
  /** The data of a Pages Router page, or the props of a redirect, as JSON. */
  data?: Buffer
  /** The payloads of its segments. */
  segments?: Array<Segment>
  /** What a render per request goes on from. */
  postponed?: string
  /** Seconds until stale, `-1` for never; absent when nobody has said. */
  revalidate?: number
  /** Seconds until it must not be served. */
  expire?: number
  /** When it was rendered, in milliseconds since 1970. Not read. */
  madeMs: number
}

/** A value of the data cache. */
export interface Data {
  /** The value as JSON; absent when the caller has it already. */
  json?: string
  /** When it was made, in milliseconds since 1970. */
  madeMs: number
  /** Tells this value from every other. */
  version: number
}

/** A part of an open file. */
export interface FilePart {
  /** The file descriptor. */
  fd: number
  /** Where it begins, in bytes. */
  start: number
  /** How long it is, in bytes. */
  length: number
}

/** The head of another server's answer. */
export interface Head {
  /** The status. */
  status: number
  /** The reason phrase. */
  reason: string
  /** Header names and values in turn. */
  headers: Array<string>
}

/** The answer of an internal request. */
export interface InternalAnswer {
  /** The status. */
  status: number
  /** `Cache-Control`. */
  cacheControl?: string
  /** `ETag`. */
  etag?: string
  /** The body; absent when it is larger than is taken. */
  body?: Buffer
  /** Whether anything was written, if only an empty piece. */
  isWritten: boolean
}

/** A result, see [`Memo`]. */
export interface Memo {
  /** The result, serialised. */
  value: Buffer
  /** Its tags. */
  tags: Array<string>
  /** Seconds for which a client may use it. */
  stale: number
  /** When it was made, in milliseconds since 1970. */
  timestamp: number
  /** Seconds after which it must not be used. */
  expire: number
  /** Seconds after which it should be made anew. */
  revalidate: number
}

/** A picture as a cache handler knows it. */
export interface Picture {
  /** Its bytes. */
  buffer: Buffer
  /** Their tag. */
  etag: string
  /** The tag of its source. */
  upstreamEtag: string
  /** What it is. */
  extension: string
  /** Seconds that it is good. */
  revalidate?: number
  /** When it was kept, in milliseconds since 1970. */
  lastModified?: number
}

/** How a compiled entry is called. What is not the case is absent: each field costs as much as a small function call. */
export interface Render {
  /** The entry, relative to the build folder. */
  file: string
  /** What kind of entry it is. */
  routeKind: 'APP_PAGE' | 'APP_ROUTE' | 'PAGES' | 'PAGES_API'
  /** Whether it runs in the edge sandbox. */
  edge?: boolean
  /** The page as the manifests name it, for instance `/blog/[slug]/page`. */
  page: string
  /** The route, for instance `/blog/[slug]`. */
  pathname: string
  /** Params of a dynamic route. */
  params?: Record<string, string | string[]>
  /** The query after rewrites; absent when the entry works it out. */
  query?: Record<string, string | string[]>
  /** The query as it arrived, if it is another one. */
  initQuery?: Record<string, string | string[]>
  /** The target as it arrived, normalised: with basePath, locale and data form. */
  url: string
  /** The status to start from: that of an error page, or what middleware has set. */
  status?: number
  /** Response headers of the rules, names and values in turn. */
  headers: Array<string>
  /** Whether the request headers that arrived are gone, so that only `request_headers` are left. */
  replacesRequestHeaders?: boolean
  /** Request headers that changed, names and values in turn; a name that repeats has several values. */
  requestHeaders?: Array<string>
  /** The `Vary` of the route. */
  vary?: string
  /** Whether `next-url` cannot matter and must not reach the entry. */
  dropNextUrl?: boolean
  /** Whether an error page of another path is rendered. */
  isErrorPage?: boolean
  /** The locale of the request. */
  locale?: string
  /** The locale of paths without one. */
  defaultLocale?: string
  /** Whether the host has a default locale of its own. */
  isLocaleDomain?: boolean
  /** Whether a React payload is asked for. */
  isRsc?: boolean
  /** Whether the client router prefetches. */
  isPrefetchRsc?: boolean
  /** The segment it prefetches. */
  segmentPrefetch?: string
  /** Whether the request is for `_next/data`. */
  isDataRequest?: boolean
  /** The path after rewrites, when it differs. */
  rewrittenPathname?: string
}

/** A segment of a page. */
export interface Segment {
  /** Its path, for instance `/_tree`. */
  path: string
  /** Its payload. */
  data: Buffer
}

/** What Node has to do next, and what it needs for that. Header lists are names and values in turn. */
export type Step =
  | { kind: 'load' }
  | { kind: 'loadImage' }
  | {
      kind: 'answer'
      /** The status. */
      status: number
      /** What it replaces of the status line, see [`replaces`]. */
      replaces?: 'code' | 'line'
      /** The headers. */
      headers: Array<string>
      /** The body, absent when empty. */
      body?: Buffer
    }
  | {
      kind: 'stream'
      /** The status. */
      status: number
      /** What it replaces of the status line, see [`replaces`]. */
      replaces?: 'code' | 'line'
      /** The headers. */
      headers: Array<string>
    }
  | {
      kind: 'proxy'
      /** Its absolute URL there. */
      url: string
      /** The headers that stand on the answer whatever comes. */
      headers: Array<string>
    }
  | {
      kind: 'render'
      /** Which one, and how. */
      render: Render
    }
  | {
      kind: 'resume'
      /** The number of the answer to begin with, if it is sent often. */
      shellId?: number
      /** The answer to begin with, if not. */
      shell?: Answer
      /** What the entry goes on from. */
      postponed: string
      /** The entry. */
      render: Render
    }
  | {
      kind: 'revalidate'
      /** The slot of the render. */
      slot: number
      /** The URL of the page. */
      url: string
    }
  | {
      kind: 'imageInternal'
      /** The slot of that request. */
      slot: number
      /** Its method. */
      method: string
      /** Its target. */
      url: string
      /** Bytes of its answer that are taken. */
      limit: number
    }
  | {
      kind: 'imageGet'
      /** The name of the picture. */
      key: string
    }
  | {
      kind: 'imageSet'
      /** The name of the picture. */
      key: string
      /** The picture. */
      picture: Picture
    }
  | {
      kind: 'middleware'
      /** The absolute URL of its request. */
      url: string
      /** Whether the request headers that arrived are gone, so that only `request_headers` are left. */
      replacesRequestHeaders?: boolean
      /** Request headers that changed; a name that repeats has several values. */
      requestHeaders?: Array<string>
    }
  | {
      kind: 'middlewareResponse'
      /** The status. */
      status: number
      /** The headers. */
      headers: Array<string>
    }

/** What became of a tag, in milliseconds since 1970. */
export interface Tag {
  /** The tag. */
  tag: string
  /** Answers made before are stale. */
  stale?: number
  /** Answers made before are not served from this moment on. */
  expired?: number
}

/** The tags that have changed. */
export interface Tags {
  /** What became of them. */
  tags: Array<Tag>
  /** Ask with this the next time. */
  version: number
}

/** Where a request goes: the parts of a `URL`, and how its server is trusted. */
export interface Target {
  /** Whether the scheme is `https:`. */
  encrypted: boolean
  /** Host name or address. */
  hostname: string
  /** The port. */
  port: number
  /** Host, with the port unless it is the usual one. */
  host: string
  /** Path and search. */
  path: string
  /** Whether any certificate is good enough. */
  trustsAnyone: boolean
  /** A file with further certificate authorities. */
  extraCaCerts?: string
  /** Headers to send in the place of those that the request has: names and values in turn. */
  headers?: Array<string>
}

/** What becomes of a request to upgrade the connection. */
export interface Upgrade {
  /** Leave it to others, end it, run its middleware, or pass it on. */
  kind: 'leave' | 'end' | 'middleware' | 'proxy'
  /** `middleware`: where it waits. */
  slot: number
  /** `proxy`: where it goes. */
  url: string
  /** `proxy`: header names and values in turn, complete but for the host. */
  headers: Array<string>
}

/** Where the build is and how it was configured. */
export interface OpenOptions {
  /** Absolute path of the project. */
  dir: string
  /** Absolute path of the build folder. */
  distDir: string
  /** Version of the user's `next`. */
  nextVersion: string
  /** The evaluated `next.config` as JSON. */
  config: string
  /** The host name that the app believes it runs under. */
  hostname?: string
  /** The port that the app believes it runs under. */
  port?: number
  /** The rules of `conf` as JSON, in the form in which the build writes them. */
  rules?: string
  /** Whether the servers of pictures may have any certificate. */
  trustsAnyone: boolean
  /** A file with further certificate authorities. */
  extraCaCerts?: string
  /** The codings that are preferred to gzip. */
  preferEncodings?: Array<string>
}

/** What follows from a version of `next` before a build has been read. */
export interface VersionTraits {
  /** Whether a server that a signal ends has the exit code of that signal. */
  exitsWithSignal: boolean
  /** What is known to be dangerous about it, and the version that has it no more. */
  advisory?: string
}

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

/** Encodes all of a body here and now. For small bodies; `coding` as `planEncoding` names it. */
export declare function encodeWhole(coding: string, body: Buffer): Buffer

/** The `ETag` of a text. */
export declare function etagOfText(text: string): string

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
