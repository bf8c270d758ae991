export default function handler(request, response) {
  response.status(200).json({ hello: request.query.name, list: [1, 2, 3] })
}
