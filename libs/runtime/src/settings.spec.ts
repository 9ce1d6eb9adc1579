import { readSettings, SETTINGS } from '#runtime'

describe('settings', () => {
  it('has a default for each that its own reader accepts', () => {
    const settings = readSettings({})
    for (const [name, row] of Object.entries(SETTINGS)) {
      expect(settings[name as keyof typeof settings]).toBe(row.fallback)
      expect(row.read(String(row.fallback))).toBe(row.fallback)
      expect(row.meaning).toMatch(/\.$/)
    }
  })
  it('names every variable that is wrong in one error', () => {
    expect(() => readSettings({ ROADMETER_HTTP_PORT: '99999', DATABASE_URL: 'mysql://x' })).toThrow(
      'DATABASE_URL must be postgres://… or empty, found "mysql://x"; ROADMETER_HTTP_PORT must be whole number, 0 to 65535, found "99999"',
    )
  })
  it('does not print a password', () => {
    const environment = Object.fromEntries(Object.values(SETTINGS).map((row) => [row.env, 'x'.repeat(13)]))
    expect(() => readSettings(environment)).not.toThrow('MQTT_PASSWORD must')
  })
  it.each([
    ['mysql://ann:se@cret@db.example/books', 'mysql://***@db.example/books'],
    ['ann:secret@db.example', '***@db.example'],
    ['postgres:/ann:secret@db.example', 'postgres:/***@db.example'],
    ['mysql://db.example/books', 'mysql://db.example/books'],
  ])('nor one within an address: %s', (given, printed) => {
    for (const env of ['DATABASE_URL', 'MQTT_URL', 'REDIS_URL', 'ROADMETER_PUBLIC_URL'])
      expect(() => readSettings({ [env]: given })).toThrow(
        new RegExp(`${env} must be .*, found ${JSON.stringify(printed).replace(/[*.]/g, '\\$&')}$`),
      )
  })
})
