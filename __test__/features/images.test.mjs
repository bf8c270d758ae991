// Pictures over time and for many at once: the cache that both servers share, one piece of work for all who wait, clients that go
// away, sources that vary by who asks, and what a hostile source may cost.

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { comparePictures, pictureOf, sharpOf, similarity } from '../conformance/pictures.mjs'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { openConnection, sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { startTarget } from '../support/target.mjs'
import { until } from '../support/until.mjs'

const source = fileURLToPath(new URL('../fixtures/images', import.meta.url))
const WEBP = { Accept: 'image/webp,*/*' }
const CLIENTS = 100

/** @param {string} url @param {number} [w] @param {number} [q] */
const target = (url, w = 64, q = 75) => `/_next/image?url=${encodeURIComponent(url)}&w=${w}&q=${q}`

/** @param {import('../support/raw.mjs').RawResponse} response @param {string} name */
const header = ({ headers }, name) => headers.find(([key]) => key.toLowerCase() === name)?.[1]

/** @param {import('../support/raw.mjs').RawResponse} response */
const cache = response => header(response, 'x-nextjs-cache')

/** @type {string} */
let built
/** @type {string[]} */
const apps = []
/** @type {Awaited<ReturnType<typeof startServer>>[]} */
const servers = []
/** @type {Awaited<ReturnType<typeof startTarget>>} */
let other

beforeAll(async () => {
  built = (await buildFixture({ line: '16.4', source })).dir
  other = await startTarget()
})

afterAll(async () => {
  await Promise.all(servers.map(server => server.stop()))
  await other?.close()
  await Promise.all(apps.map(removeApp))
})

/** @param {string} name */
async function copy(name) {
  const dir = await copyApp(built, `images-${name}`)
  apps.push(dir)
  return dir
}

/** @param {string} dir @param {import('../support/server.mjs').Engine} engine @param {string} [variant] */
async function serve(dir, engine, variant = '') {
  const server = await startServer({ dir, engine, env: { IMAGES: variant } })
  servers.push(server)
  const ask = (/** @type {string} */ path, /** @type {Record<string, string>} */ headers = WEBP) =>
    sendRaw({ port: server.port, target: path, headers })
  return { ...server, ask }
}

/** @param {string} dir */
const cacheFolder = dir => path.join(dir, '.next/cache/images')

/** @param {string} dir */
const files = dir =>
  readdirSync(cacheFolder(dir)).flatMap(key =>
    readdirSync(path.join(cacheFolder(dir), key)).map(name => ({ key, name })),
  )

describe('the cache on disk', () => {
  it('is shared with upstream, in turns', async () => {
    const dir = await copy('shared')
    const upstream = await serve(dir, 'upstream')
    const theirs = await upstream.ask(target('/img/photo.jpg'))
    expect(cache(theirs)).toBe('MISS')
    await until(() => readdirSync(path.join(dir, '.next/cache')).includes('images') && files(dir).length === 1)
    await upstream.stop()

    const first = await serve(dir, 'ferronext')
    const same = await first.ask(target('/img/photo.jpg'))
    expect([cache(same), header(same, 'etag'), same.decoded.equals(theirs.decoded)]).toEqual([
      'HIT',
      header(theirs, 'etag'),
      true,
    ])
    expect(header(same, 'cache-control')).toBe(header(theirs, 'cache-control'))
    const ours = await first.ask(target('/img/drawing.png', 320))
    expect(cache(ours)).toBe('MISS')
    const passed = await first.ask(target('/img/icon.ico'))
    expect(cache(passed)).toBe('MISS')
    await first.stop()
    expect(files(dir).length).toBe(3)
    for (const { name } of files(dir))
      expect(name).toMatch(/^60\.\d{13}\.[\w-]{43}\.[\w-]+\.(webp|ico)$|^60\.\d{13}\.[\w-]+\.[\w-]+\.ico$/)

    const second = await serve(dir, 'upstream')
    for (const [path, made] of /** @type {const} */ ([
      [target('/img/drawing.png', 320), ours],
      [target('/img/icon.ico'), passed],
    ])) {
      const again = await second.ask(path)
      expect([cache(again), header(again, 'etag'), again.decoded.equals(made.decoded)]).toEqual([
        'HIT',
        header(made, 'etag'),
        true,
      ])
    }
    await second.stop()
  })

  it('stays under its limit whatever is asked for (CVE-2026-27980)', async () => {
    const dir = await copy('small')
    const server = await serve(dir, 'ferronext', 'small')
    const names = [
      'photo.jpg',
      'progressive.jpg',
      'p3.jpg',
      'grey.jpg',
      'drawing.png',
      'photo.webp',
      'photo.avif',
      'inks.jpg',
    ]
    for (const accept of ['image/webp', 'image/avif', '*/*']) {
      for (const width of [64, 320, 640]) {
        for (const name of names) {
          const response = await server.ask(target(`/img/${name}`, width), { Accept: accept })
          expect(response.status).toBe(200)
          const sizes = files(dir).map(({ key, name }) => statSync(path.join(cacheFolder(dir), key, name)).size)
          expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(60_000)
        }
      }
    }
    expect(readdirSync(path.join(dir, '.next/cache/images-unfinished'))).toEqual([])
    await server.stop()
  })

  it('is read past what is broken in it', async () => {
    const dir = await copy('broken')
    const server = await serve(dir, 'ferronext')
    const made = await server.ask(target('/img/tiny.png'))
    await server.stop()
    const [{ key, name }] = /** @type {[{ key: string, name: string }]} */ (files(dir))
    writeFileSync(path.join(cacheFolder(dir), key, name), '')
    mkdirSync(path.join(cacheFolder(dir), 'odd'))
    writeFileSync(path.join(cacheFolder(dir), 'odd/readme.txt'), 'not a picture')
    const again = await serve(dir, 'ferronext')
    const second = await again.ask(target('/img/tiny.png'))
    expect([cache(second), second.decoded.equals(made.decoded)]).toEqual(['MISS', true])
    await again.stop()
  })
})

describe('a disk that takes no images', () => {
  it('is reported once, and images are kept in memory', async () => {
    const dir = await copy('unwritable')
    // Also who may write everything cannot create a file below a file.
    mkdirSync(path.join(dir, '.next/cache'), { recursive: true })
    writeFileSync(path.join(dir, '.next/cache/images-unfinished'), '')
    const server = await serve(dir, 'ferronext')
    for (const url of ['/img/photo.jpg', '/img/drawing.png']) {
      const made = await server.ask(target(url))
      const kept = await server.ask(target(url))
      expect([cache(made), cache(kept)]).toEqual(['MISS', 'HIT'])
      expect(kept.decoded.equals(made.decoded)).toBe(true)
    }
    const told = server.output().match(/^.*takes no images.*$/gm)
    expect(told).toEqual([expect.stringContaining('They are kept in memory only, 64 MB of them.')])
    await server.stop()
  })
})

describe('one piece of work', () => {
  it('makes one image for a hundred concurrent requests', async () => {
    const dir = await copy('together')
    const server = await serve(dir, 'ferronext', 'local')
    const url = target(`http://127.0.0.1:${other.port}/picture/together.png`)
    const before = other.seen.length
    const all = await Promise.all(Array.from({ length: CLIENTS }, () => server.ask(url)))
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(all.map(response => header(response, 'etag'))).size).toBe(1)
    expect(other.seen.length - before).toBe(1)

    const handled = await Promise.all(
      Array.from({ length: CLIENTS }, () => server.ask(target('/api/picture?together'))),
    )
    expect(new Set(handled.map(response => `${response.status} ${header(response, 'etag')}`)).size).toBe(1)
    expect(server.output().match(/picture asked/g)).toHaveLength(1)
    await server.stop()
  })

  it('ends when the last one who waits goes away, and not before', async () => {
    const dir = await copy('cancelled')
    const server = await serve(dir, 'ferronext', 'local')
    const hanging = target(`http://127.0.0.1:${other.port}/picture/hang`)
    const open = async () => {
      const connection = await openConnection({ port: server.port })
      connection.write(Buffer.from(`GET ${hanging} HTTP/1.1\r\nHost: x\r\nAccept: image/webp\r\n\r\n`))
      return connection
    }
    const before = other.sockets()
    const connections = await Promise.all(Array.from({ length: 20 }, open))
    await until(() => other.sockets() === before + 1)
    for (const connection of connections.slice(1)) connection.close()
    // One is left, and the source is still asked. Others are served meanwhile.
    expect((await server.ask(target('/img/tiny.png'))).status).toBe(200)
    expect(other.sockets()).toBe(before + 1)
    connections[0]?.close()
    await until(() => other.sockets() === before)
    await server.stop()
  })

  it('leaves the server answering while images are made', async () => {
    const dir = await copy('busy')
    const server = await serve(dir, 'ferronext')
    let pending = true
    const pictures = Promise.all(
      ['photo.jpg', 'progressive.jpg', 'p3.jpg', 'grey.jpg'].flatMap(name =>
        [16, 64, 320].map(width => server.ask(target(`/img/${name}`, width), { Accept: 'image/avif,image/webp' })),
      ),
    ).finally(() => {
      pending = false
    })
    let pages = 0
    while (pending) {
      expect((await server.ask('/')).status).toBe(200)
      pages++
    }
    for (const { status } of await pictures) expect(status).toBe(200)
    expect(pages).toBeGreaterThan(10)
    await server.stop()
  })
})

describe('an image that goes stale', () => {
  it('is answered at once and made again once', async () => {
    const dir = await copy('stale')
    const server = await serve(dir, 'ferronext', 'brief')
    const url = target(`http://127.0.0.1:${other.port}/picture/stale.png`)
    expect(cache(await server.ask(url))).toBe('MISS')
    expect(cache(await server.ask(url))).toBe('HIT')
    const before = other.seen.length
    await until(async () => cache(await server.ask(url)) === 'STALE')
    const stale = await Promise.all(Array.from({ length: CLIENTS }, () => server.ask(url)))
    for (const response of stale) expect(response.status).toBe(200)
    await until(() => other.seen.length > before)
    await until(async () => cache(await server.ask(url)) === 'HIT')
    expect(other.seen.length - before).toBe(1)
    await server.stop()
  })

  it('stays when its source fails', async () => {
    const dir = await copy('failing')
    const server = await serve(dir, 'ferronext', 'brief')
    const moving = path.join(dir, 'public/img/moving-source.png')
    writeFileSync(moving, readFileSync(path.join(dir, 'public/img/tiny.png')))
    await server.stop()
    const again = await serve(dir, 'ferronext', 'brief')
    const url = target('/img/moving-source.png')
    const made = await again.ask(url)
    expect(cache(made)).toBe('MISS')
    rmSync(moving)
    await until(async () => cache(await again.ask(url)) === 'STALE')
    expect(await again.printed(/cannot be made again/)).toBe(true)
    const kept = await again.ask(url)
    expect([kept.status, kept.decoded.equals(made.decoded), header(kept, 'cache-control')]).toEqual([
      200,
      true,
      'public, max-age=3, must-revalidate',
    ])
    await again.stop()
  })
})

describe('a source', () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server
  beforeAll(async () => {
    server = await serve(await copy('sources'), 'ferronext')
  })

  it('that varies by cookie is never shared between users (CVE-2025-57752)', async () => {
    const secret = { ...WEBP, Cookie: 'session=secret', Authorization: 'Bearer secret' }
    const first = await server.ask(target('/api/picture'), secret)
    const second = await server.ask(target('/api/picture'), WEBP)
    expect(first.decoded.equals(second.decoded)).toBe(true)
    expect(server.output()).toMatch(/picture asked by GET cookie=null agent=null/)
    expect(server.output()).not.toMatch(/secret/)
    const sharp = sharpOf(built)
    const anybody = readFileSync(path.join(source, 'public/img/gradient.png'))
    const small = await sharp(anybody).resize(64).webp({ quality: 75 }).toBuffer()
    const { expected, actual } = await comparePictures(sharp, small, first.decoded)
    expect(actual).toBe(expected)
  })

  it('that answers another method is not shared', async () => {
    const post = await sendRaw({
      port: server.port,
      method: 'POST',
      target: target('/api/picture?post', 16),
      headers: WEBP,
    })
    expect([post.status, cache(post)]).toEqual([200, 'MISS'])
    const get = await server.ask(target('/api/picture?post', 16))
    expect([get.status, cache(get)]).toEqual([200, 'MISS'])
    expect(get.decoded.equals(post.decoded)).toBe(false)
  })

  it.each(['/img/large.bmp', '/api/answers/large', '/api/answers/endless'])(
    'that is too large is refused: %s',
    async url => {
      const response = await server.ask(target(url))
      expect([response.status, response.decoded.toString()]).toEqual([
        413,
        '"url" parameter is valid but internal response is invalid',
      ])
    },
  )

  it('that leads back to itself is refused', async () => {
    const response = await server.ask(target('/api/circle'))
    expect(response.status).toBe(400)
  })

  it('whose sides are huge costs neither time nor memory (CVE-2024-47831, CVE-2025-59471, CVE-2026-44577)', async () => {
    const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) / 1024
    const before = memory()
    for (const name of ['bomb.png', 'bomb.jpg', 'wide.png']) {
      const response = await server.ask(target(`/img/${name}`, 16))
      // As under upstream: what cannot be made is sent as it is.
      expect(response.status).toBe(200)
      expect(response.decoded.length).toBeLessThan(40_000)
    }
    expect(memory() - before).toBeLessThan(100)
  })

  it.each([
    ['/img/a%0d%0aSet-Cookie:%20x=1.png', 400],
    ['/img/tiny.png;filename=evil.html', 400],
    ['/img/"evil.html".png', 400],
  ])('with a hostile name stays a name (CVE-2025-55173): %s', async url => {
    const response = await server.ask(target(url))
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(header(response, 'set-cookie')).toBeUndefined()
  })

  it('is attached under the type of what is sent, whatever it says it is (CVE-2025-55173)', async () => {
    const response = await server.ask(target('/api/answers/odd-type.html', 64), { Accept: '*/*' })
    expect([header(response, 'content-type'), header(response, 'content-disposition')]).toEqual([
      'image/png',
      'attachment; filename="odd-type.png"',
    ])
    expect(header(response, 'content-security-policy')).toBe("script-src 'none'; frame-src 'none'; sandbox;")
  })

  it('on a private address is refused, however it is written (CVE-2026-94483)', async () => {
    const before = other.seen.length
    for (const host of ['127.0.0.1', 'localhost', '127.1', '[::1]']) {
      const response = await server.ask(target(`http://${host}:${other.port}/picture/tiny.png`))
      expect([response.status, response.decoded.toString()]).toEqual([400, '"url" parameter is not allowed'])
    }
    expect(other.seen.length).toBe(before)
  })
})

describe('hostile images', () => {
  it('of SVG are sent as they are where they are allowed, and never rasterised (CVE-2026-64644, CVE-2026-96889)', async () => {
    const server = await serve(await copy('open'), 'ferronext', 'open')
    const svg = readFileSync(path.join(source, 'public/img/scripted.svg'))
    const response = await server.ask(target('/img/scripted.svg'))
    expect(response.decoded.equals(svg)).toBe(true)
    expect(header(response, 'content-security-policy')).toBe("default-src 'self'; sandbox;")
    await server.stop()
  })

  it('of AVIF are read by a decoder in Rust alone (GHSA-2xp9-vwfh-vxw4)', async () => {
    const dir = await copy('avif')
    const whole = readFileSync(path.join(source, 'public/img/photo.avif'))
    for (let index = 0; index < 8; index++) {
      const broken = Buffer.from(whole)
      for (let at = 40 + index * 13; at < broken.length; at += 97) broken[at] = (broken[at] ?? 0) ^ 0x5a
      writeFileSync(path.join(dir, `public/img/broken-${index}.avif`), broken)
    }
    const server = await serve(dir, 'ferronext')
    for (let index = 0; index < 8; index++) {
      const response = await server.ask(target(`/img/broken-${index}.avif`))
      expect([200, 400]).toContain(response.status)
    }
    expect((await server.ask(target('/img/photo.avif'))).status).toBe(200)
    await server.stop()
  })
})

describe('what differs from upstream on purpose', () => {
  it('is a TIFF without loss, and a small palette that looks the same', async () => {
    const sharp = sharpOf(built)
    const server = await serve(await copy('differences'), 'ferronext')
    const tiff = await server.ask(target('/img/photo.tiff', 320), { Accept: '*/*' })
    const own = await sharp(path.join(source, 'public/img/photo.tiff')).removeAlpha().raw().toBuffer()
    expect((await sharp(tiff.decoded).removeAlpha().raw().toBuffer()).equals(own)).toBe(true)
    for (const accept of ['*/*', 'image/avif']) {
      const drawing = await server.ask(target('/img/grey-alpha.png', 320), { Accept: accept })
      const small = await sharp(path.join(source, 'public/img/grey-alpha.png')).resize(320).png().toBuffer()
      const [made, wanted] = await Promise.all([pictureOf(sharp, drawing.decoded), pictureOf(sharp, small)])
      if (!made || !wanted) throw new Error('no picture')
      expect(similarity(wanted, made)).toBeGreaterThan(0.98)
    }
    await server.stop()
  })

  it('is a HEAD that is answered as the GET would be', async () => {
    const server = await serve(await copy('head'), 'ferronext')
    const head = await sendRaw({ port: server.port, method: 'HEAD', target: target('/img/tiny.png'), headers: WEBP })
    const get = await server.ask(target('/img/tiny.png'))
    expect([head.status, header(head, 'etag'), cache(head), cache(get)]).toEqual([
      200,
      header(get, 'etag'),
      'MISS',
      'HIT',
    ])
    await server.stop()
  })

  it('is a text for a source with too many codings', async () => {
    const server = await serve(await copy('codings'), 'ferronext', 'local')
    const response = await server.ask(target(`http://127.0.0.1:${other.port}/picture/six-codings.png`))
    expect([response.status, response.decoded.toString()]).toEqual([
      400,
      '"url" parameter is valid but upstream response is invalid',
    ])
    await server.stop()
  })
})
