import { Matcher } from '#map-matching'
import { bench, perSecond } from '../../../test/bench'
import { everySeconds, fixesOf, recordedDrives, sharedData, type Suite } from '../../../test/bench/drives'
import { naiveMatcher } from './turf'

const TURF_DRIVES = 4

void bench('matching', 'recorded drives matched to roads, one core', async (b) => {
  const suites = await recordedDrives(sharedData()!, b.quick ? 4 : Infinity)
  const rates = [1, 10, 30, 60].map((periodS) => ({
    periodS,
    bar: { 1: 1_000_000, 10: 350_000, 30: 120_000, 60: 40_000 }[periodS]!,
    suites: suites.map((suite) => ({ ...suite, drives: suite.drives.map((d) => everySeconds(d, periodS)) })),
  }))
  const matchers = suites.map(({ network }) => new Matcher(network))
  for (const { periodS, suites, bar } of rates)
    b.measure(`fixes_per_s_${periodS}s`, 'fixes/s', () => fixesPerSecond(suites, (i) => (d) => matchers[i].match(d)), [
      '>=',
      bar,
    ])
  const few = suites.slice(0, TURF_DRIVES)
  const naive = few.map(({ network }) => naiveMatcher(network))
  b.measure('turf_fixes_per_s', 'fixes/s', () => fixesPerSecond(few, (i) => naive[i]))
  b.measure('same_fixes_per_s', 'fixes/s', () => fixesPerSecond(few, (i) => (d) => matchers[i].match(d)))
  b.ratio('turf_ratio', 'same_fixes_per_s', 'turf_fixes_per_s', ['>=', 40])
})

/** Of all drives of all suites, again and again for long enough to be timed. */
function fixesPerSecond(
  suites: readonly Suite[],
  matcher: (suite: number) => (drive: Suite['drives'][number]) => unknown,
): Promise<number> {
  const times = Math.max(1, Math.ceil(20_000 / fixesOf(suites)))
  return perSecond(times * fixesOf(suites), () => {
    for (let time = 0; time < times; time++)
      suites.forEach(({ drives }, i) => {
        for (const drive of drives) matcher(i)(drive)
      })
  })
}
