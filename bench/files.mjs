// Files that scenarios ask for and no build has to know: written into `public` of each engine's copy before its server starts.

import { closeSync, copyFileSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** How many pictures a page shows in the scenario `page-beside-images`. */
export const PICTURES = 24

const MB = 1024 * 1024

/** The name of a picture of the benchmark. @param {number} index */
export const pictureName = index => `photo-${index}.jpg`

/** What browsers ask for when a page shows a picture. @param {number} index @param {number} [width] */
export const pictureUrl = (index, width = 1200) =>
  `/_next/image?url=${encodeURIComponent(`/${pictureName(index)}`)}&w=${width}&q=75`

/**
 * The same picture under 24 names, 2400 by 1600: areas of colour with edges and noise, as a photo has them.
 *
 * @param {string[]} dirs the built apps
 */
export async function writePictures(dirs) {
  const [width, height] = [2400, 1600]
  const pixels = Buffer.alloc(width * height * 3)
  let seed = 1
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      const noise = (seed >>> 16) % 12
      const edge = ((x >> 7) + (y >> 6)) % 3 === 0 ? 40 : 0
      pixels[at++] = (x * 200) / width + edge + noise
      pixels[at++] = (y * 200) / height + edge + noise
      pixels[at++] = ((x + y) * 180) / (width + height) + noise
    }
  }
  for (const dir of dirs) {
    const sharp = createRequire(path.join(dir, 'package.json'))('sharp')
    const first = path.join(dir, 'public', pictureName(0))
    writeFileSync(
      first,
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .jpeg({ quality: 90 })
        .toBuffer(),
    )
    for (let index = 1; index < PICTURES; index++) copyFileSync(first, path.join(dir, 'public', pictureName(index)))
  }
}

/**
 * A file that nobody keeps in memory: 100 MB that cannot be compressed by their type.
 *
 * @param {string[]} dirs
 */
export function writeLargeFile(dirs) {
  const part = Buffer.alloc(MB, 'one hundred megabytes of this')
  for (const dir of dirs) {
    const file = openSync(path.join(dir, 'public/large.bin'), 'w')
    for (let at = 0; at < 100; at++) writeSync(file, part)
    closeSync(file)
  }
}
