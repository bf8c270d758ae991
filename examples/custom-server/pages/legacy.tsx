import type { GetServerSideProps } from 'next'
import Head from 'next/head'

type Props = { rendered: string; url: string }

export const getServerSideProps: GetServerSideProps<Props> = async ({ req }) => {
  return { props: { rendered: new Date().toISOString(), url: req.url ?? '' } }
}

export default function Legacy({ rendered, url }: Props) {
  return (
    <>
      <Head>
        <title>Legacy</title>
      </Head>
      <h1>Legacy</h1>
      <dl className="panel">
        <dt>URL</dt>
        <dd data-testid="url">{url}</dd>
        <dt>Rendered</dt>
        <dd data-testid="rendered">{rendered}</dd>
      </dl>
    </>
  )
}
