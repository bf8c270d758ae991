// Objects that cross between Rust and JavaScript. Made by `npm run docs` from src/binding.

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

/** An image as a cache handler knows it. */
export interface CachedImage {
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

/** An answer of a page or route handler, see `runtime/cache/cache-handler.js`. */
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
  /** Seconds until stale, `-1` for never; absent when unknown. */
  revalidate?: number
  /** Seconds until it must not be served. */
  expire?: number
  /** When it was rendered, in milliseconds since 1970. Not read. */
  createdAtMs: number
}

/** Texts and lists that both sides use. */
export interface Constants {
  /** Request headers that only the server itself may set, in lower case. */
  internalHeaders: Array<string>
  /** Cookies of draft mode and preview mode. */
  previewCookies: Array<string>
  /** `Cache-Control` of answers that must not be kept. */
  noStore: string
  /** The header in which an entry finds the cookies that middleware set. */
  middlewareCookiesHeader: string
  /** Headers of which a route handler adds values to those that are there. */
  repeatedHeaders: Array<string>
  /** The body of a fault for which there is no page. */
  internalServerError: string
}

/** A value of the data cache. */
export interface Data {
  /** The value as JSON; absent when the caller has it already. */
  json?: string
  /** When it was made, in milliseconds since 1970. */
  createdAtMs: number
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
  /** Seconds after which it should be made again. */
  revalidate: number
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
  /** Whether the servers of images may have any certificate. */
  trustsAnyone: boolean
  /** A file with further certificate authorities. */
  extraCaCerts?: string
  /** The codings that are preferred to gzip. */
  preferEncodings?: Array<string>
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
      /** The key of the image. */
      key: string
    }
  | {
      kind: 'imageSet'
      /** The key of the image. */
      key: string
      /** The image. */
      image: CachedImage
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

/** What follows from a version of `next` before a build has been read. */
export interface VersionTraits {
  /** Whether a server that a signal ends has the exit code of that signal. */
  exitsWithSignal: boolean
  /** What is known to be dangerous about it, and the version that has it no more. */
  advisory?: string
}
