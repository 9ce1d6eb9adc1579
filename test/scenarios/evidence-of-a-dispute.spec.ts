import { openStory, type Story } from './story'

const PNG = Uint8Array.from([
  ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52],
  ...Array<number>(17).fill(0),
  ...[0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82],
])
const EVIDENCE_BYTES_MAX = 5 * 1024 * 1024
const FILES_MAX = 10

describe('evidence of a dispute', () => {
  let story: Story
  let dispute: string
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00')
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
    const { id, journeys } = await story.close('2026-10')
    const words = { trip: journeys[0].trip, reason: 'not-driven', text: 'The car was in the garage that day.' }
    dispute = (await story.as('citizen', 'POST', `/v1/statements/${id}/disputes`, words)).body.id
  })
  afterAll(() => story?.end())

  const send = (bytes: Uint8Array | string, type: string, id = dispute) =>
    story.as('citizen', 'POST', `/v1/disputes/${id}/evidence`, bytes, type)
  const steps = async (): Promise<{ kind: string; evidence: string | null }[]> =>
    (await story.as('citizen', 'GET', '/v1/disputes')).body[0].steps
  const files = () => story.world.store.read(`select count(*)::int as n from location.evidence`)

  it('of a wrong type, too large, or to a dispute of nobody, is refused, and nothing is kept', async () => {
    for (const disguised of ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'MZ', '%PD'])
      expect(await send(disguised, 'image/png')).toMatchObject({ status: 415, code: 'EVIDENCE_TYPE' })
    expect((await send('{}', 'application/json')).status).toBe(415)
    expect(await send('', 'image/png')).toMatchObject({ status: 413, code: 'EVIDENCE_SIZE' })
    expect((await send(new Uint8Array(EVIDENCE_BYTES_MAX + 1), 'image/png')).status).toBe(413)
    expect(await send(PNG, 'image/png', '0'.repeat(32))).toMatchObject({ status: 404, code: 'NO_DISPUTE' })
    expect(await steps()).toHaveLength(1)
    expect(await files()).toEqual([{ n: 0 }])
  })

  it('is what it is by its bytes, kept once, and comes back to both sides as it was sent', async () => {
    expect(await send(PNG, 'image/png')).toMatchObject({ status: 201 })
    expect((await send(PNG, 'image/jpeg')).body.steps).toHaveLength(2)
    const [, { evidence }] = await steps()
    for (const role of ['citizen', 'agency'] as const) {
      const answer = await fetch(`${story.world.httpUrl}/v1/disputes/${dispute}/evidence/${evidence}`, {
        headers: { authorization: `Bearer ${story.people.tokens[role]}` },
      })
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(PNG)
      expect(answer.headers.get('content-type')).toBe('image/png')
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment/)
    }
    expect((await story.as('agency', 'GET', `/v1/disputes/${dispute}/evidence/${'0'.repeat(64)}`)).status).toBe(404)
    expect(await files()).toEqual([{ n: 1 }])
  })

  it('is taken up to ten files, and none once it is decided', async () => {
    const another = (i: number) => Uint8Array.from(PNG, (byte, place) => (place === 16 ? i : byte))
    for (let i = 1; i < FILES_MAX; i++) expect((await send(another(i), 'image/png')).status).toBe(201)
    expect(await send(another(FILES_MAX), 'image/png')).toMatchObject({ status: 400, code: 'EVIDENCE_FULL' })
    expect(await files()).toEqual([{ n: FILES_MAX }])
    expect((await story.as('citizen', 'POST', `/v1/disputes/${dispute}/withdrawal`, {})).status).toBe(200)
    expect(await send(another(FILES_MAX), 'image/png')).toMatchObject({ status: 409, code: 'DISPUTE_DECIDED' })
    await story.sound()
  })
})
