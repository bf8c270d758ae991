import Image from 'next/image'
import Link from 'next/link'
import cover from './cover.png'
import { PHOTOS } from './photos'

export default function Gallery() {
  return (
    <main>
      <h1>Gallery</h1>
      <Image src={cover} alt="Cover" priority placeholder="blur" />
      {PHOTOS.map(({ id, title, src }) => (
        <Link key={id} href={`/photo/${id}`}>
          <Image src={src} alt={title} width={320} height={200} />
        </Link>
      ))}
    </main>
  )
}
