// Writes src/source/image/inks.bin: what the inks of print look like on a screen. sharp is asked about a grid of inks and
// converts them with the profile that libvips takes for a picture without one of its own. Run it again only if that profile changes:
//   node scripts/ink-table.mjs <folder in which sharp is installed>
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Steps of each ink: see `STEPS` in src/source/image/inks.rs. */
const STEPS = 9

const [dir] = process.argv.slice(2)
if (!dir) throw new Error('usage: node scripts/ink-table.mjs <folder in which sharp is installed>')
const sharp = createRequire(path.join(path.resolve(dir), 'package.json'))('sharp')

const steps = Array.from({ length: STEPS }, (_, step) => Math.round((step * 255) / (STEPS - 1)))
const inks = steps.flatMap(c => steps.flatMap(m => steps.flatMap(y => steps.flatMap(k => [c, m, y, k]))))
const colours = await sharp(inkTiff(Buffer.from(inks), inks.length / 4))
  .removeAlpha()
  .raw()
  .toBuffer()
writeFileSync(fileURLToPath(new URL('../src/source/image/inks.bin', import.meta.url)), colours)

/**
 * A TIFF of one row of inks, as plain as the format allows (TIFF 6.0, section 16).
 * @param {Buffer} pixels
 * @param {number} width
 */
function inkTiff(pixels, width) {
  const SHORT = 3
  const LONG = 4
  const fields = 10
  const depths = 8 + 2 + fields * 12 + 4
  const start = depths + 8
  const tiff = Buffer.alloc(start + pixels.length)
  tiff.write('II*\0', 0, 'latin1')
  tiff.writeUInt32LE(8, 4)
  tiff.writeUInt16LE(fields, 8)
  const entries = [
    [256, LONG, 1, width],
    [257, LONG, 1, 1],
    [258, SHORT, 4, depths],
    [259, SHORT, 1, 1],
    [262, SHORT, 1, 5],
    [273, LONG, 1, start],
    [277, SHORT, 1, 4],
    [278, LONG, 1, 1],
    [279, LONG, 1, pixels.length],
    [332, SHORT, 1, 1],
  ]
  for (const [index, [tag = 0, type = 0, count = 0, value = 0]] of entries.entries()) {
    const at = 10 + index * 12
    tiff.writeUInt16LE(tag, at)
    tiff.writeUInt16LE(type, at + 2)
    tiff.writeUInt32LE(count, at + 4)
    tiff.writeUInt32LE(value, at + 8)
  }
  for (let channel = 0; channel < 4; channel++) tiff.writeUInt16LE(8, depths + channel * 2)
  pixels.copy(tiff, start)
  return tiff
}
