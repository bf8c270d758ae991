import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http'
import type { ParsedUrlQuery } from 'node:querystring'
import type { Duplex } from 'node:stream'
import type { UrlWithParsedQuery } from 'node:url'

/**
 * Options of `next()`, the same as those of Next.js (`next/dist/server/next.js`), and ferronext's own.
 */
declare namespace next {
  interface NextServerOptions {
    /**
     * The object of `next.config`, for what counts at run time: its `redirects`, `rewrites` and `headers` take the place of
     * the build's, and options that the server reads while it runs (`compress`, `generateEtags`, `poweredByHeader`,
     * `expireTime`, `httpAgentOptions` …) that of `next.config`. What the build has fixed must be as it was built. Next.js
     * ignores `conf` in production.
     */
    conf?: object
    /** Internal to Next.js; a custom server leaves it out. Default `true`. */
    customServer?: boolean
    /** Next.js's compiler and development server, with `conf` and `trustProxy` as in production. Default `false`. */
    dev?: boolean
    /** Folder of the Next.js project. Default `'.'`. */
    dir?: string
    /** Hides the log lines of failed requests. Default `false`. */
    quiet?: boolean
    /** Host name that the app believes it runs under; it does not bind. Default `localhost`. */
    hostname?: string
    /** Port that the app believes it runs under; it does not bind. Default `3000`. */
    port?: number
    /**
     * Whose `X-Forwarded-*` headers are believed. They decide the protocol of the URLs that middleware and handlers see, the
     * host that the `Origin` of a server action is compared with, and the address of the client.
     *
     * - absent or `true`: those of every client, as in Next.js. Right where only a proxy can reach the server.
     * - `false`: none; the socket and the `Host` header are asked instead.
     * - a list of addresses and ranges (`'10.0.0.0/8'`, `'fd00::/8'`) or of the names `'loopback'`, `'linklocal'` and
     *   `'uniquelocal'`: only what comes from one of them. `X-Forwarded-For` then begins with the first address that none of
     *   them has, the client's.
     * - `{ from, origin: true }`: `from` is one of these, and the headers also give the origin of the request: of `request.url` and
     *   `nextUrl`, of redirects, for rules and domains that look at the host, and for the check of server actions. Production only.
     */
    trustProxy?: boolean | string | string[] | { from: boolean | string | string[]; origin?: boolean }
    /**
     * One line for each request that has been answered: `true` or `'text'`, `'json'`, or a function that gets the facts.
     * Production only: the development server logs by itself. Default: none.
     */
    accessLog?: boolean | 'text' | 'json' | ((entry: AccessLogEntry) => void)
    /**
     * Counts requests, renders, fast paths and the memory of the caches for `app.metrics()`; a path also answers with them.
     * Production only. Default `false`.
     */
    metrics?: boolean | string
    /**
     * Answers `/livez` while the process does, and `/readyz` from the end of `prepare()` to the call of `close()`; before,
     * after, and until `register()` of the app's instrumentation has ended well it says 503. An object names other paths. Default
     * `false`.
     */
    health?: boolean | { live?: string; ready?: string }
    /**
     * What a client gets that prefers brotli or zstd no more than gzip, as all browsers do: the first of these that it takes.
     * Default `[]`, which is gzip, as from Next.js. A client that does not take gzip, or wants it less, gets brotli or zstd in
     * any case. Production only.
     */
    preferEncodings?: ('br' | 'zstd')[]
    /**
     * Whether files that are added to `public` while the server runs are served, a second later at most. By default only those
     * that were there at its start are, as in Next.js. Production only.
     */
    watchPublic?: boolean
    /** The server whose `upgrade` events belong to Next.js. Default: the server of the first request. */
    httpServer?: Server
    /** Development only: use Turbopack. */
    turbo?: boolean
    /** Development only: use Turbopack, the default since 16. */
    turbopack?: boolean
    /** Development only: use webpack. */
    webpack?: boolean
    /** @internal */
    minimalMode?: boolean
  }

  /** What `accessLog` receives for a request once its answer is complete or its client has gone. */
  interface AccessLogEntry {
    time: Date
    remoteAddress: string | undefined
    method: string
    /** As it arrived. */
    url: string
    httpVersion: string
    status: number
    /** Whether the whole answer was sent. */
    complete: boolean
    /** Of the body, where its length was known. */
    bytes: number | undefined
    ms: number
    /** A page as the app has it, `/blog/[slug]`, or what kind of answer it was, `(public)`. */
    route: string
    /** `HIT`, `STALE`, `MISS` … as in `x-nextjs-cache`. */
    cache: string | undefined
    referrer: string | undefined
    userAgent: string | undefined
  }

  /** The result of `url.parse(req.url, true)`, or an edited one. */
  type ParsedUrl = Omit<UrlWithParsedQuery, 'auth' | 'host' | 'path'> &
    Partial<Pick<UrlWithParsedQuery, 'auth' | 'host' | 'path'>>

  /** Answers one request. Resolves when the answer is complete. */
  type RequestHandler = (req: IncomingMessage, res: ServerResponse, parsedUrl?: ParsedUrl | undefined) => Promise<void>

  /** Takes over an upgraded connection. */
  type UpgradeHandler = (req: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>

  /** What `app.revalidate()` takes: the request that `res.revalidate()` of an API route makes. */
  interface RevalidateRequest {
    urlPath: string
    /** With the secret of the build. Called `revalidateHeaders` before 16.1. */
    headers?: IncomingHttpHeaders
    revalidateHeaders?: IncomingHttpHeaders
    opts: { unstable_onlyGenerated?: boolean }
  }

  /** What `next()` returns. */
  interface NextServer {
    readonly options: NextServerOptions
    readonly hostname: string | undefined
    readonly port: number | undefined
    /**
     * Reads the build and compiles its routes. Idempotent.
     * @throws an `Error` whose `code` starts with `FERRONEXT_` when the build cannot be served
     */
    prepare(): Promise<void>
    /** The function to pass `req` and `res` to. It throws before `prepare()` is through. */
    getRequestHandler(): RequestHandler
    getUpgradeHandler(): UpgradeHandler
    /**
     * Whether requests are answered: from the end of `prepare()` to the call of `close()`, once the app's
     * instrumentation has started. The app of Next.js has no such property.
     */
    readonly isReady?: boolean
    /** What the option `metrics` has counted, in the OpenMetrics text format that Prometheus reads. Production only. */
    metrics?(): string
    /**
     * Waits for requests that need more than memory, at most `timeout` milliseconds (default 10,000), and for work that
     * outlives its response, for instance background renders and cache writes. Ends web sockets that rewrites have led to
     * other servers. Does not close the user's HTTP server. In development it ends the compiler and all its watchers.
     */
    close(options?: { timeout?: number }): Promise<void>
    /**
     * Answers as if the request had asked for `pathname` and `query`; rules and files count.
     * @deprecated by Next.js: pass the handler a URL of your own instead
     */
    render(
      req: IncomingMessage,
      res: ServerResponse,
      pathname: string,
      query?: ParsedUrlQuery,
      parsedUrl?: ParsedUrl,
    ): Promise<void>
    /**
     * The text of a page, rendered past rules and files. With Next.js 16.4 the headers and the status of the page are on `res`
     * and nothing is sent; with older versions a page with code answers the request itself and `null` comes back.
     * @deprecated by Next.js
     */
    renderToHTML(
      req: IncomingMessage,
      res: ServerResponse,
      pathname: string,
      query?: ParsedUrlQuery,
    ): Promise<string | null>
    /**
     * Answers with the app's error page for `res.statusCode`, which must not be kept unless `setHeaders` is `false`.
     * @deprecated by Next.js
     */
    renderError(
      error: Error | null,
      req: IncomingMessage,
      res: ServerResponse,
      pathname: string,
      query?: ParsedUrlQuery,
      setHeaders?: boolean,
    ): Promise<void>
    /**
     * The text of the error page for `res.statusCode` where it has no code; an error page with code answers the request.
     * @deprecated by Next.js
     */
    renderErrorToHTML(
      error: Error | null,
      req: IncomingMessage,
      res: ServerResponse,
      pathname: string,
      query?: ParsedUrlQuery,
    ): Promise<string | null>
    /**
     * Answers with the app's 404 page.
     * @deprecated by Next.js
     */
    render404(req: IncomingMessage, res: ServerResponse, parsedUrl?: ParsedUrl, setHeaders?: boolean): Promise<void>
    /**
     * Renders a prerendered page again and stores it.
     * @deprecated by Next.js
     */
    revalidate(request: RevalidateRequest): Promise<void>
    /**
     * Changes the prefix of asset URLs from now on. Pages that are prerendered already keep theirs.
     * @deprecated by Next.js: set `assetPrefix` in next.config instead
     */
    setAssetPrefix(assetPrefix: string): void
    /** @deprecated by Next.js */
    logError(error: Error): void
    /**
     * Development only; rejects in production.
     * @deprecated by Next.js
     */
    logErrorWithOriginalStack(error: unknown, type?: string): Promise<void> | void
  }
}

/**
 * Creates the app of a custom server.
 * @throws {Error} when options are missing or ask for both bundlers
 */
declare function next(options: next.NextServerOptions): next.NextServer

declare namespace next {
  export { next as default }
}

export = next
