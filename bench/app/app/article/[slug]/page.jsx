// One path is prerendered; `pages.mjs` makes as many of it as are asked for.
export const generateStaticParams = () => [{ slug: '0' }]

export default function Article() {
  return (
    <main>
      <h1>An article</h1>
      {Array.from({ length: 20 }, (_, index) => (
        <p key={index}>Paragraph {index}: the same in every article, since what is measured is how many there are.</p>
      ))}
    </main>
  )
}
