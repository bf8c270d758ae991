// In: the steps of an image that need JavaScript: a route handler, a page or middleware has to run for its source, or the app's own cache handler
// keeps images. Out: Rust has the result. Upstream: fetchInternalImage and ImageOptimizerCache of
// next/dist/server/image-optimizer.js.

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { collect, internalExchange } = require('../http/internal-request')
const { report } = require('../observe/report')
const { CONTINUE, runSteps } = require('./run')

/**
 * @typedef {import('../native').Step} Step
 * @typedef {Extract<Step, { kind: 'imageInternal' }>} InternalStep an internal request; this file frees its slot
 * @typedef {Extract<Step, { kind: 'imageGet' }>} GetStep
 * @typedef {Extract<Step, { kind: 'imageSet' }>} SetStep
 */

/**
 * @param {import('./run').Run} run of the request that waits for the image
 * @param {InternalStep | GetStep | SetStep} step
 */
async function imageStep({ server, slot }, step) {
  const { engine } = server
  switch (step.kind) {
    case 'imageInternal':
      engine.imageFetched(slot, await fetchInternal(server, step))
      break
    case 'imageGet':
      engine.imageKept(slot, await readCache(server, step))
      break
    case 'imageSet':
      await writeCache(server, step)
      engine.imageStored(slot)
  }
  return CONTINUE
}

/**
 * Carries out an internal request and collects its answer. It has no data of a client.
 * @param {import('../app/state').ServerState} server
 * @param {InternalStep} step
 */
async function fetchInternal(server, { slot, method, url, limit }) {
  try {
    const { req, res } = internalExchange(server.next, url, {}, method)
    const collected = collect(res, limit)
    await Promise.race([runSteps(server, req, res, slot).then(() => res.hasStreamed), collected.overflow])
    const header = (/** @type {string} */ name) => headerText(res.getHeader(name))
    return {
      status: res.statusCode,
      cacheControl: header('Cache-Control'),
      etag: header('ETag'),
      body: collected.isWhole() ? Buffer.concat(res.buffers) : undefined,
      isWritten: res.buffers.length > 0,
    }
  } catch (error) {
    server.logError(error)
    return null
  } finally {
    server.engine.free(slot)
  }
}

/** @param {any} value */
const headerText = value => (value === undefined ? undefined : [value].flat().join(', '))

/**
 * The image in the app's cache handler. If the handler fails there is none, as in upstream.
 * @param {import('../app/state').ServerState} server
 * @param {GetStep} step
 */
async function readCache(server, { key }) {
  try {
    const handler = await server.imageCacheHandler()
    const found = await handler.get(key, { kind: 'IMAGE', isFallback: false })
    const value = found?.value
    if (value?.kind !== 'IMAGE') return null
    return {
      buffer: Buffer.from(value.buffer),
      etag: String(value.etag),
      upstreamEtag: String(value.upstreamEtag),
      extension: String(value.extension),
      revalidate: typeof value.revalidate === 'number' ? value.revalidate : undefined,
      lastModified: found.lastModified || undefined,
    }
  } catch {
    return null
  }
}

/**
 * @param {import('../app/state').ServerState} server
 * @param {SetStep} step
 */
async function writeCache(server, { key, image }) {
  try {
    const handler = await server.imageCacheHandler()
    const { revalidate } = image
    const value = { kind: 'IMAGE', ...image }
    const kind = server.traits.reportsImageKind && { kind: 'IMAGE' }
    await handler.set(key, value, { ...kind, cacheControl: { revalidate, expire: undefined } })
  } catch (error) {
    report('error', `Failed to write image to custom cache ${key}`, error)
  }
}

/**
 * The app's own cache handler for images, created at the first call. Upstream: handleNextImageRequest of next-server.js.
 * @param {any} config
 * @param {string} distDir
 */
function imageCacheHandler(config, distDir) {
  /** @type {Promise<any> | undefined} */
  let made
  const make = async () => {
    const loaded = await import(pathToFileURL(path.resolve(distDir, config.cacheHandler)).href)
    const Handler = loaded.default?.default ?? loaded.default ?? loaded
    return new Handler({
      dev: false,
      flushToDisk: config.experimental.isrFlushToDisk,
      serverDistDir: path.join(distDir, 'server'),
      maxMemoryCacheSize: config.cacheMaxMemorySize,
      revalidatedTags: [],
      _requestHeaders: {},
    })
  }
  return () => {
    made ??= make()
    return made
  }
}

/**
 * Waits for the image in a slot. When the client disconnects, Rust cancels the work unless another request waits for it.
 * @param {import('../native').Engine} engine
 * @param {import('node:http').ServerResponse} res
 * @param {number} slot
 */
async function loadImage(engine, res, slot) {
  const cancel = () => engine.imageCancel(slot)
  res.on('close', cancel)
  try {
    if (res.destroyed) cancel()
    await engine.load(slot)
  } finally {
    res.off('close', cancel)
  }
}

module.exports = { imageCacheHandler, imageStep, loadImage }
