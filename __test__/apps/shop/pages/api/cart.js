export default function handler(req, res) {
  if (req.method !== 'POST') return res.status(405).end()
  const ids = (req.cookies.cart ?? '').split('.').filter(Boolean)
  ids.push(JSON.parse(req.body).id)
  res.setHeader('set-cookie', `cart=${ids.join('.')}; Path=/; HttpOnly; SameSite=Lax`)
  res.json({ count: ids.length })
}
