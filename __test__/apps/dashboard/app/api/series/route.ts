import type { NextRequest } from 'next/server'
import { series } from '@/data'

export async function GET({ nextUrl: { searchParams } }: NextRequest) {
  return Response.json(await series(searchParams.get('name') ?? 'sales', Number(searchParams.get('days') ?? 7)))
}
