export const PHOTOS = [
  { id: 'sea', title: 'The sea', src: '/sea.png' },
  { id: 'hill', title: 'A hill', src: '/hill.png' },
]
