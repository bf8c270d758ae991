// Compares two pictures as an eye would: two encoders never write the same bytes. In: the bodies of two answers that say they are
// pictures. Out: what differs beyond what nobody sees: format, sides, size of the file, structure.

import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import path from 'node:path'

/** @typedef {import('./compare.mjs').Answer} Answer */

/** How alike two pictures have to be (SSIM; 1 is the same). */
const MIN_SSIM = 0.97

/** How far the sizes of the files may be apart. */
const MAX_SIZE = 0.15

/** Files below this many bytes fit into one packet, and an AVIF of them is headers by a third: a share says little. */
const SMALL_FILE = 1280

/** Side of the squares that are compared. */
const WINDOW = 8

/** Where a PNG says how its pixels are stored, and the value for a palette (PNG 1.2, 4.1.1). */
const PNG_COLOUR_TYPE = 25
const PNG_PALETTE = 3

/** Pixels between two squares. */
const STEP = 4

/** A tag that upstream makes of the bytes of a picture. */
const CONTENT_TAG = /^[\w-]{43}$/

/** The decoder of an installation of upstream's. @param {string} dir a folder in it */
export const sharpOf = dir => createRequire(path.join(dir, 'package.json'))('sharp')

/**
 * Two answers that hold the same picture in other bytes become the same: the bodies give way to what they show, and what
 * follows from the bytes (tag, length) to whether it does.
 *
 * @param {any} sharp
 * @param {Answer} expected upstream's
 * @param {Answer} actual
 * @returns {Promise<[Answer, Answer]>}
 */
export async function withPicturesDescribed(sharp, expected, actual) {
  const [left, right] = [expected.response, actual.response]
  if (!left || !right || !isMadePicture(left) || !isMadePicture(right)) return [expected, actual]
  if (left.decoded.length === 0 || right.decoded.length === 0) {
    return [{ response: withoutBytes(left) }, { response: withoutBytes(right) }]
  }
  if (left.decoded.equals(right.decoded)) return [expected, actual]
  const said = await comparePictures(sharp, left.decoded, right.decoded)
  return [{ response: described(left, said.expected) }, { response: described(right, said.actual) }]
}

/** @typedef {import('./compare.mjs').RawResponse} RawResponse */

/** Whether the image optimiser has answered. @param {RawResponse} response */
const isMadePicture = ({ status, headers }) =>
  (status === 304 || headers.some(([name]) => name.toLowerCase() === 'x-nextjs-cache')) && tagOf(headers) !== undefined

/** @param {[string, string][]} headers */
const tagOf = headers => headers.find(([name, value]) => name.toLowerCase() === 'etag' && CONTENT_TAG.test(value))?.[1]

/** @param {RawResponse} response @param {string} text */
function described(response, text) {
  const tag = createHash('sha256').update(response.decoded).digest('base64url')
  return withHeaders({ ...response, decoded: Buffer.from(text) }, { etag: tag, length: response.decoded.length })
}

/** The answer to a `HEAD`: nothing can be looked at. @param {RawResponse} response */
const withoutBytes = response => withHeaders(response, {})

/**
 * @param {RawResponse} response
 * @param {{ etag?: string, length?: number }} facts what follows from the bytes, where they are known
 * @returns {RawResponse}
 */
function withHeaders(response, { etag, length }) {
  const headers = response.headers.map(([name, value]) => {
    const lower = name.toLowerCase()
    if (lower === 'etag' && (etag === undefined || value === etag)) return [name, 'of the picture']
    if (lower === 'content-length' && (length === undefined || value === String(length)))
      return [name, 'of the picture']
    return [name, value]
  })
  return { ...response, headers: /** @type {[string, string][]} */ (headers) }
}

/**
 * What differs between two pictures, as texts that are the same when nothing does.
 *
 * @param {any} sharp the decoder, of upstream's own installation
 * @param {Buffer} left upstream's
 * @param {Buffer} right
 * @returns {Promise<{ expected: string, actual: string }>}
 */
export async function comparePictures(sharp, left, right) {
  const [expected, actual] = await Promise.all([pictureOf(sharp, left), pictureOf(sharp, right)])
  if (!expected || !actual) return { expected: describe(expected), actual: describe(actual) }
  const same = describe(expected)
  if (same !== describe(actual)) return { expected: same, actual: describe(actual) }
  // Dots of a few colours stand for others, and are where chance has put them: what counts is what they mix to.
  const [seen, other] = expected.dithered ? [mixed(expected), mixed(actual)] : [expected, actual]
  const likeness = similarity(seen, other)
  if (likeness < MIN_SSIM)
    return { expected: `${same}, SSIM >= ${MIN_SSIM}`, actual: `${same}, SSIM ${likeness.toFixed(4)}` }
  const share = right.length / left.length - 1
  if (Math.abs(share) > MAX_SIZE && Math.max(left.length, right.length) > SMALL_FILE) {
    const sign = share > 0 ? '+' : ''
    return {
      expected: `${same}, ${left.length} bytes ± ${MAX_SIZE * 100} %`,
      actual: `${same}, ${right.length} bytes (${sign}${(share * 100).toFixed(1)} %), SSIM ${likeness.toFixed(4)}`,
    }
  }
  return { expected: same, actual: same }
}

/**
 * @typedef {object} Picture
 * @property {string} format
 * @property {number} width
 * @property {number} height
 * @property {Buffer} pixels four channels
 * @property {boolean} [dithered] whether it has few colours
 */

/**
 * @param {any} sharp
 * @param {Buffer} bytes
 * @returns {Promise<Picture | undefined>} undefined when it is no picture
 */
export async function pictureOf(sharp, bytes) {
  try {
    const { format, compression } = await sharp(bytes).metadata()
    const { data, info } = await sharp(bytes)
      .toColourspace('srgb')
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    return {
      format: compression === 'av1' ? 'avif' : format,
      width: info.width,
      height: info.height,
      pixels: data,
      dithered: format === 'gif' || (format === 'png' && bytes[PNG_COLOUR_TYPE] === PNG_PALETTE),
    }
  } catch {
    return undefined
  }
}

/** @param {Picture | undefined} picture */
const describe = picture => (picture ? `${picture.format} ${picture.width} x ${picture.height}` : 'no picture')

/**
 * The picture at half its sides, each pixel the mean of four.
 * @param {Picture} picture
 * @returns {Picture}
 */
function mixed({ pixels, ...picture }) {
  const [width, height] = [Math.max(1, picture.width >> 1), Math.max(1, picture.height >> 1)]
  const out = Buffer.alloc(width * height * 4)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width * 4; x++) {
      const at = y * 2 * picture.width * 4 + (x >> 2) * 8 + (x & 3)
      const below = at + picture.width * 4
      const four = [pixels[at], pixels[at + 4], pixels[below], pixels[below + 4]]
      out[y * width * 4 + x] = four.reduce((/** @type {number} */ sum, value) => sum + (value ?? 0), 2) / 4
    }
  }
  return { ...picture, width, height, pixels: out }
}

/**
 * The mean structural similarity of luma and of alpha, the worse of the two (Wang et al. 2004, with flat squares).
 *
 * @param {Picture} left
 * @param {Picture} right of the same sides
 */
export function similarity(left, right) {
  const { width, height } = left
  const luma = (/** @type {Picture} */ { pixels }) =>
    Float64Array.from({ length: width * height }, (_, at) => {
      const [r = 0, g = 0, b = 0, a = 255] = pixels.subarray(at * 4, at * 4 + 4)
      // What cannot be seen does not count.
      return ((0.299 * r + 0.587 * g + 0.114 * b) * a) / 255
    })
  const alpha = (/** @type {Picture} */ { pixels }) =>
    Float64Array.from({ length: width * height }, (_, at) => pixels[at * 4 + 3] ?? 255)
  return Math.min(ssim(luma(left), luma(right), width, height), ssim(alpha(left), alpha(right), width, height))
}

/**
 * @param {Float64Array} a
 * @param {Float64Array} b
 * @param {number} width
 * @param {number} height
 */
function ssim(a, b, width, height) {
  const c1 = (0.01 * 255) ** 2
  const c2 = (0.03 * 255) ** 2
  const [across, down] = [Math.min(WINDOW, width), Math.min(WINDOW, height)]
  const count = across * down
  let sum = 0
  let windows = 0
  for (let top = 0; top + down <= height; top += STEP) {
    for (let left = 0; left + across <= width; left += STEP) {
      let [sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0]
      for (let y = top; y < top + down; y++) {
        for (let x = left; x < left + across; x++) {
          const p = a[y * width + x] ?? 0
          const q = b[y * width + x] ?? 0
          sumA += p
          sumB += q
          squareA += p * p
          squareB += q * q
          product += p * q
        }
      }
      const [meanA, meanB] = [sumA / count, sumB / count]
      const variance = squareA / count - meanA ** 2 + squareB / count - meanB ** 2
      const covariance = product / count - meanA * meanB
      sum += ((2 * meanA * meanB + c1) * (2 * covariance + c2)) / ((meanA ** 2 + meanB ** 2 + c1) * (variance + c2))
      windows++
    }
  }
  return sum / windows
}
