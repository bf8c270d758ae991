// What versions of Next.js do differently with pictures; see versions.mjs.
import { all, get, sequence, showing } from '../case.mjs'

const ANY = { Accept: '*/*' }
const AVIF = { Accept: 'image/avif,*/*' }

/** @param {string} url @param {string} [w] */
const picture = (url, w = '64') =>
  `/_next/image?url=${encodeURIComponent(url).replaceAll('%7B', '{').replaceAll('%7D', '}')}&w=${w}&q=75`

/** Pictures of this server. */
export const pictures = [
  ...showing(
    ['strictImageBoxes'],
    [get(picture('/img/odd-box.avif'), { headers: ANY }), get(picture('/img/only.heic'), { headers: ANY })],
  ),
  ...showing(['scaledAvifQuality'], [get(picture('/img/drawing.png', '320'), { headers: AVIF })]),
  ...showing(
    ['imageSourcesHaveStatus'],
    ['missing', 'broken'].map(kind => get(picture(`/api/picture/${kind}`), { headers: ANY })),
  ),
  ...showing(
    ['reportsEmptyInternalImages'],
    [get(picture('/api/picture/empty'), { headers: ANY }), get(picture('/img/nothing.png'), { headers: ANY })],
  ),
  ...showing(
    ['immutableMedia'],
    all(
      [
        picture('/_next/static/immutable/media/none.png'),
        picture('/_next/static/media/none.png'),
        picture('/_next/static/none.png'),
      ],
      { headers: ANY },
    ),
  ),
  ...showing(
    ['supportsPrivateImages'],
    [get(picture('http://127.0.0.1:{targetPort}/picture/tiny.png'), { headers: ANY })],
  ),
  get(picture('/img/tiny.png'), { headers: ANY }),
  get(picture('/img/tiny.png'), { headers: ANY }),
  get(picture('/img/photo.avif', '320'), { headers: AVIF }),
]

/** Pictures of another server. */
export const remote = [
  '/picture/tiny.png',
  '/picture/empty',
  '/picture/status/204',
  '/picture/status/404',
  '/picture/redirect/1',
  '/picture/redirect/2',
  '/picture/redirect/4',
].map(path => get(picture(`http://127.0.0.1:{targetPort}${path}`), { headers: ANY }))

export const handled = showing(
  ['imageCacheHandler', 'reportsImageKind'],
  [
    sequence('what a cache handler is told of a picture', [
      get(picture('/img/tiny.png'), { headers: ANY }),
      get(picture('/img/tiny.png'), { headers: ANY }),
      get('/api/handled'),
    ]),
  ],
)
