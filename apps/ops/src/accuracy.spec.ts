import { accuracyOf } from '#evaluation'
import { gridCity } from '#fleet'
import { chance } from '#kernel'
import { parsePolicy } from '#policy'
import flat from '../policies/flat.json'
import { referenceDrives } from './accuracy'

describe('reference drives', () => {
  const policy = parsePolicy(flat)
  const network = gridCity(30, chance('city'))
  const drives = referenceDrives(network, policy, { drives: 30, seed: '7', receiver: 'consumer' })

  it('are the same for the same seed, and others for another', () => {
    expect(referenceDrives(network, policy, { drives: 5, seed: '7', receiver: 'consumer' })).toEqual(drives.slice(0, 5))
    expect(referenceDrives(network, policy, { drives: 5, seed: '8', receiver: 'consumer' })).not.toEqual(
      drives.slice(0, 5),
    )
  })
  it('are charged near what they should be, and counted by it', () => {
    const report = accuracyOf(drives, 20)
    expect(report.drives).toBe(30)
    expect(report.trueMm).toBeGreaterThan(10_000_000)
    expect(Math.abs(report.amountError)).toBeLessThan(0.03)
    expect(report.correct.drives + report.over.drives + report.under.drives).toBe(30)
    // A flat tariff: what is due is the true distance at its rate, line by line to the half micro.
    for (const { trueMm, trueAmount } of drives)
      expect(Math.abs(Number(trueAmount) - (trueMm * 20_000) / 1_609_344)).toBeLessThan(200)
  })
})
