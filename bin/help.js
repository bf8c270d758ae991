// What `ferronext --help` says.

const HELP = `Usage: ferronext <command> [options]

  ferronext dev [server file | folder]     runs a server file, or the app itself, in development
  ferronext start [server file | folder]   the same in production, after \`next build\`
  ferronext standalone <server file>       one folder that runs with \`node server.js\`, after \`next build\`
  ferronext build-addon                    builds the addon from source, where there is none for the platform
  ferronext info [folder]                  what is installed here and whether it fits together
  ferronext help [command]                 the options of a command

  -h, --help       this text; \`ferronext <command> --help\` shows the options of a command
  -v, --version    the version of ferronext`

const SERVER = `
A server file is run as \`node --import ferronext/register <server file>\` would run it, TypeScript included. What stands
after -- is passed to it. Without one, the app in the folder (default: this one) is served.

  -p, --port <port>              default: PORT, then 3000
  -H, --hostname <hostname>      default: HOSTNAME where it is an address, then every address of this machine
      --typescript <by>          node, tsx or ts-node; default: Node's own type stripping, else what the project has`

const OBSERVED = `
      --access-log [text|json]   one line for each request on standard output
      --metrics <path>           answers <path> with Prometheus metrics
      --health                   answers /livez and /readyz`

const TRUST = `
      --trust-proxy <addresses>  whose X-Forwarded-* headers are believed: true, false, or addresses, ranges and names such
                                 as loopback, with commas between them
      --trust-origin             these headers give the origin of request.url and of redirects, too`

const INSPECT = `
      --inspect [[host:]port]    opens Node's debugger, default 127.0.0.1:9229
      --experimental-cpu-prof    writes a CPU profile into .next-profiles when the process ends
      --experimental-next-config-strip-types
                                 next.config.ts is read by Node's own type stripping`

const DEV = `Usage: ferronext dev [server file | folder] [options] [-- arguments of the server file]
${SERVER}
      --turbopack, --turbo       compile with Turbopack
      --webpack                  compile with webpack

The server restarts when a file that it has loaded, or next.config, changes.`

const START = `Usage: ferronext start [server file | folder] [options] [-- arguments of the server file]
${SERVER}
      --keepAliveTimeout <ms>    how long an idle connection is kept
      --shutdown-timeout <ms>    how long SIGTERM and SIGINT wait for requests, default 25000${OBSERVED}${TRUST}${INSPECT}`

const INFO = `Usage: ferronext info [folder]

Says which versions of ferronext, Node.js and Next.js are in use in a folder (default: this one), and whether they fit together.
The exit code is 1 if they do not.`

const STANDALONE = `Usage: ferronext standalone <server file> [options]

Collects the server file, the app and what both of them load in one folder, which runs with \`node server.js\`. After \`next build\`.

      --dir <folder>             the app, default: this folder
  -o, --out <folder>             default: ferronext in the build folder`

const BUILD_ADDON = `Usage: ferronext build-addon

Builds the addon from source with cargo, where there is none for the platform.`

/** @param {string} command */
const helpOf = command =>
  /** @type {Record<string, string>} */ ({
    dev: DEV,
    start: START,
    info: INFO,
    standalone: STANDALONE,
    'build-addon': BUILD_ADDON,
  })[command] ?? HELP

module.exports = { HELP, helpOf }
