/** @type {import('next').NextConfig} */
export default {
  // The app lives below a path of the server's, which is told in full: servers pass the whole URL on.
  basePath: '/app',
}
