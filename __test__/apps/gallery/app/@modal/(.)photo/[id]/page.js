import Image from 'next/image'
import { PHOTOS } from '../../../photos'
import { Back } from './back'

export default async function Modal({ params }) {
  const { id } = await params
  const photo = PHOTOS.find(photo => photo.id === id)
  return (
    <div role="dialog" aria-label={photo.title}>
      <Image src={photo.src} alt={photo.title} width={640} height={400} />
      <Back />
    </div>
  )
}
