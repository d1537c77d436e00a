import path from 'node:path'
import { expect, it } from 'vitest'
import { changeShare } from './change-share.ts'

const SHARES = [
  { path: '/a', mountTag: 'one', securityModel: 'none', readOnly: false },
  { path: '/b', mountTag: 'two', securityModel: 'none', readOnly: true },
] as const

it.each([
  ['one', 'a mount tag and a folder are wanted: change_share TAG DIR', []],
  ['three /c', 'no share has the mount tag three; there are: one, two', []],
  ['two /my folder', 'the guest gets it when it mounts two again', [1, { path: '/my folder', readOnly: true }]],
  ['one c', 'the guest gets it when it mounts one again', [0, { path: path.resolve('c'), readOnly: false }]],
])('change_share %s', async (rest, answer, asked) => {
  const calls: unknown[] = []
  const exchange = (...call: unknown[]) => {
    calls.push(...call)
    return Promise.resolve(undefined)
  }
  expect(await changeShare(SHARES, rest, exchange)).toBe(answer)
  expect(calls).toEqual(asked)
})

it('change_share passes on why a folder cannot be had', async () => {
  expect(await changeShare(SHARES, 'one /none', () => Promise.resolve('cannot share the folder'))).toBe(
    'cannot share the folder',
  )
})
