export const PRODUCTS = [
  { id: 'cup', name: 'A cup', price: 12 },
  { id: 'plate', name: 'A plate', price: 20 },
  { id: 'spoon', name: 'A spoon', price: 5 },
]
