import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { UrlWithParsedQuery } from 'node:url'

/**
 * Options of `next()`, the same as upstream's (`next/dist/server/next.js`).
 */
declare namespace next {
  interface NextServerOptions {
    /** The object of `next.config`. Upstream ignores it in a custom server in production; so does ferronext for now. */
    conf?: object
    /** Internal to upstream; a custom server leaves it out. Default `true`. */
    customServer?: boolean
    /** Runs upstream's development server instead. Default `false`. */
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
     * - absent or `true`: everybody's, as upstream does. Right where only a proxy can reach the server.
     * - `false`: nobody's; the socket and the `Host` header are asked instead.
     * - a list of addresses and ranges (`'10.0.0.0/8'`, `'fd00::/8'`) or of the names `'loopback'`, `'linklocal'` and
     *   `'uniquelocal'`: only what comes from one of them. `X-Forwarded-For` then begins with the first address that none of
     *   them has, the client's.
     */
    trustProxy?: boolean | string | string[]
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

  /** The result of `url.parse(req.url, true)`, or an edited one. */
  type ParsedUrl = Partial<UrlWithParsedQuery>

  /** Answers one request. Resolves when the answer is complete. */
  type RequestHandler = (req: IncomingMessage, res: ServerResponse, parsedUrl?: ParsedUrl | undefined) => Promise<void>

  /** Takes over an upgraded connection. */
  type UpgradeHandler = (req: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>

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
    /** Waits for work that outlives its response, for instance cache writes. Does not close the user's HTTP server. */
    close(): Promise<void>
    /** Answers with the app's 404 page. */
    render404(req: IncomingMessage, res: ServerResponse, parsedUrl?: ParsedUrl, setHeaders?: boolean): Promise<void>
    /** @deprecated by upstream; throws `FERRONEXT_NOT_IMPLEMENTED` in this version */
    render(...args: unknown[]): Promise<void>
    /** @deprecated by upstream; throws `FERRONEXT_NOT_IMPLEMENTED` in this version */
    renderToHTML(...args: unknown[]): Promise<string | null>
    /** @deprecated by upstream; throws `FERRONEXT_NOT_IMPLEMENTED` in this version */
    renderError(...args: unknown[]): Promise<void>
    /** @deprecated by upstream; throws `FERRONEXT_NOT_IMPLEMENTED` in this version */
    renderErrorToHTML(...args: unknown[]): Promise<string | null>
    /** @deprecated by upstream; throws `FERRONEXT_NOT_IMPLEMENTED` in this version */
    revalidate(...args: unknown[]): Promise<void>
    /** @deprecated by upstream; throws `FERRONEXT_NOT_IMPLEMENTED` in this version */
    setAssetPrefix(assetPrefix: string): void
    /** @deprecated by upstream */
    logError(error: unknown): void
    /** Development only. */
    logErrorWithOriginalStack(error: unknown, type?: string): void
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
