import Head from 'next/head'

/** Static: without data of its own, a page of the pages router becomes an HTML file. */
export default function About() {
  return (
    <>
      <Head>
        <title>About</title>
      </Head>
      <h1>About</h1>
      <p>A static page of the pages router, beside an app router, behind one custom server.</p>
    </>
  )
}
