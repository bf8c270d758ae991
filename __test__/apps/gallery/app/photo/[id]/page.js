import Image from 'next/image'
import { notFound } from 'next/navigation'
import { PHOTOS } from '../../photos'

export const generateStaticParams = () => PHOTOS.map(({ id }) => ({ id }))

export async function generateMetadata({ params }) {
  const { id } = await params
  return { title: PHOTOS.find(photo => photo.id === id)?.title }
}

export default async function Photo({ params }) {
  const { id } = await params
  const photo = PHOTOS.find(photo => photo.id === id)
  if (!photo) notFound()
  return (
    <main>
      <h1>{photo.title}</h1>
      <Image src={photo.src} alt={photo.title} fill sizes="100vw" />
    </main>
  )
}
